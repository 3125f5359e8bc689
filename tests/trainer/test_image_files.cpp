// SPDX-License-Identifier: MIT
// Picture files: exact pixels from whole ones, a named fault from every damaged or foreign one
// (T5).
#include <cstdio>

#include <jpeglib.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <opencv2/imgcodecs.hpp>

#include "model/error.h"
#include "trainer/data/image_files.h"

#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/pictures_on_disk.h"

using namespace unetseg;
using namespace unetseg::trainer;

namespace {

// Both readers must refuse, with this fault and the file's name in the sentence.
void assert_refused(const std::string& path, Fault fault, const char* reason) {
  for (const auto read : {read_rgb, read_gray}) {
    try {
      read(path);
      ck_abort_msg("%s was read", path.c_str());
    } catch (const Error& error) {
      ck_assert_msg(error.fault() == fault, "fault %d: %s", static_cast<int>(error.fault()),
                    error.what());
      ck_assert_msg(any_line_with({error.what()}, {path, reason}), "%s", error.what());
    }
  }
}

// Where a JPEG's frame header has precision, height (2 bytes), width (2), number of components.
std::size_t frame_header(const Bytes& jpeg) {
  for (std::size_t at = 2; at + 4 < jpeg.size();) {
    if (jpeg[at + 1] >= 0xc0 && jpeg[at + 1] <= 0xc2) return at + 4;
    at += 2 + (jpeg[at + 2] << 8 | jpeg[at + 3]);
  }
  ck_abort_msg("no frame header");
  return 0;
}

Bytes jpeg_of(const TemporaryFolder& folder, int width, int height) {
  const std::string path = folder.path() + "/whole.jpg";
  write_picture(path, disc_picture(width, height));
  return read_bytes(path);
}

void write_cmyk_jpeg(const std::string& path) {
  jpeg_compress_struct codec = {};
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  ck_assert_ptr_nonnull(file);
  jpeg_stdio_dest(&codec, file);
  codec.image_width = codec.image_height = 16;
  codec.input_components = 4;
  codec.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&codec);
  jpeg_start_compress(&codec, TRUE);
  Bytes row(64, 100);
  JSAMPROW rows[1] = {row.data()};
  while (codec.next_scanline < codec.image_height) jpeg_write_scanlines(&codec, rows, 1);
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  std::fclose(file);
}

}  // namespace

START_TEST(test_png_comes_back_exactly_in_colour_and_grey) {
  const TemporaryFolder folder;
  const std::string colour = folder.path() + "/colour.png", grey = folder.path() + "/grey.png";
  const Image picture = disc_picture(33, 17), mask = disc_mask(19, 31, 3, 250);
  write_image(colour, picture);
  write_image(grey, mask);
  const Image read = read_rgb(colour);
  ck_assert_int_eq(read.width, 33);
  ck_assert_int_eq(read.height, 17);
  ck_assert(read.pixels == picture.pixels);
  ck_assert(read_gray(grey).pixels == mask.pixels);
  const Image replicated = read_rgb(grey);
  for (std::size_t i = 0; i < replicated.pixels.size(); ++i)
    ck_assert_uint_eq(replicated.pixels[i], mask.pixels[i / 3]);
}
END_TEST

START_TEST(test_jpeg_comes_back_within_its_quantisation) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a.jpg";
  Image flat{24, 40, 3, {}};
  for (int i = 0; i < flat.width * flat.height; ++i)
    for (const int value : {200, 120, 40}) flat.pixels.push_back(static_cast<std::uint8_t>(value));
  write_image(path, flat);
  const Image read = read_rgb(path);
  ck_assert_int_eq(read.width, 24);
  ck_assert_int_eq(read.height, 40);
  for (std::size_t i = 0; i < read.pixels.size(); ++i)
    ck_assert_int_le(std::abs(read.pixels[i] - flat.pixels[i]), 4);
  const Image grey = read_gray(path);
  for (const std::uint8_t value : grey.pixels)
    ck_assert_int_le(std::abs(value - 135), 4);  // BT.601
}
END_TEST

START_TEST(test_bmp_comes_back_exactly) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a.bmp";
  const Image picture = disc_picture(21, 10);
  write_image(path, picture);
  ck_assert(read_rgb(path).pixels == picture.pixels);
}
END_TEST

// As PH2 has its masks: one bit a pixel, rows from the bottom, each of a multiple of four bytes.
START_TEST(test_bmp_of_one_bit_is_black_and_white) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/mask.bmp";
  Bytes bmp(62 + 2 * 4, 0);
  bmp[0] = 'B';
  bmp[1] = 'M';
  bmp[2] = static_cast<std::uint8_t>(bmp.size());
  bmp[10] = 62;                                   // where the pixels are
  bmp[14] = 40;                                   // bytes of the header
  bmp[18] = 10;                                   // width
  bmp[22] = 2;                                    // height
  bmp[26] = bmp[28] = 1;                          // planes, bits
  for (const int i : {58, 59, 60}) bmp[i] = 255;  // the second colour is white
  bmp[62] = 0x80;                                 // lower row: its first pixel
  bmp[66] = 0x01;                                 // upper row: its eighth
  bmp[67] = 0x40;                                 // and its tenth
  write_bytes(path, bmp);
  const Image mask = read_gray(path);
  ck_assert_int_eq(mask.width, 10);
  ck_assert_int_eq(mask.height, 2);
  for (int i = 0; i < 20; ++i)
    ck_assert_int_eq(mask.pixels[i], i == 7 || i == 9 || i == 10 ? 255 : 0);
  bmp.pop_back();
  write_bytes(path, bmp);
  assert_refused(path, Fault::read, "truncated");
}
END_TEST

START_TEST(test_t5_truncated_picture_is_refused_at_any_length) {
  const TemporaryFolder folder;
  for (const char* ending : {".jpg", ".png", ".bmp"}) {
    const std::string path = folder.path() + "/cut" + ending;
    write_image(path, disc_picture(64, 48));
    const Bytes whole = read_bytes(path);
    for (const std::size_t left : {std::size_t{10}, whole.size() / 3, whole.size() * 9 / 10,
                                   whole.size() - 2, whole.size() - 1}) {
      write_bytes(path, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(left)));
      assert_refused(path, Fault::read, "");
    }
  }
}
END_TEST

START_TEST(test_t5_jpeg_that_lost_data_but_kept_its_end_is_refused) {
  const TemporaryFolder folder;
  Bytes jpeg = jpeg_of(folder, 64, 48);
  const auto middle = jpeg.begin() + static_cast<std::ptrdiff_t>(jpeg.size() * 2 / 3);
  jpeg.erase(middle, jpeg.end() - 2);
  const std::string path = folder.path() + "/gap.jpg";
  write_bytes(path, jpeg);
  assert_refused(path, Fault::read, "damaged");
}
END_TEST

START_TEST(test_t5_png_with_a_flipped_bit_is_refused) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/flipped.png";
  write_image(path, disc_picture(64, 48));
  Bytes png = read_bytes(path);
  png[png.size() / 2] ^= 0x10;
  write_bytes(path, png);
  assert_refused(path, Fault::read, "damaged");
}
END_TEST

START_TEST(test_t5_zero_bytes_and_foreign_files_are_refused) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a.jpg";
  write_bytes(path, {});
  assert_refused(path, Fault::read, "zero bytes");
  write_bytes(path, {'<', 'h', 't', 'm', 'l', '>', ' ', '4', '0', '4'});
  assert_refused(path, Fault::read, "no JPEG, PNG or BMP");
}
END_TEST

START_TEST(test_t5_sixteen_bits_are_refused) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/deep.png";
  ck_assert(cv::imwrite(path, cv::Mat(8, 8, CV_16UC1, cv::Scalar(40000))));
  assert_refused(path, Fault::settings, "16 bits");
}
END_TEST

START_TEST(test_t5_twelve_bit_jpeg_is_refused) {
  const TemporaryFolder folder;
  Bytes jpeg = jpeg_of(folder, 16, 16);
  jpeg[frame_header(jpeg)] = 12;
  const std::string path = folder.path() + "/deep.jpg";
  write_bytes(path, jpeg);
  assert_refused(path, Fault::settings, "precision");
}
END_TEST

START_TEST(test_t5_cmyk_is_refused) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/print.jpg";
  write_cmyk_jpeg(path);
  assert_refused(path, Fault::settings, "CMYK");
}
END_TEST

START_TEST(test_t5_bomb_is_refused_by_its_header) {
  const TemporaryFolder folder;
  const std::string png_path = folder.path() + "/bomb.png", jpeg_path = folder.path() + "/bomb.jpg",
                    bmp_path = folder.path() + "/bomb.bmp";
  write_image(png_path, disc_picture(16, 16));
  write_image(bmp_path, disc_picture(16, 16));
  Bytes png = read_bytes(png_path), bmp = read_bytes(bmp_path), jpeg = jpeg_of(folder, 16, 16);
  png[17] = png[21] = 0x01;  // 65536 more each way
  bmp[20] = bmp[24] = 0x01;
  const std::size_t header = frame_header(jpeg);
  jpeg[header + 1] = jpeg[header + 3] = 0xea;  // 60000 and some
  write_bytes(png_path, png);
  write_bytes(bmp_path, bmp);
  write_bytes(jpeg_path, jpeg);
  for (const std::string& path : {png_path, bmp_path, jpeg_path})
    assert_refused(path, Fault::settings, "64 megapixels");
}
END_TEST

START_TEST(test_t5_what_is_no_regular_file_is_refused_without_waiting) {
  const TemporaryFolder folder;
  const std::string pipe = folder.path() + "/pipe.jpg";
  ck_assert_int_eq(mkfifo(pipe.c_str(), 0600), 0);
  assert_refused(pipe, Fault::open_read, "no regular file");
  assert_refused(folder.path(), Fault::open_read, "no regular file");
  assert_refused(folder.path() + "/nowhere.jpg", Fault::not_found, "no such file");
}
END_TEST

START_TEST(test_bytes_behind_a_jpegs_end_are_no_fault) {
  const TemporaryFolder folder;  // cameras append previews there
  Bytes jpeg = jpeg_of(folder, 32, 32);
  jpeg.insert(jpeg.end(), 500, 0);
  const std::string path = folder.path() + "/trailer.jpg";
  write_bytes(path, jpeg);
  ck_assert(read_rgb(path).pixels == read_rgb(folder.path() + "/whole.jpg").pixels);
}
END_TEST

START_TEST(test_exif_orientation_is_ignored) {
  const TemporaryFolder folder;
  Bytes jpeg = jpeg_of(folder, 40, 20);
  const Bytes turned = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0,    0,    'M', 'M',
                        0,    42,   0, 0,  0,   8,   0,   1,   0x01, 0x12, 0,   3,
                        0,    0,    0, 1,  0,   6,   0,   0,   0,    0,    0,   0};
  jpeg.insert(jpeg.begin() + 2, turned.begin(), turned.end());
  const std::string path = folder.path() + "/turned.jpg";
  write_bytes(path, jpeg);
  ck_assert_int_eq(cv::imread(path).cols, 20);  // the tag is one that readers obey
  const Image image = read_rgb(path);
  ck_assert_int_eq(image.width, 40);
  ck_assert_int_eq(image.height, 20);
}
END_TEST

START_TEST(test_failed_write_names_the_file_and_leaves_no_trace) {
  const TemporaryFolder folder;
  for (const std::string& path : {folder.path() + "/nowhere/a.png", folder.path() + "/a.unknown",
                                  folder.path() + "/noending"}) {
    try {
      write_image(path, disc_mask(8, 8));
      ck_abort_msg("%s was written", path.c_str());
    } catch (const Error& error) {
      ck_assert_int_eq(static_cast<int>(error.fault()), static_cast<int>(Fault::write));
      ck_assert(any_line_with({error.what()}, {path}));
    }
  }
  ck_assert(std::filesystem::is_empty(folder.path()));
}
END_TEST

int main() {
  Suite* suite = suite_create("image files");
  TCase* whole = tcase_create("whole");
  tcase_add_test(whole, test_png_comes_back_exactly_in_colour_and_grey);
  tcase_add_test(whole, test_jpeg_comes_back_within_its_quantisation);
  tcase_add_test(whole, test_bmp_comes_back_exactly);
  tcase_add_test(whole, test_bmp_of_one_bit_is_black_and_white);
  tcase_add_test(whole, test_bytes_behind_a_jpegs_end_are_no_fault);
  tcase_add_test(whole, test_exif_orientation_is_ignored);
  suite_add_tcase(suite, whole);
  TCase* faults = tcase_create("faults");
  tcase_add_test(faults, test_t5_truncated_picture_is_refused_at_any_length);
  tcase_add_test(faults, test_t5_jpeg_that_lost_data_but_kept_its_end_is_refused);
  tcase_add_test(faults, test_t5_png_with_a_flipped_bit_is_refused);
  tcase_add_test(faults, test_t5_zero_bytes_and_foreign_files_are_refused);
  tcase_add_test(faults, test_t5_sixteen_bits_are_refused);
  tcase_add_test(faults, test_t5_twelve_bit_jpeg_is_refused);
  tcase_add_test(faults, test_t5_cmyk_is_refused);
  tcase_add_test(faults, test_t5_bomb_is_refused_by_its_header);
  tcase_add_test(faults, test_t5_what_is_no_regular_file_is_refused_without_waiting);
  tcase_add_test(faults, test_failed_write_names_the_file_and_leaves_no_trace);
  suite_add_tcase(suite, faults);
  return run_suite(suite);
}
