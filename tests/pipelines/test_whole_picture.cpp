// SPDX-License-Identifier: MIT
// JPEG and BMP files, byte by byte: which of them are all there.
#include "pipelines/whole_picture.h"

#include "tests/check.h"

namespace {

using Bytes = std::vector<std::uint8_t>;

const Bytes kStart = {0xff, 0xd8}, kEnd = {0xff, 0xd9};
// Segments, whose lengths count themselves: one with a thumbnail's markers inside, the header of a
// frame, and that of a scan. Then a scan's data: an escaped ff, and a marker that divides it.
const Bytes kThumbnail = {0xff, 0xe1, 0, 8, 0xff, 0xd8, 0xff, 0xda, 0xff, 0xd9};
const Bytes kFrame = {0xff, 0xc2, 0, 4, 8, 1};
const Bytes kScan = {0xff, 0xda, 0, 3, 1};
const Bytes kData = {0x12, 0xff, 0x00, 0xd9, 0xff, 0xd3, 0x34};

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// Progressive: two scans.
const Bytes kPicture = joined({kStart, kThumbnail, kFrame, kScan, kData, kScan, kData, kEnd});

// 5 x 3 pixels of 24 bits: rows of 15 bytes and one that fills. `height` below 0: from the top.
Bytes bmp(std::int8_t height) {
  Bytes file(54 + 3 * 16, 0);
  file[0] = 'B';
  file[1] = 'M';
  file[10] = 54;  // where the pixels are
  file[14] = 40;  // bytes of the header
  file[18] = 5;
  file[22] = static_cast<std::uint8_t>(height);
  for (const int i : {23, 24, 25}) file[i] = height < 0 ? 255 : 0;
  file[28] = 24;
  return file;
}

void assert_whole_at(const Bytes& file, std::size_t size) {
  for (std::size_t n = 2; n <= file.size(); ++n)
    ck_assert_msg(is_whole(Bytes(file.begin(), file.begin() + static_cast<long>(n))) == (n >= size),
                  "%zu bytes of %zu", n, size);
}

}  // namespace

START_TEST(test_a_picture_is_whole_from_its_end_marker_on) {
  assert_whole_at(kPicture, kPicture.size());
}
END_TEST

START_TEST(test_what_follows_the_end_is_no_matter) {
  ck_assert(is_whole(joined({kPicture, {1, 2, 3}})));
  ck_assert(is_whole(joined({kPicture, kStart, kFrame})));  // a phone's second picture, cut
}
END_TEST

START_TEST(test_markers_may_have_bytes_before_them) {
  const Bytes fill = {0xff, 0xff, 0xff};
  ck_assert(is_whole(joined({kStart, fill, kFrame, fill, kScan, kData, fill, kEnd})));
  ck_assert(is_whole(joined({kStart, kFrame, {0, 0}, kScan, kData, kEnd})));
}
END_TEST

START_TEST(test_a_picture_without_a_scan_is_not_whole) {
  ck_assert(!is_whole(joined({kStart, kThumbnail, kFrame, kEnd})));
  ck_assert(!is_whole(joined({kStart, kThumbnail, kFrame, {0xff, 0xe2, 0xff, 0xff}, kPicture})));
}
END_TEST

START_TEST(test_lengths_that_are_too_short_are_walked_over) {
  ck_assert(is_whole(joined({kStart, {0xff, 0xe2, 0, 0}, kScan, kData, kEnd})));
  ck_assert(!is_whole(joined({kStart, {0xff, 0xe2, 0, 0}, kScan, kData})));
}
END_TEST

START_TEST(test_a_bmp_is_whole_with_its_last_row) {
  for (const std::int8_t height : {3, -3}) assert_whole_at(bmp(height), 54 + 3 * 16);
  Bytes compressed = bmp(3);
  compressed[30] = 1;
  compressed[34] = 7;  // bytes of all rows
  assert_whole_at(compressed, 54 + 7);
}
END_TEST

// More rows than a file can have, and pixels that begin behind its end.
START_TEST(test_sizes_that_cannot_be_are_not_whole) {
  Bytes large = bmp(3), behind = bmp(3);
  for (const int i : {18, 19, 20, 21, 22, 23, 24, 28, 29}) large[i] = 255;
  large[25] = 127;
  ck_assert(!is_whole(large));
  behind[10] = 255;
  ck_assert(!is_whole(behind));
}
END_TEST

START_TEST(test_other_files_are_left_to_their_decoders) {
  ck_assert(is_whole(Bytes{}));
  ck_assert(is_whole(Bytes{0xff}));
  ck_assert(is_whole(Bytes{0x89, 'P', 'N', 'G'}));
  Bytes os2 = bmp(127);
  os2[14] = 12;
  ck_assert(is_whole(os2));
}
END_TEST

int main() {
  Suite* suite = suite_create("whole picture");
  TCase* tests = tcase_create("whole picture");
  tcase_add_test(tests, test_a_picture_is_whole_from_its_end_marker_on);
  tcase_add_test(tests, test_what_follows_the_end_is_no_matter);
  tcase_add_test(tests, test_markers_may_have_bytes_before_them);
  tcase_add_test(tests, test_a_picture_without_a_scan_is_not_whole);
  tcase_add_test(tests, test_lengths_that_are_too_short_are_walked_over);
  tcase_add_test(tests, test_a_bmp_is_whole_with_its_last_row);
  tcase_add_test(tests, test_sizes_that_cannot_be_are_not_whole);
  tcase_add_test(tests, test_other_files_are_left_to_their_decoders);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
