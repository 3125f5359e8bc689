// SPDX-License-Identifier: MIT
// Image files in a build without image libraries: each function says so.
#include <fmt/format.h>

#include "model/error.h"
#include "trainer/data/image_files.h"

namespace unetseg::trainer {
namespace {

[[noreturn]] void refuse(const std::string& name) {
  throw Error(Fault::settings,
              fmt::format("{}: this build cannot read or write image files; train from a decoded "
                          "cache, or build with OpenCV's imgcodecs and libjpeg",
                          name));
}

}  // namespace

bool can_read_image_files() {
  return false;
}
Image read_rgb(const std::string& path) {
  refuse(path);
}
Image read_gray(const std::string& path) {
  refuse(path);
}
Image decode_rgb(const std::vector<std::uint8_t>&, const std::string& name) {
  refuse(name);
}
Image decode_gray(const std::vector<std::uint8_t>&, const std::string& name) {
  refuse(name);
}
std::vector<std::uint8_t> encode_jpeg(const Image&, int) {
  refuse("JPEG");
}
void write_image(const std::string& path, const Image&) {
  refuse(path);
}

}  // namespace unetseg::trainer
