// SPDX-License-Identifier: MIT
// Frames that carry their number in their pixels: the fake network copies it into the mask.
#pragma once

#include "tests/plugin/bench.h"

// GRAY8, 8 x 8.
inline const std::string kNumberedCaps = caps_of("GRAY8", 8, 8);

inline BufferPtr numbered_frame(int number) {
  BufferPtr buffer = bytes_buffer(64, 0, static_cast<GstClockTime>(number) * GST_MSECOND);
  const guint8 bytes[2] = {static_cast<guint8>(number & 255), static_cast<guint8>(number >> 8)};
  gst_buffer_fill(buffer.get(), 0, bytes, sizeof bytes);
  return buffer;
}

// Of the frame that a picture of probabilities was inferred from.
inline int number_in(GstBuffer* probabilities) {
  guint8 bytes[2] = {};
  gst_buffer_extract(probabilities, 0, bytes, sizeof bytes);
  return bytes[0] | bytes[1] << 8;
}
