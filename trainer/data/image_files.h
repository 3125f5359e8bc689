// SPDX-License-Identifier: MIT
// Image files: strict decoding and writing. The only header behind which an image library stands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unetseg::trainer {

struct Image {
  int width = 0, height = 0, channels = 0;  // channels: 3 (RGB) or 1
  std::vector<std::uint8_t> pixels;         // dense, interleaved
};

// False in a build without image libraries: every function below then throws Error(settings).
bool can_read_image_files();

// JPEG, PNG and BMP, told by content. Strict: a truncated or damaged file (OpenCV alone would
// return a full picture), zero bytes, more than 64 megapixels, 16-bit or CMYK are faults. EXIF
// orientation is ignored. Throws Error(read), Error(not_found), Error(settings), Error(no_space)
// naming the file.
Image read_rgb(const std::string& path);
Image read_gray(const std::string& path);

// The same for a file that is in memory already; `name` is what errors call it.
Image decode_rgb(const std::vector<std::uint8_t>& file, const std::string& name);
Image decode_gray(const std::vector<std::uint8_t>& file, const std::string& name);

// A JPEG file in memory; `quality` from 0 to 100. Throws Error(failed).
std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality);

// PNG or JPEG by the name's ending. Atomic. Throws Error(write).
void write_image(const std::string& path, const Image& image);

}  // namespace unetseg::trainer
