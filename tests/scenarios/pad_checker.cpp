// SPDX-License-Identifier: MIT
#include "tests/scenarios/pad_checker.h"

#include <utility>

void Violations::add(const std::string& text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  texts_.push_back(text);
}

std::vector<std::string> Violations::take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(texts_, {});
}

PadChecker::PadChecker(const std::string& name, GstPad* pad, Violations* violations)
    : name_(name), pad_(GST_PAD(gst_object_ref(pad))), violations_(violations) {
  reset();
  constexpr auto kAll =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                   GST_PAD_PROBE_TYPE_EVENT_FLUSH);
  probe_ = gst_pad_add_probe(pad, kAll, on_probe, this, nullptr);
}

PadChecker::~PadChecker() {
  gst_pad_remove_probe(pad_, probe_);
  gst_object_unref(pad_);
}

void PadChecker::reset() {
  const std::lock_guard<std::mutex> lock(mutex_);
  stream_ = {};
  gst_video_info_init(&stream_.info);
  gst_segment_init(&stream_.segment, GST_FORMAT_UNDEFINED);
}

std::vector<GstClockTime> PadChecker::times() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stream_.times;
}

guint64 PadChecker::gaps() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stream_.gaps;
}

guint64 PadChecker::frames() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return frames_;
}

std::string PadChecker::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::to_string(GST_VIDEO_INFO_WIDTH(&stream_.info)) + "x" +
         std::to_string(GST_VIDEO_INFO_HEIGHT(&stream_.info));
}

GstPadProbeReturn PadChecker::on_probe(GstPad*, GstPadProbeInfo* info, gpointer data) {
  PadChecker& self = *static_cast<PadChecker*>(data);
  const std::lock_guard<std::mutex> lock(self.mutex_);
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) != 0)
    self.take_frame(GST_PAD_PROBE_INFO_BUFFER(info));
  else
    self.take_event(GST_PAD_PROBE_INFO_EVENT(info));
  return GST_PAD_PROBE_OK;
}

void PadChecker::require(bool holds, const std::string& text) {
  if (!holds) violations_->add(name_ + ": " + text);
}

void PadChecker::take_event(GstEvent* event) {
  const GstEventType type = GST_EVENT_TYPE(event);
  const std::string name = GST_EVENT_TYPE_NAME(event);
  if (type == GST_EVENT_FLUSH_STOP) {
    require(stream_.is_flushing, "flush-stop without flush-start");
    const GstVideoInfo info = stream_.info;
    const bool has_caps = stream_.has_caps;
    stream_ = {};
    stream_.is_started = true;
    stream_.has_caps = has_caps;
    stream_.info = info;
    gst_segment_init(&stream_.segment, GST_FORMAT_UNDEFINED);
    return;
  }
  if (type == GST_EVENT_FLUSH_START) stream_.is_flushing = true;
  if (!GST_EVENT_IS_SERIALIZED(event)) return;
  require(!stream_.has_ended, name + " after EOS");
  require(type == GST_EVENT_STREAM_START || stream_.is_started, name + " before stream-start");
  if (type == GST_EVENT_STREAM_START) stream_.is_started = true;
  if (type == GST_EVENT_EOS) stream_.has_ended = true;
  if (type == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    stream_.has_caps = true;
    require(gst_video_info_from_caps(&stream_.info, caps), "caps that are no video's");
  }
  if (type == GST_EVENT_SEGMENT) {
    require(stream_.has_caps, "segment before caps");
    gst_event_copy_segment(event, &stream_.segment);
    stream_.has_segment = true;
    stream_.last = GST_CLOCK_TIME_NONE;
  }
}

void PadChecker::take_frame(GstBuffer* buffer) {
  require(!stream_.has_ended, "a frame after EOS");
  require(stream_.has_caps, "a frame before caps");
  require(stream_.has_segment, "a frame before a segment");
  require(gst_buffer_get_size(buffer) >= GST_VIDEO_INFO_SIZE(&stream_.info),
          "a frame of " + std::to_string(gst_buffer_get_size(buffer)) + " bytes");
  const GstClockTime time = GST_BUFFER_PTS(buffer);
  if (GST_CLOCK_TIME_IS_VALID(time) && GST_CLOCK_TIME_IS_VALID(stream_.last))
    require(stream_.segment.rate > 0 ? time > stream_.last : time < stream_.last,
            "time " + std::to_string(time) + " after " + std::to_string(stream_.last));
  stream_.last = time;
  stream_.times.push_back(time);
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) ++stream_.gaps;
  ++frames_;
}
