// SPDX-License-Identifier: MIT
// Results in the words that GStreamer has for them from version 1.26 on (GstAnalytics). A build for
// an older one has the functions too: they do nothing.
#pragma once

#include <gst/video/video.h>

#include "plugin/pointers.h"
#include "plugin/shown.h"

namespace unetseg {

// Functions belong to the streaming thread and throw Failure.
class Analytics {
 public:
  // Takes a mask, at the size of the network's input.
  void take(const ShownMask& mask, const UnetsegMaskOptions& options);

  // Adds to the buffer's GstAnalyticsRelationMeta, or to a new one: a semantic segmentation, whose
  // mask has the regions 0 (skin) and 255 (lesion) and is stretched over the frame, and where a
  // lesion was found an object `lesion` with its confidence, related to it. The buffer is writable;
  // `frame` tells its size.
  void attach(GstBuffer* buffer, const UnetsegMeasurement& measurement, const GstVideoInfo& frame);

 private:
  BufferPtr mask_;  // GRAY8, shared by all frames that show it
};

}  // namespace unetseg
