// SPDX-License-Identifier: MIT
#include "trainer/data/jpeg_file.h"

#include <csetjmp>
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>
#include <jerror.h>

#include <fmt/format.h>

#include <algorithm>

#include "model/error.h"
#include "trainer/data/image_format.h"

namespace unetseg::trainer {
namespace {

// libjpeg leaves by longjmp, so what runs under setjmp holds no C++ object: everything is in here,
// and the destructor belongs to the caller's frame.
class Decoder {
 public:
  explicit Decoder(const std::string& name) : name_(name) {
    codec_.err = jpeg_std_error(&faults_.base);
    faults_.base.error_exit = leave;
    faults_.base.emit_message = judge;
  }
  ~Decoder() { jpeg_destroy_decompress(&codec_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  void read_header(const std::vector<std::uint8_t>& file, int channels) {
    if (setjmp(faults_.escape) != 0) fail();
    jpeg_create_decompress(&codec_);
    jpeg_mem_src(&codec_, file.data(), static_cast<unsigned long>(file.size()));
    jpeg_read_header(&codec_, TRUE);
    // Transforms that libjpeg does not have end in its own "unsupported colour conversion".
    codec_.out_color_space = channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  }

  // `rows`: image_height pointers.
  void read_rows(std::uint8_t** rows) {
    if (setjmp(faults_.escape) != 0) fail();
    jpeg_start_decompress(&codec_);
    while (codec_.output_scanline < codec_.output_height)
      jpeg_read_scanlines(&codec_, rows + codec_.output_scanline,
                          codec_.output_height - codec_.output_scanline);
    jpeg_finish_decompress(&codec_);  // reads on to the end marker
  }

  const jpeg_decompress_struct& header() const { return codec_; }

 private:
  struct Faults {
    jpeg_error_mgr base;  // first: libjpeg knows only its address
    std::jmp_buf escape;
    char message[JMSG_LENGTH_MAX];
  };

  static void leave(j_common_ptr codec) {
    auto* faults = reinterpret_cast<Faults*>(codec->err);
    codec->err->format_message(codec, faults->message);
    std::longjmp(faults->escape, 1);
  }
  static void judge(j_common_ptr codec, int level) {
    if (level < 0) leave(codec);  // a warning; the others are traces
  }

  [[noreturn]] void fail() const {
    const int code = faults_.base.msg_code;
    const bool foreign = code == JERR_BAD_PRECISION || code == JERR_CONVERSION_NOTIMPL ||
                         code == JERR_SOF_UNSUPPORTED || code == JERR_IMAGE_TOO_BIG;
    if (code == JERR_OUT_OF_MEMORY)
      throw Error(Fault::no_space, fmt::format("{}: no memory to decode it", name_));
    throw Error(foreign ? Fault::settings : Fault::read,
                fmt::format("{}: {} JPEG: {}", name_, foreign ? "unsupported" : "damaged",
                            faults_.message));
  }

  const std::string& name_;
  jpeg_decompress_struct codec_ = {};
  Faults faults_ = {};
};

}  // namespace

Image decode_jpeg(const std::vector<std::uint8_t>& file, int channels, const std::string& name) {
  Decoder decoder(name);
  decoder.read_header(file, channels);
  const jpeg_decompress_struct& header = decoder.header();
  if (header.jpeg_color_space == JCS_CMYK || header.jpeg_color_space == JCS_YCCK)
    throw Error(Fault::settings, fmt::format("{}: is a CMYK picture; save it as RGB", name));
  check_size(header.image_width, header.image_height, name);

  Image image{
      static_cast<int>(header.image_width), static_cast<int>(header.image_height), channels, {}};
  const std::size_t stride = static_cast<std::size_t>(image.width) * channels;
  image.pixels.resize(stride * image.height);
  std::vector<std::uint8_t*> rows(image.height);
  for (int y = 0; y < image.height; ++y) rows[y] = image.pixels.data() + stride * y;
  decoder.read_rows(rows.data());
  return image;
}

}  // namespace unetseg::trainer
