// SPDX-License-Identifier: MIT
// What leaves the element, in order: a probe on the pad behind it.
#pragma once

#include <mutex>

#include "tests/plugin/bench.h"

class FlowLog {
 public:
  explicit FlowLog(GstPad* pad) {
    gst_pad_add_probe(pad,
                      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                                   GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                                   GST_PAD_PROBE_TYPE_EVENT_FLUSH),
                      note, this, nullptr);
  }

  // Caps as "GRAY8 8x8", buffers as "buffer", other events by their names; all that came since the
  // last call, separated by ", ".
  std::string take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(text_, {});
  }

 private:
  static GstPadProbeReturn note(GstPad*, GstPadProbeInfo* info, gpointer self) {
    std::string entry = "buffer";
    if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) == 0) {
      GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
      entry = GST_EVENT_TYPE_NAME(event);
      if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps* caps = nullptr;
        gst_event_parse_caps(event, &caps);
        GstVideoInfo video;
        gst_video_info_from_caps(&video, caps);
        entry = std::string(GST_VIDEO_INFO_NAME(&video)) + " " +
                std::to_string(GST_VIDEO_INFO_WIDTH(&video)) + "x" +
                std::to_string(GST_VIDEO_INFO_HEIGHT(&video));
      }
    }
    FlowLog& log = *static_cast<FlowLog*>(self);
    const std::lock_guard<std::mutex> lock(log.mutex_);
    log.text_ += (log.text_.empty() ? "" : ", ") + entry;
    return GST_PAD_PROBE_OK;
  }

  std::mutex mutex_;  // guards text_
  std::string text_;
};
