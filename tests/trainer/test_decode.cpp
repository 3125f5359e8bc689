// SPDX-License-Identifier: MIT
// From pairs of files to a set: threads that fail, files that vanish, and what is told of a split.
#include <atomic>
#include <chrono>
#include <functional>
#include <new>
#include <stdexcept>
#include <thread>

#include "model/error.h"
#include "trainer/data/check_dataset.h"
#include "trainer/data/decode_files.h"
#include "trainer/data/fit.h"
#include "trainer/data/parallel.h"

#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/pictures_on_disk.h"

using namespace unetseg;
using namespace unetseg::trainer;

namespace {

constexpr std::size_t kItems = 100000;  // a millisecond each: what does not end takes half a minute

// The work of four threads, of which one throws `exception` at item 37.
template <typename Exception>
int items_done_before(const Exception& exception) {
  std::atomic<int> done{0};
  const auto make_work = [&]() -> ItemWork {
    return [&](std::size_t i) {
      if (i == 37) throw exception;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ++done;
    };
  };
  try {
    for_each_item(kItems, 4, make_work);
  } catch (const Exception&) {
    return done;
  }
  ck_abort_msg("nothing was thrown");
}

}  // namespace

START_TEST(test_t13_exception_of_a_thread_reaches_the_caller_and_ends_the_others) {
  const int most = static_cast<int>(kItems) / 2;
  ck_assert_int_lt(items_done_before(std::runtime_error("37")), most);
  ck_assert_int_lt(items_done_before(std::bad_alloc()), most);
  ck_assert_int_lt(items_done_before(37), most);
}
END_TEST

START_TEST(test_t13_exception_while_a_thread_starts_or_progress_is_shown_ends_all) {
  const auto slow = []() -> ItemWork {
    return [](std::size_t) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
  };
  const auto broken = []() -> ItemWork { throw std::runtime_error("no decoder"); };
  const auto refuse = [](std::size_t, std::size_t) { throw std::runtime_error("no terminal"); };
  const auto reason = [](const std::function<void()>& work) -> std::string {
    try {
      work();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  };
  ck_assert(reason([&] { for_each_item(kItems, 4, broken); }) == "no decoder");
  ck_assert(reason([&] { for_each_item(kItems, 4, slow, refuse); }) == "no terminal");
}
END_TEST

START_TEST(test_t13_every_vanished_file_is_named) {
  const TemporaryFolder folder;
  std::vector<Pair> pairs;
  for (int i = 0; i < 6; ++i)
    pairs.push_back(
        write_pair(folder.path(), std::to_string(i), disc_picture(32, 32, i), disc_mask(32, 32)));
  std::filesystem::remove(pairs[2].image);
  std::filesystem::remove(pairs[4].mask);
  DecodeOptions options;
  options.workers = 3;
  const auto faults = faults_of([&] { decode(pairs, options, nullptr); });
  ck_assert_uint_eq(faults.size(), 2);
  ck_assert(any_line_with(faults, {pairs[2].image, "no such file"}));
  ck_assert(any_line_with(faults, {pairs[4].mask, "no such file"}));
}
END_TEST

START_TEST(test_summary_tells_sizes_and_shares) {
  std::vector<PairFacts> pairs;
  for (int i = 0; i < 8; ++i) pairs.push_back({{100, 50, 200, 100}, 0.05});
  for (int i = 0; i < 2; ++i) pairs.push_back({{100 + i, 50, 300, 100}, i == 0 ? 0.5 : 1.0});
  for (int i = 3; i < 6; ++i) pairs.push_back({{100 * i, 50, 300, 100}, 0.99});
  const std::vector<std::string> lines = summary_of(pairs);
  ck_assert_uint_eq(lines.size(), 6);
  const std::vector<std::string> expected = {
      "images: 100x50 (9), 101x50 (1), 300x50 (1) and 2 more sizes from 100x50 to 500x50",
      "masks: 200x100 (8), 300x100 (5)",
      "lesion: 37.5 % of a picture on average, from 5.0 % to 100.0 %",
      "   0- 10 %     8 " + std::string(40, '#'),
      "  50- 60 %     1 " + std::string(5, '#'),
      "  90-100 %     4 " + std::string(20, '#')};
  for (std::size_t i = 0; i < lines.size(); ++i)
    ck_assert_msg(lines[i] == expected[i], "'%s' instead of '%s'", lines[i].c_str(),
                  expected[i].c_str());
  ck_assert(summary_of({}).empty());
}
END_TEST

START_TEST(test_t6_a_squashed_set_is_known_by_its_masks_proportions) {
  const SetFit squashed({{64, 64, 300, 200}, {64, 64, 200, 300}, {64, 64, 100, 100}});
  ck_assert(squashed.squashed());
  ck_assert_uint_eq(squashed.n_misfits(), 0);
  ck_assert_double_eq(squashed.aspect({64, 64, 300, 200}), 1.5);
  // Pictures of several sizes were not; nor was a set in which few masks differ, or all alike.
  for (const std::vector<PairSize>& sizes :
       {std::vector<PairSize>{{64, 64, 300, 200}, {80, 64, 200, 300}, {64, 64, 150, 100}},
        {{64, 64, 300, 200}, {64, 64, 64, 64}, {64, 64, 128, 128}},
        {{64, 64, 300, 200}, {64, 64, 150, 100}, {64, 64, 600, 400}}})
    ck_assert(!SetFit(sizes).squashed());
  ck_assert(same_aspect({1000, 1000, 1019, 1000}));
  ck_assert(!same_aspect({1000, 1000, 1021, 1000}));
  ck_assert(!same_aspect({1000, 1000, 1000, 1021}));
}
END_TEST

START_TEST(test_t6_squashed_pictures_are_told_once_and_keep_the_scenes_proportions) {
  const TemporaryFolder folder;
  const int sizes[][2] = {{90, 60}, {60, 90}, {60, 60}, {120, 60}};
  std::vector<Pair> pairs;
  for (int i = 0; i < 4; ++i)
    pairs.push_back(write_pair(folder.path(), std::to_string(i), disc_picture(64, 64, i),
                               disc_mask(sizes[i][0], sizes[i][1])));
  DecodeReport report;
  const DecodedSet set = decode(pairs, {}, &report);
  ck_assert_uint_eq(set.size(), 4);
  ck_assert(any_line_with(report.lines, {"all images were squashed to 64x64"}));
  for (std::size_t i = 0; i < 4; ++i)
    ck_assert_float_eq_tol(set.aspect[i], static_cast<float>(sizes[i][0]) / sizes[i][1], 1e-6);
}
END_TEST

START_TEST(test_cache_serves_what_was_decoded_and_nothing_else) {
  const TemporaryFolder folder;
  std::vector<Pair> pairs;
  for (int i = 0; i < 3; ++i)
    pairs.push_back(
        write_pair(folder.path(), std::to_string(i), disc_picture(64, 48, i), disc_mask(64, 48)));
  DecodeOptions options;
  options.width = options.height = 32;
  options.cache_folder = folder.path() + "/cache";
  const auto decoded = [&](bool from_cache) {
    DecodeReport report;
    const DecodedSet set = decode(pairs, options, &report);
    ck_assert_int_eq(report.from_cache, from_cache);
    return set;
  };
  const DecodedSet first = decoded(false), again = decoded(true);
  ck_assert(again.images == first.images && again.masks == first.masks);
  ck_assert(again.ids == first.ids && again.sha256 == first.sha256);
  // Another size, another file.
  options.width = 48;
  decoded(false);
  options.width = 32;
  write_picture(pairs[1].image, disc_picture(64, 48, 9));
  ck_assert(decoded(false).images != first.images);
  // A damaged file of the cache is decoded again, and mended by that.
  for (const auto& entry : std::filesystem::directory_iterator(options.cache_folder))
    std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) / 2);
  const DecodedSet mended = decoded(false);
  ck_assert(decoded(true).images == mended.images);
}
END_TEST

START_TEST(test_share_of_lesion_is_that_of_the_mask_at_its_own_size) {
  const TemporaryFolder folder;
  Image mask{50, 20, 1, std::vector<std::uint8_t>(1000, 0)};
  for (int i = 0; i < 123; ++i) mask.pixels[i] = 255;
  const Pair pair = write_pair(folder.path(), "a", disc_picture(100, 40), mask);
  const DecodedFiles decoded = decode_files({pair}, {}, {}, nullptr);
  ck_assert_uint_eq(decoded.facts.size(), 1);
  ck_assert_double_eq_tol(decoded.facts[0].lesion, 0.123, 1e-12);
  ck_assert_int_eq(decoded.facts[0].size.image_width, 100);
  ck_assert_int_eq(decoded.facts[0].size.mask_height, 20);
}
END_TEST

START_TEST(test_t8_check_notes_images_that_are_there_twice) {
  const TemporaryFolder folder;
  const std::string train = folder.path() + "/train", validation = folder.path() + "/val";
  const Pair a = write_pair(train, "a", disc_picture(64, 64), disc_mask(64, 64));
  const Pair b = write_pair(train, "b", disc_picture(64, 64), disc_mask(64, 64));
  write_pair(validation, "c", disc_picture(64, 64, 5), disc_mask(64, 64));
  const DatasetCheck check = check_dataset(folder.path());
  ck_assert(check.faults.empty());
  ck_assert(any_line_with(check.notes, {"train: ", a.image, b.image, "are the same image"}));
  ck_assert(any_line_with(check.summary, {"train: 2 images with masks"}));
  ck_assert_uint_eq(check.manifest.size(), 3);
}
END_TEST

int main() {
  Suite* suite = suite_create("decode");
  TCase* tests = tcase_create("decode");
  tcase_add_test(tests, test_t13_exception_of_a_thread_reaches_the_caller_and_ends_the_others);
  tcase_add_test(tests, test_t13_exception_while_a_thread_starts_or_progress_is_shown_ends_all);
  tcase_add_test(tests, test_t13_every_vanished_file_is_named);
  tcase_add_test(tests, test_summary_tells_sizes_and_shares);
  tcase_add_test(tests, test_t6_a_squashed_set_is_known_by_its_masks_proportions);
  tcase_add_test(tests, test_t6_squashed_pictures_are_told_once_and_keep_the_scenes_proportions);
  tcase_add_test(tests, test_cache_serves_what_was_decoded_and_nothing_else);
  tcase_add_test(tests, test_share_of_lesion_is_that_of_the_mask_at_its_own_size);
  tcase_add_test(tests, test_t8_check_notes_images_that_are_there_twice);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
