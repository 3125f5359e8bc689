// SPDX-License-Identifier: MIT
// What is known of a mask besides its pixels, and how applications get it: bus messages and metas.
#pragma once

#include <gst/video/video.h>

#include "plugin/analytics.h"
#include "plugin/inference.h"
#include "plugin/pointers.h"
#include "plugin/settings.h"

namespace unetseg {

// The frame that a mask was inferred from. Times are GST_CLOCK_TIME_NONE where they are not known.
struct InferredFrame {
  guint64 number;  // of all frames since the start, from 0
  GstClockTime pts, duration, running_time, stream_time;
};

// Makes the custom meta known; once in a process, before the first element.
void register_result_meta();

// The newest finished mask's measurements. A mask is measured when they are first wanted, and anew
// only for another size of frame or another threshold. Functions belong to the streaming thread and
// throw Failure where it cannot be measured. What the constructor gets is borrowed.
//
// Message and meta are structures of the name "unetseg" with the same fields. `mask_age` is how
// much older than the frame at hand the mask is.
class Results {
 public:
  Results(GstElement* element, Inference* inference)
      : element_(element), inference_(inference), analytics_(inference) {}

  // A mask has been finished, and is in `slot`.
  void take(guint slot, const InferredFrame& frame, guint64 inference_time);

  // `size` is the frames'. Neither may be called before take().
  void post(const FrameSettings& settings, const GstVideoInfo& size, GstClockTime mask_age);
  // Metas for a frame that shows the mask: a region of interest `lesion` where there is one, those
  // of Analytics, and the custom meta, which takes the place of one that was there. A buffer that
  // is shared is replaced by one that shares its memory.
  void attach(BufferPtr* buffer, const FrameSettings& settings, const GstVideoInfo& size,
              GstClockTime mask_age);

 private:
  void measure(const FrameSettings& settings, const GstVideoInfo& size);
  void set_fields(GstStructure* structure, const FrameSettings& settings,
                  GstClockTime mask_age) const;

  GstElement* element_;
  Inference* inference_;
  Analytics analytics_;
  guint slot_ = 0;
  InferredFrame frame_ = {};
  guint64 inference_time_ = 0;

  bool is_measured_ = false;
  gint width_ = 0, height_ = 0;  // what measurement_ is for
  gdouble threshold_ = 0;
  UnetsegMeasurement measurement_ = {};
};

}  // namespace unetseg
