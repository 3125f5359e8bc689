// SPDX-License-Identifier: MIT
#include "trainer/data/image_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glib.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "model/error.h"
#include "trainer/data/file_bytes.h"
#include "trainer/data/image_format.h"
#include "trainer/data/jpeg_file.h"

namespace unetseg::trainer {
namespace {

Image decode_with_opencv(const std::vector<std::uint8_t>& file, PictureSize size, int channels,
                         const std::string& name) {
  Image image{size.width, size.height, channels, {}};
  image.pixels.resize(static_cast<std::size_t>(size.width) * size.height * channels);
  cv::Mat pixels(size.height, size.width, channels == 3 ? CV_8UC3 : CV_8UC1, image.pixels.data());
  cv::Mat result;
  try {
    // Decodes into `pixels` as long as size and type are the expected ones.
    result = cv::imdecode(
        file,
        (channels == 3 ? cv::IMREAD_COLOR : cv::IMREAD_GRAYSCALE) | cv::IMREAD_IGNORE_ORIENTATION,
        &pixels);
  } catch (const cv::Exception& error) {
    throw Error(Fault::read, fmt::format("{}: is damaged", name), error.what());
  }
  if (result.empty() || pixels.data != image.pixels.data())
    throw Error(Fault::read, fmt::format("{}: is damaged", name));
  if (channels == 3) cv::cvtColor(pixels, pixels, cv::COLOR_BGR2RGB);
  return image;
}

// As OpenCV writes it: blue first.
cv::Mat to_write(const Image& image) {
  const cv::Mat pixels(image.height, image.width, image.channels == 3 ? CV_8UC3 : CV_8UC1,
                       const_cast<std::uint8_t*>(image.pixels.data()));
  cv::Mat swapped;
  if (image.channels == 3) cv::cvtColor(pixels, swapped, cv::COLOR_RGB2BGR);
  return image.channels == 3 ? swapped : pixels;
}

Image decode(const std::vector<std::uint8_t>& file, int channels, const std::string& name) try {
  switch (format_of(file, name)) {
    case ImageFormat::jpeg:
      return decode_jpeg(file, channels, name);
    case ImageFormat::png:
      return decode_with_opencv(file, check_png(file, name), channels, name);
    case ImageFormat::bmp:
      return decode_with_opencv(file, check_bmp(file, name), channels, name);
  }
  return {};
} catch (const std::bad_alloc&) {
  throw Error(Fault::no_space, fmt::format("{}: no memory to decode it", name));
}

}  // namespace

bool can_read_image_files() {
  return true;
}

Image read_rgb(const std::string& path) {
  return decode(read_file(path), 3, path);
}
Image read_gray(const std::string& path) {
  return decode(read_file(path), 1, path);
}
Image decode_rgb(const std::vector<std::uint8_t>& file, const std::string& name) {
  return decode(file, 3, name);
}
Image decode_gray(const std::vector<std::uint8_t>& file, const std::string& name) {
  return decode(file, 1, name);
}

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality) {
  std::vector<std::uint8_t> file;
  if (!cv::imencode(".jpg", to_write(image), file, {cv::IMWRITE_JPEG_QUALITY, quality}))
    throw Error(Fault::failed, "a picture cannot be compressed");
  return file;
}

void write_image(const std::string& path, const Image& image) {
  const std::size_t dot = path.rfind('.');
  std::vector<std::uint8_t> file;
  try {
    if (dot == std::string::npos || !cv::imencode(path.substr(dot), to_write(image), file))
      throw Error(Fault::write, fmt::format("{}: pictures are written as .png or .jpg", path));
  } catch (const cv::Exception& error) {
    throw Error(Fault::write, fmt::format("{}: cannot be encoded; use .png or .jpg", path),
                error.what());
  }
  GError* error = nullptr;
  if (!g_file_set_contents_full(path.c_str(), reinterpret_cast<const char*>(file.data()),
                                static_cast<gssize>(file.size()), G_FILE_SET_CONTENTS_CONSISTENT,
                                0666, &error)) {
    const std::string reason = error->message;
    g_error_free(error);
    throw Error(Fault::write, fmt::format("{}: cannot be written", path), reason);
  }
}

}  // namespace unetseg::trainer
