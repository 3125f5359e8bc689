// SPDX-License-Identifier: MIT
// What is known of a mask besides its pixels, and how applications get it: bus messages and metas.
#pragma once

#include <gst/video/video.h>

#include <optional>
#include <string>

#include "plugin/analytics.h"
#include "plugin/pointers.h"
#include "plugin/settings.h"
#include "plugin/shown.h"

namespace unetseg {

// The frame that a mask was inferred from. Times are GST_CLOCK_TIME_NONE where they are not known.
struct InferredFrame {
  guint64 number;  // of all frames since the start, from 0
  GstClockTime pts, duration, running_time, stream_time;
};

// Makes the custom meta known; once in a process, before the first element.
void register_result_meta();

// The newest finished mask's measurements. A mask is measured when they are first wanted, and anew
// only where it is shown otherwise: on another size of frame, of another threshold, moved.
// Functions belong to the streaming thread and throw Failure where it cannot be measured. What the
// constructor gets is borrowed.
//
// Message and meta are structures of the name "unetseg" with the same fields. `mask_age` is how
// much older than the frame at hand the mask is.
class Results {
 public:
  explicit Results(GstElement* element) : element_(element) {}

  // A mask has been finished.
  void take(const ShownMask& mask, const InferredFrame& frame, guint64 inference_time);

  // Of the mask as it is shown on a frame of this size. Neither may be called before take().
  void post(const ShownMask& mask, const FrameSettings& settings, const GstVideoInfo& size,
            GstClockTime mask_age);
  // Metas for a frame that shows the mask: a region of interest `lesion` where there is one, those
  // of Analytics, and the custom meta, which takes the place of one that was there. A buffer that
  // is shared is replaced by one that shares its memory.
  void attach(BufferPtr* buffer, const ShownMask& mask, const FrameSettings& settings,
              const GstVideoInfo& size, GstClockTime mask_age);

 private:
  void measure(const ShownMask& mask, const FrameSettings& settings, const GstVideoInfo& size);
  void set_fields(GstStructure* structure, const FrameSettings& settings,
                  GstClockTime mask_age) const;

  GstElement* element_;
  Analytics analytics_;
  InferredFrame frame_ = {};
  guint64 inference_time_ = 0;
  std::string device_;

  bool is_measured_ = false;
  gint width_ = 0, height_ = 0;  // what measurement_ is for
  UnetsegMaskOptions options_ = {};
  std::optional<UnetsegMotion> motion_;
  UnetsegMeasurement measurement_ = {};
};

}  // namespace unetseg
