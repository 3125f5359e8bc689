// SPDX-License-Identifier: MIT
#include "plugin/results.h"

#include <algorithm>
#include <iterator>

namespace unetseg {
namespace {

constexpr const char* kName = "unetseg";
constexpr const char* kRegion = "lesion";

bool same_rules(const UnetsegMaskOptions& a, const UnetsegMaskOptions& b) {
  return a.threshold == b.threshold && a.largest_only == b.largest_only &&
         a.fill_holes == b.fill_holes && a.min_area == b.min_area &&
         a.min_confidence == b.min_confidence;
}

bool same_motion(const std::optional<UnetsegMotion>& a, const std::optional<UnetsegMotion>& b) {
  if (!a || !b) return !a && !b;
  return std::equal(std::begin(a->m), std::end(a->m), std::begin(b->m));
}

}  // namespace

// Without tags: what it says holds for whatever becomes of the pixels, so elements that convert or
// encode them keep it.
void register_result_meta() {
  const gchar* no_tags[] = {nullptr};
  gst_meta_register_custom(kName, no_tags, nullptr, nullptr, nullptr);
}

void Results::take(const ShownMask& mask, const InferredFrame& frame, guint64 inference_time) {
  frame_ = frame;
  inference_time_ = inference_time;
  device_ = mask.model->info().device;
  is_measured_ = false;
}

void Results::measure(const ShownMask& mask, const FrameSettings& settings,
                      const GstVideoInfo& size) {
  const gint width = GST_VIDEO_INFO_WIDTH(&size), height = GST_VIDEO_INFO_HEIGHT(&size);
  const UnetsegMaskOptions options = mask.options(settings);
  if (is_measured_ && width == width_ && height == height_ && same_rules(options, options_) &&
      same_motion(mask.motion, motion_))
    return;
  is_measured_ = false;
  measurement_ = mask.model->measure(mask.slot, width, height, options);
  analytics_.take(mask, options);
  width_ = width;
  height_ = height;
  options_ = options;
  motion_ = mask.motion;
  is_measured_ = true;
}

void Results::post(const ShownMask& mask, const FrameSettings& settings, const GstVideoInfo& size,
                   GstClockTime mask_age) {
  measure(mask, settings, size);
  StructurePtr structure(gst_structure_new_empty(kName));
  set_fields(structure.get(), settings, mask_age);
  gst_element_post_message(element_,
                           gst_message_new_element(GST_OBJECT(element_), structure.release()));
}

void Results::attach(BufferPtr* buffer, const ShownMask& mask, const FrameSettings& settings,
                     const GstVideoInfo& size, GstClockTime mask_age) {
  measure(mask, settings, size);
  buffer->reset(gst_buffer_make_writable(buffer->release()));
  if (GstCustomMeta* other = gst_buffer_get_custom_meta(buffer->get(), kName))
    gst_buffer_remove_meta(buffer->get(), &other->meta);
  GstCustomMeta* meta = gst_buffer_add_custom_meta(buffer->get(), kName);
  set_fields(gst_custom_meta_get_structure(meta), settings, mask_age);
  analytics_.attach(buffer->get(), measurement_, size);
  if (!measurement_.found) return;
  gst_buffer_add_video_region_of_interest_meta(
      buffer->get(), kRegion, static_cast<guint>(measurement_.x),
      static_cast<guint>(measurement_.y), static_cast<guint>(measurement_.width),
      static_cast<guint>(measurement_.height));
}

void Results::set_fields(GstStructure* structure, const FrameSettings& settings,
                         GstClockTime mask_age) const {
  const UnetsegMeasurement& m = measurement_;
  gst_structure_set(structure,                                                    //
                    "timestamp", G_TYPE_UINT64, frame_.pts,                       //
                    "running-time", G_TYPE_UINT64, frame_.running_time,           //
                    "stream-time", G_TYPE_UINT64, frame_.stream_time,             //
                    "duration", G_TYPE_UINT64, frame_.duration,                   //
                    "frame", G_TYPE_UINT64, frame_.number,                        //
                    "device", G_TYPE_STRING, device_.c_str(),                     //
                    "mask-age", G_TYPE_UINT64, mask_age,                          //
                    "inference-time", G_TYPE_UINT64, inference_time_,             //
                    "found", G_TYPE_BOOLEAN, m.found,                             //
                    "area", G_TYPE_DOUBLE, m.area,                                //
                    "area-fraction", G_TYPE_DOUBLE, m.area_fraction,              //
                    "x", G_TYPE_INT, m.x,                                         //
                    "y", G_TYPE_INT, m.y,                                         //
                    "width", G_TYPE_INT, m.width,                                 //
                    "height", G_TYPE_INT, m.height,                               //
                    "centroid-x", G_TYPE_DOUBLE, m.centroid_x,                    //
                    "centroid-y", G_TYPE_DOUBLE, m.centroid_y,                    //
                    "perimeter", G_TYPE_DOUBLE, m.perimeter,                      //
                    "diameter", G_TYPE_DOUBLE, m.diameter,                        //
                    "asymmetry", G_TYPE_DOUBLE, m.asymmetry,                      //
                    "border-irregularity", G_TYPE_DOUBLE, m.border_irregularity,  //
                    "confidence", G_TYPE_DOUBLE, m.confidence, nullptr);
  const double mm = settings.pixel_size;
  if (mm > 0)
    gst_structure_set(structure,                                        //
                      "area-mm2", G_TYPE_DOUBLE, m.area * mm * mm,      //
                      "perimeter-mm", G_TYPE_DOUBLE, m.perimeter * mm,  //
                      "diameter-mm", G_TYPE_DOUBLE, m.diameter * mm, nullptr);
}

}  // namespace unetseg
