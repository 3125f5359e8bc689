// SPDX-License-Identifier: MIT
#include "plugin/frame_path.h"

#include <cstring>
#include <string>
#include <utility>

#include "plugin/caps.h"
#include "plugin/debug.h"

namespace unetseg {
namespace {

UnetsegStyle style_of(const FrameSettings& settings, Output output) {
  UnetsegStyle style = {};
  style.mode = output == Output::mask          ? UNETSEG_DRAW_MASK
               : output == Output::probability ? UNETSEG_DRAW_PROBABILITY
                                               : UNETSEG_DRAW_OVERLAY;
  style.threshold = settings.threshold;
  style.color = settings.color;
  style.opacity = settings.opacity;
  style.contour_color = settings.contour_color;
  style.contour_width = settings.contour_width;
  return style;
}

bool is_visible(const UnetsegStyle& overlay) {
  const bool fills = overlay.color >> 24 != 0 && overlay.opacity > 0;
  const bool outlines = overlay.contour_color >> 24 != 0 && overlay.contour_width > 0;
  return fills || outlines;
}

// A fault of one frame, which on-error decides about; anything else stops the stream.
bool is_of_one_frame(const Failure& failure) {
  return (failure.domain == GST_STREAM_ERROR) ||
         (failure.domain == GST_RESOURCE_ERROR && failure.code == GST_RESOURCE_ERROR_NO_SPACE_LEFT);
}

Failure bad_buffer(const char* why, GstBuffer* buffer) {
  return {GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
          std::string("A frame cannot be read, ") + why +
              ": check the element before unetseg, or set on-error=pass to go on without its mask",
          "buffer of " + std::to_string(gst_buffer_get_size(buffer)) + " bytes"};
}

}  // namespace

void FramePath::reset() {
  faults_.reset();
  geometry_ = output_geometry_ = {};
  source_caps_.reset();
  pool_.stop();
}

bool FramePath::set_caps(GstCaps* caps, Output output) {
  geometry_ = output_geometry_ = {};
  pool_.stop();
  GstVideoInfo info, source_info;
  if (!read_sink_caps(caps, &info)) return false;
  CapsPtr source_caps(source_caps_for(caps, output));
  if (!gst_caps_is_fixed(source_caps.get()) ||
      !gst_video_info_from_caps(&source_info, source_caps.get()) ||
      !make_geometry(source_info, &output_geometry_))
    return false;
  output_ = output;
  source_caps_ = std::move(source_caps);
  if (!gst_pad_push_event(source_, gst_event_new_caps(source_caps_.get()))) return false;
  configure_pool();
  return make_geometry(info, &geometry_);
}

void FramePath::configure_pool() {
  pool_.configure(source_, source_caps_.get(), output_geometry_.info,
                  output_ == Output::overlay ? PoolChoice::own : PoolChoice::downstream);
}

GstFlowReturn FramePath::process(BufferPtr buffer, const FrameSettings& settings,
                                 bool passes_faults) {
  if (!has_caps()) {
    GST_WARNING_OBJECT(element_, "a buffer without usable caps");
    return GST_FLOW_NOT_NEGOTIATED;
  }
  if (gst_pad_check_reconfigure(source_)) configure_pool();
  if (GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_GAP)) {
    statistics_->count(Outcome::gap);
    return output_ == Output::overlay ? push_untouched(std::move(buffer))
                                      : push_zero_mask(std::move(buffer));
  }
  BufferLayout layout;
  const char* why = nullptr;
  const Result result = find_layout(buffer.get(), geometry_, &layout, &why)
                            ? infer(buffer.get(), layout)
                            : found_fault(FrameFault::format, bad_buffer(why, buffer.get()));
  if (result == Result::flushing) return GST_FLOW_FLUSHING;
  if (result == Result::faulty) return pass_fault(std::move(buffer), settings, passes_faults);
  faults_.good_frame();
  statistics_->count(Outcome::inferred);
  return output_ == Output::overlay ? push_overlay(std::move(buffer), layout, settings)
                                    : push_mask(std::move(buffer), settings);
}

FramePath::Result FramePath::infer(GstBuffer* buffer, const BufferLayout& layout) {
  try {
    MappedFrame frame;
    if (!frame.map(buffer, geometry_, layout, GST_MAP_READ))
      return found_fault(FrameFault::format, bad_buffer("its memory cannot be mapped", buffer));
    if (!inference_->sample(frame.view())) return Result::flushing;
    frame.unmap();
    guint64 nanoseconds = 0;
    if (!inference_->infer(&nanoseconds)) return Result::flushing;
    statistics_->add_inference_time(nanoseconds);
    return Result::done;
  } catch (const Failure& failure) {
    if (!is_of_one_frame(failure)) throw;
    return found_fault(FrameFault::result, failure);
  }
}

FramePath::Result FramePath::found_fault(FrameFault kind, Failure failure) {
  fault_kind_ = kind;
  fault_ = std::move(failure);
  return Result::faulty;
}

GstFlowReturn FramePath::pass_fault(BufferPtr buffer, const FrameSettings& settings,
                                    bool passes_faults) {
  statistics_->count(Outcome::faulty);
  const bool may_pass =
      settings.on_error == OnError::automatic ? passes_faults : settings.on_error == OnError::pass;
  switch (faults_.faulty_frame(fault_kind_, may_pass, g_get_monotonic_time())) {
    case FaultPolicy::Answer::give_up:
      throw fault_;
    case FaultPolicy::Answer::pass_and_warn:
      post_warning(element_, fault_);
      break;
    case FaultPolicy::Answer::pass:
      break;
  }
  if (output_ != Output::overlay) return push_zero_mask(std::move(buffer));
  // Nobody downstream could read it either.
  if (fault_kind_ == FrameFault::format) return GST_FLOW_OK;
  return push_untouched(std::move(buffer));
}

GstFlowReturn FramePath::push_untouched(BufferPtr buffer) {
  return gst_pad_push(source_, buffer.release());
}

GstFlowReturn FramePath::acquire(BufferPtr* buffer) {
  // A pool that failed to start with the caps may have been cured since.
  if (!pool_.is_configured()) configure_pool();
  return pool_.acquire(buffer);
}

// Makes *buffer one that may be drawn on and that the peer can read, by a copy where needed.
FramePath::Result FramePath::prepare_overlay(BufferPtr* buffer, BufferLayout* layout) {
  const bool readable =
      pool_.peer_reads_video_meta() || is_default_layout(*layout, output_geometry_);
  if (readable && is_drawable(buffer->get())) return Result::done;
  BufferPtr copy;
  if (acquire(&copy) != GST_FLOW_OK) return Result::flushing;
  copy_metadata(buffer->get(), copy.get(), false);
  BufferLayout copy_layout;
  const char* why = nullptr;
  MappedFrame from, to;
  if (!find_layout(copy.get(), output_geometry_, &copy_layout, &why) ||
      !from.map(buffer->get(), geometry_, *layout, GST_MAP_READ) ||
      !to.map(copy.get(), output_geometry_, copy_layout, GST_MAP_WRITE))
    throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
                  "A frame cannot be copied for drawing: put a videoconvert before unetseg",
                  why != nullptr ? why : "a buffer cannot be mapped"};
  copy_pixels(from.view(), to.view(), geometry_);
  from.unmap();
  to.unmap();
  *buffer = std::move(copy);
  *layout = copy_layout;
  return Result::done;
}

void FramePath::draw(GstBuffer* buffer, const FrameGeometry& geometry, const BufferLayout& layout,
                     const UnetsegStyle& style) {
  MappedFrame frame;
  const auto access = static_cast<GstMapFlags>(
      style.mode == UNETSEG_DRAW_OVERLAY ? GST_MAP_READWRITE : GST_MAP_WRITE);
  if (!frame.map(buffer, geometry, layout, access))
    throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
                  "A frame cannot be drawn on: put a videoconvert before unetseg",
                  "gst_buffer_map failed"};
  inference_->draw(frame.view(), style);
}

GstFlowReturn FramePath::push_overlay(BufferPtr buffer, BufferLayout layout,
                                      const FrameSettings& settings) {
  const UnetsegStyle style = style_of(settings, output_);
  if (!is_visible(style)) return push_untouched(std::move(buffer));
  if (prepare_overlay(&buffer, &layout) == Result::flushing) return GST_FLOW_FLUSHING;
  draw(buffer.get(), output_geometry_, layout, style);
  return gst_pad_push(source_, buffer.release());
}

GstFlowReturn FramePath::push_mask(BufferPtr buffer, const FrameSettings& settings) {
  BufferPtr mask;
  const GstFlowReturn acquired = acquire(&mask);
  if (acquired != GST_FLOW_OK) return acquired;
  copy_metadata(buffer.get(), mask.get(), true);
  BufferLayout layout;
  const char* why = nullptr;
  if (!find_layout(mask.get(), output_geometry_, &layout, &why))
    throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
                  "The element after unetseg gave a buffer that no mask fits in: put a queue "
                  "between them",
                  why};
  draw(mask.get(), output_geometry_, layout, style_of(settings, output_));
  return gst_pad_push(source_, mask.release());
}

// One mask for each frame, also for a frame that has none.
GstFlowReturn FramePath::push_zero_mask(BufferPtr buffer) {
  BufferPtr mask;
  const GstFlowReturn acquired = acquire(&mask);
  if (acquired != GST_FLOW_OK) return acquired;
  copy_metadata(buffer.get(), mask.get(), true);
  gst_buffer_memset(mask.get(), 0, 0, gst_buffer_get_size(mask.get()));
  GST_BUFFER_FLAG_SET(mask.get(), GST_BUFFER_FLAG_GAP);
  return gst_pad_push(source_, mask.release());
}

}  // namespace unetseg
