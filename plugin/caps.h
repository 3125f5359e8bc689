// SPDX-License-Identifier: MIT
// What the element takes and gives: caps in both directions.
#pragma once

#include <gst/video/video.h>

#include "plugin/settings.h"

namespace unetseg {

#define UNETSEG_ALPHA "RGBA, BGRA, ARGB, ABGR"
#define UNETSEG_RGB "RGB, BGR, RGBx, BGRx, xRGB, xBGR, " UNETSEG_ALPHA
// In order of preference: what cameras and decoders give first.
#define UNETSEG_FORMATS \
  "{ NV12, I420, YUY2, UYVY, YV12, NV21, Y42B, P010_10LE, Y444, " UNETSEG_RGB ", GRAY8 }"

// Of both pads. Memory that the CPU cannot read has caps features, which these do not.
#define UNETSEG_CAPS GST_VIDEO_CAPS_MAKE(UNETSEG_FORMATS)

// The caller owns the results. `caps` need not be fixed, nor within the template.

// What the source pad can give for `caps` at the sink pad. For cutouts there is more than one
// format: the frame's own first, where it has alpha.
GstCaps* source_caps_for(GstCaps* caps, Output output);
// What the sink pad may get so that `caps` come out of the source pad.
GstCaps* sink_caps_for(GstCaps* caps, Output output);

// Reads fixed sink caps. False where they are none that the element takes.
bool read_sink_caps(GstCaps* caps, GstVideoInfo* info);

}  // namespace unetseg
