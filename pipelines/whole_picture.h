// SPDX-License-Identifier: MIT
// Whether a picture's file is all there. GStreamer's decoders tell of a cut PNG, but fill up what
// is missing of a cut JPEG or BMP, and say nothing.
#pragma once

#include <cstdint>
#include <vector>

// False for a JPEG that ends before its picture does: one without a scan, or without the end marker
// behind it; and for a BMP without all its rows. What follows is no matter, nor what is damaged
// before. True for all other files. Formats are told by their first bytes.
bool is_whole(const std::vector<std::uint8_t>& file);

bool is_bmp(const std::vector<std::uint8_t>& file);
