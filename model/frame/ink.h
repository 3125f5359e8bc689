// SPDX-License-Identifier: MIT
// Colours as a frame's own components, and which frames can be drawn on.
#pragma once

#include <cstdint>

#include "model/backend/backend.h"

namespace unetseg {

// A colour in codes of a frame's own components, at their depth, with straight alpha.
struct Ink {
  std::uint16_t value[3];
  std::uint8_t alpha;
};

// 0xAARRGGBB for this frame, on GRAY8 as bright as its strongest component; its alpha is multiplied
// by `opacity`, which is cut to 0..1. Throws Error(frame_format) as from_rgb() does.
Ink ink_for(const UnetsegFrame& frame, guint32 argb, double opacity);

// Throws Error(frame_format) for a frame without pixels, where mask or probability mode is given
// anything but GRAY8, and where alpha mode is given a format without alpha.
void check_drawing(const UnetsegFrame& frame, UnetsegDrawMode mode);

}  // namespace unetseg
