// SPDX-License-Identifier: MIT
// Whether a picture's file is all there. GStreamer's decoders tell of a cut PNG, but fill up what
// is missing of a cut JPEG, and say nothing.
#pragma once

#include <cstdint>
#include <vector>

// False for a JPEG (told by its first bytes) that ends before its picture does: one without a scan,
// or without the end marker behind it. What follows that marker is no matter, nor what is damaged
// before it. True for all other files.
bool is_whole(const std::vector<std::uint8_t>& file);
