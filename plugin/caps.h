// SPDX-License-Identifier: MIT
// What the element takes and gives: caps in both directions.
#pragma once

#include <gst/video/video.h>

#include "plugin/cuda_library.h"
#include "plugin/settings.h"

namespace unetseg {

#define UNETSEG_ALPHA "RGBA, BGRA, ARGB, ABGR"
#define UNETSEG_RGB "RGB, BGR, RGBx, BGRx, xRGB, xBGR, " UNETSEG_ALPHA
// In order of preference: what cameras and decoders give first.
#define UNETSEG_FORMATS \
  "{ NV12, I420, YUY2, UYVY, YV12, NV21, Y42B, P010_10LE, Y444, " UNETSEG_RGB ", GRAY8 }"

// Those of them that GStreamer's CUDA library has memory for.
#define UNETSEG_CUDA_FORMATS \
  "{ NV12, I420, YV12, NV21, Y42B, P010_10LE, Y444, RGB, BGR, RGBx, BGRx, " UNETSEG_ALPHA " }"

// Frames that the CPU can read, and those in a GPU's memory.
#define UNETSEG_SYSTEM_CAPS GST_VIDEO_CAPS_MAKE(UNETSEG_FORMATS)
#define UNETSEG_CUDA_CAPS \
  GST_VIDEO_CAPS_MAKE_WITH_FEATURES(UNETSEG_CUDA_MEMORY_FEATURE, UNETSEG_CUDA_FORMATS)
// Of both pads.
#define UNETSEG_CAPS UNETSEG_CUDA_CAPS "; " UNETSEG_SYSTEM_CAPS

// Where frames may lie. Masks and cutouts are in system memory always, and cutouts are made there.
enum class FrameMemory { system, system_or_cuda };

// The caller owns the results. `caps` need not be fixed, nor within the template.

// What the source pad can give for `caps` at the sink pad. For cutouts there is more than one
// format: the frame's own first, where it has alpha.
GstCaps* source_caps_for(GstCaps* caps, Output output, FrameMemory memory);
// What the sink pad may get so that `caps` come out of the source pad.
GstCaps* sink_caps_for(GstCaps* caps, Output output, FrameMemory memory);

// Reads fixed sink caps. False where they are none that the element takes.
bool read_sink_caps(GstCaps* caps, Output output, FrameMemory memory, GstVideoInfo* info);

// Whether fixed caps are of frames in CUDA memory.
bool are_in_cuda_memory(GstCaps* caps);

}  // namespace unetseg
