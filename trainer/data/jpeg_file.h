// SPDX-License-Identifier: MIT
// JPEG decoding in which every warning of libjpeg is an error.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/data/image_files.h"

namespace unetseg::trainer {

// `channels` is 3 (RGB) or 1 (luma). Throws Error(read) for damage of any kind, a missing end
// marker included; Error(settings) for CMYK, 12-bit, and more than 64 megapixels, before decoding.
Image decode_jpeg(const std::vector<std::uint8_t>& file, int channels, const std::string& name);

}  // namespace unetseg::trainer
