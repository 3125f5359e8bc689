// SPDX-License-Identifier: MIT
// How a frame becomes the network's input: which part of it is shown, and where.
#pragma once

#include "model/backend/backend.h"
#include "model/frame/axis.h"
#include "model/mask/frame_part.h"

namespace unetseg {

// The input's pixels x .. x + width - 1, y .. y + height - 1 show the frame's part `across` times
// `down`, and the others nothing.
struct Framing {
  Interval across, down;
  int x, y, width, height;  // at least 1 x 1
  FramePart part;           // the same part, as fractions of the frame

  bool operator==(const Framing& other) const {
    return across == other.across && down == other.down && x == other.x && y == other.y &&
           width == other.width && height == other.height;
  }
};

// For an input of width x height pixels, which count as squares. Frame pixels count as wide as
// their aspect ratio says. `letterbox` covers whole pixels of the input, so its shape is right to
// half of one; `crop` is exact, but takes one pixel of the frame at least. `fit` must not be
// UNETSEG_FIT_MODEL. The frame must have pixels.
Framing framing_of(const UnetsegFrame& frame, UnetsegFit fit, int width, int height);

// Moves the values of the pixels that show the frame to the map's beginning, row by row: what is
// left is a map of framing.width x framing.height. `map` has rows of `columns` values.
void keep_shown(const Framing& framing, int columns, float* map);

}  // namespace unetseg
