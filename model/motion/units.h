// SPDX-License-Identifier: MIT
// Movements counted in other units than a frame's widths and heights.
#pragma once

#include "model/backend/backend.h"
#include "model/frame/framing.h"

namespace unetseg {

// What is at (f, g) in a frame is at (x + scale_x f, y + scale_y g) in these units.
struct Units {
  double scale_x, scale_y, x, y;

  Units inverse() const { return {1 / scale_x, 1 / scale_y, -x / scale_x, -y / scale_y}; }
};

// Widths and heights of the map that keep_shown() leaves.
inline Units map_units(const Framing& framing) {
  const Share &across = framing.part.across, &down = framing.part.down;
  const double scale_x = 1 / (across.last - across.first), scale_y = 1 / (down.last - down.first);
  return {scale_x, scale_y, -across.first * scale_x, -down.first * scale_y};
}

// Widths and heights of the whole input, of which the map is a part.
inline Units input_units(const Framing& framing, int width, int height) {
  const Units map = map_units(framing);
  const double share_x = static_cast<double>(framing.width) / width;
  const double share_y = static_cast<double>(framing.height) / height;
  return {map.scale_x * share_x, map.scale_y * share_y,
          static_cast<double>(framing.x) / width + map.x * share_x,
          static_cast<double>(framing.y) / height + map.y * share_y};
}

// The same movement, in `units`.
inline UnetsegMotion in_units(const UnetsegMotion& motion, const Units& units) {
  UnetsegMotion to = motion;
  const double wider = units.scale_x / units.scale_y;
  to.m[1] = motion.m[1] * wider;
  to.m[3] = motion.m[3] / wider;
  to.m[2] = units.scale_x * motion.m[2] + units.x - to.m[0] * units.x - to.m[1] * units.y;
  to.m[5] = units.scale_y * motion.m[5] + units.y - to.m[3] * units.x - to.m[4] * units.y;
  return to;
}

}  // namespace unetseg
