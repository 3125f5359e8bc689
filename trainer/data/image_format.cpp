// SPDX-License-Identifier: MIT
#include "trainer/data/image_format.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "model/error.h"

namespace unetseg::trainer {
namespace {

using Bytes = std::vector<std::uint8_t>;

bool starts_with(const Bytes& file, const char* magic, std::size_t length) {
  return file.size() >= length && std::memcmp(file.data(), magic, length) == 0;
}

std::uint32_t big_endian(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

std::uint32_t little_endian(const std::uint8_t* p, int bytes) {
  std::uint32_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | p[i];
  return value;
}

[[noreturn]] void truncated(const std::string& name) {
  throw Error(Fault::read, fmt::format("{}: is truncated", name));
}

}  // namespace

ImageFormat format_of(const Bytes& file, const std::string& name) {
  if (starts_with(file, "\xff\xd8\xff", 3)) return ImageFormat::jpeg;
  if (starts_with(file, "\x89PNG\r\n\x1a\n", 8)) return ImageFormat::png;
  if (starts_with(file, "BM", 2)) return ImageFormat::bmp;
  throw Error(Fault::read, fmt::format("{}: is no JPEG, PNG or BMP picture", name));
}

void check_size(std::int64_t width, std::int64_t height, const std::string& name) {
  if (width <= 0 || height <= 0)
    throw Error(Fault::read, fmt::format("{}: has no pixels ({}x{})", name, width, height));
  if (width > kMostPixels / height)
    throw Error(Fault::settings, fmt::format("{}: is {}x{} pixels, more than {} megapixels", name,
                                             width, height, kMostPixels / 1'000'000));
}

PictureSize check_png(const Bytes& file, const std::string& name) {
  constexpr std::size_t kSignature = 8, kHeader = 13,
                        kFrame = 12;  // length, type and CRC of a chunk
  if (file.size() < kSignature + kHeader + kFrame) truncated(name);
  const std::uint8_t* header = file.data() + kSignature + 8;
  if (std::memcmp(header - 4, "IHDR", 4) != 0 || big_endian(header - 8) != kHeader)
    throw Error(Fault::read, fmt::format("{}: is damaged: no PNG header", name));
  const std::int64_t width = big_endian(header), height = big_endian(header + 4);
  check_size(width, height, name);
  if (header[8] == 16)
    throw Error(Fault::settings, fmt::format("{}: has 16 bits per sample; save it with 8", name));

  // Chunk by chunk to IEND: decoders are content when the last row has arrived.
  std::size_t at = kSignature;
  while (file.size() - at >= kFrame) {
    const std::uint32_t length = big_endian(file.data() + at);
    if (length > file.size() - at - kFrame) break;
    if (std::memcmp(file.data() + at + 4, "IEND", 4) == 0)
      return {static_cast<int>(width), static_cast<int>(height)};
    at += kFrame + length;
  }
  truncated(name);
}

PictureSize check_bmp(const Bytes& file, const std::string& name) {
  if (file.size() < 54) truncated(name);
  const std::uint8_t* p = file.data();
  const std::uint32_t pixels = little_endian(p + 10, 4);
  const auto width = static_cast<std::int32_t>(little_endian(p + 18, 4));
  const auto height = static_cast<std::int32_t>(little_endian(p + 22, 4));
  const std::uint32_t bits = little_endian(p + 28, 2), compression = little_endian(p + 30, 4);
  const std::int64_t rows = std::llabs(static_cast<long long>(height));  // negative: from the top
  check_size(width, rows, name);
  constexpr std::uint32_t kPlain = 0, kBitFields = 3;
  if (compression != kPlain && compression != kBitFields)
    throw Error(Fault::settings, fmt::format("{}: is a compressed BMP; save it as PNG", name));
  if (bits != 1 && bits != 4 && bits != 8 && bits != 24 && bits != 32)
    throw Error(Fault::settings,
                fmt::format("{}: is a BMP of {} bits per pixel; save it as PNG", name, bits));
  const std::int64_t row_bytes = (width * std::int64_t{bits} + 31) / 32 * 4;
  if (pixels + row_bytes * rows > static_cast<std::int64_t>(file.size())) truncated(name);
  return {width, static_cast<int>(rows)};
}

}  // namespace unetseg::trainer
