// SPDX-License-Identifier: MIT
// What a picture's file says about itself before anything is decoded, and whether it is all there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unetseg::trainer {

constexpr std::int64_t kMostPixels = 64'000'000;

enum class ImageFormat { jpeg, png, bmp };

// By the first bytes. Throws Error(read) where it is none of the three.
ImageFormat format_of(const std::vector<std::uint8_t>& file, const std::string& name);

struct PictureSize {
  int width = 0, height = 0;
};

// Throws Error(settings) for more than kMostPixels, Error(read) for none.
void check_size(std::int64_t width, std::int64_t height, const std::string& name);

// The size in the header. Throws Error(read) where the file ends before its last chunk or row, and
// Error(settings) for what this program does not read: 16-bit samples, compressed BMP, too large.
PictureSize check_png(const std::vector<std::uint8_t>& file, const std::string& name);
PictureSize check_bmp(const std::vector<std::uint8_t>& file, const std::string& name);

}  // namespace unetseg::trainer
