// SPDX-License-Identifier: MIT
// GRAY8 frames with lesions drawn in them, and what comes out, as grids of text.
#pragma once

#include <string>
#include <vector>

#include "tests/plugin/bench.h"

// One text for each row: '#' is 200, '+' is 150, anything else 10. Widths are multiples of 4, so
// that rows are without padding.
inline BufferPtr grey_frame(const std::vector<std::string>& rows) {
  std::vector<guint8> bytes;
  for (const std::string& row : rows)
    for (const char c : row) bytes.push_back(c == '#' ? 200 : c == '+' ? 150 : 10);
  BufferPtr buffer = bytes_buffer(bytes.size(), 0);
  gst_buffer_fill(buffer.get(), 0, bytes.data(), bytes.size());
  return buffer;
}

// A mask as text: '#' is 255 and '.' 0; anything else is '?'.
inline std::vector<std::string> drawn(GstBuffer* mask, int width) {
  std::vector<std::string> rows;
  const std::vector<guint8> bytes = bytes_of(mask);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % static_cast<std::size_t>(width) == 0) rows.emplace_back();
    rows.back() += bytes[i] == 255 ? '#' : bytes[i] == 0 ? '.' : '?';
  }
  return rows;
}

inline std::string joined(const std::vector<std::string>& rows) {
  std::string text;
  for (const std::string& row : rows) text += row + "\n";
  return text;
}

// Pushes a frame and compares the mask that comes out.
inline void assert_mask(Bench& bench, const std::vector<std::string>& frame,
                        const std::vector<std::string>& mask) {
  ck_assert_int_eq(bench.push(grey_frame(frame)), GST_FLOW_OK);
  const BufferPtr out = bench.pull();
  ck_assert(out != nullptr);
  const std::string got = joined(drawn(out.get(), static_cast<int>(frame[0].size())));
  ck_assert_msg(got == joined(mask), "got\n%sinstead of\n%s", got.c_str(), joined(mask).c_str());
}
