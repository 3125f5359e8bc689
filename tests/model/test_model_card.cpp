// SPDX-License-Identifier: MIT
// The metadata of a weights file: exact round trip, and a plain answer to each wrong entry.
#include <cmath>
#include <limits>

#include "model/storage/model_card.h"

#include "tests/check.h"
#include "tests/assertions.h"

using namespace unetseg;

namespace {

struct Row {
  const char *key, *value;  // a null value: the key is missing
  const char* mentions;
};

constexpr Row kBad[] = {
    {"format_version", nullptr, "lacks 'format_version'"},
    {"format_version", "2", "of version '2', and this program reads version 1"},
    {"format_version", "", "of version ''"},
    {"architecture", nullptr, "lacks 'architecture'"},
    {"architecture", "u-net", "'u-net' as 'architecture', which must be one of improved-unet"},
    {"base_width", nullptr, "lacks 'base_width'"},
    {"base_width", "0", "'base_width', which must be a whole number from 1 to 256"},
    {"base_width", "257", "from 1 to 256"},
    {"base_width", "-16", "from 1 to 256"},
    {"base_width", "16.0", "from 1 to 256"},
    {"base_width", " 16", "from 1 to 256"},
    {"base_width", "+16", "from 1 to 256"},
    {"base_width", "16 ", "from 1 to 256"},
    {"base_width", "0x10", "from 1 to 256"},
    {"base_width", "", "from 1 to 256"},
    {"base_width", "99999999999999999999", "from 1 to 256"},
    {"input_width", nullptr, "lacks 'input_width'"},
    {"input_width", "16", "from 32 to 4096"},
    {"input_width", "4112", "from 32 to 4096"},
    {"input_width", "100", "a multiple of 16"},
    {"input_height", nullptr, "lacks 'input_height'"},
    {"input_height", "0", "from 32 to 4096"},
    {"input_height", "136", "a multiple of 16"},
    {"fit", nullptr, "lacks 'fit'"},
    {"fit", "squash", "'squash' as 'fit', which must be one of stretch, letterbox, crop"},
    {"mean", nullptr, "lacks 'mean'"},
    {"mean", "0.5", "three finite numbers with commas"},
    {"mean", "0,0", "three finite numbers"},
    {"mean", "0,0,0,0", "three finite numbers"},
    {"mean", "0,0,", "three finite numbers"},
    {"mean", "0, 0, 0", "three finite numbers"},
    {"mean", "0,nan,0", "three finite numbers"},
    {"mean", "0,0,inf", "three finite numbers"},
    {"mean", "0,0,1e99", "three finite numbers"},
    {"stddev", nullptr, "lacks 'stddev'"},
    {"stddev", "1,0,1", "three finite numbers above 0"},
    {"stddev", "1,-1,1", "three finite numbers above 0"},
    {"stddev", "1,1,inf", "three finite numbers above 0"},
    {"threshold", nullptr, "lacks 'threshold'"},
    {"threshold", "0", "above 0 and below 1"},
    {"threshold", "1", "above 0 and below 1"},
    {"threshold", "-0.5", "above 0 and below 1"},
    {"threshold", "nan", "a finite number"},
    {"threshold", "0,5", "a finite number"},
    {"threshold", "half", "a finite number"},
    {"largest_only", nullptr, "lacks 'largest_only'"},
    {"largest_only", "1", "one of false, true"},
    {"fill_holes", nullptr, "lacks 'fill_holes'"},
    {"fill_holes", "True", "one of false, true"},
    {"min_area", nullptr, "lacks 'min_area'"},
    {"min_area", "-0.1", "from 0 to 1"},
    {"min_area", "1.5", "from 0 to 1"},
    {"min_area", "inf", "a finite number"},
    {"min_confidence", "-0.1", "from 0 to 1"},
    {"min_confidence", "1.5", "from 0 to 1"},
    {"min_confidence", "much", "a finite number"},
};
constexpr int kBadCount = sizeof kBad / sizeof kBad[0];

bool equal(const ModelCard& a, const ModelCard& b) {
  return to_metadata(a) == to_metadata(b) && a.notes == b.notes && a.threshold == b.threshold &&
         std::equal(a.normalisation.mean, a.normalisation.mean + 3, b.normalisation.mean) &&
         std::equal(a.normalisation.stddev, a.normalisation.stddev + 3, b.normalisation.stddev) &&
         a.clean_up == b.clean_up;
}

}  // namespace

START_TEST(test_the_metadata_is_as_documented) {
  ModelCard card;
  card.base_width = 24;
  card.input_width = 192;
  card.normalisation = {{0.5f, 0.1f, 0}, {0.25f, 1, 2}};
  card.threshold = 0.45;
  card.clean_up = {true, false, 0.001, 0.45};
  card.name = "unetseg-fast";
  card.notes["data"] = "ISIC 2017";
  const std::map<std::string, std::string> expected = {
      {"format_version", "1"},    {"architecture", "improved-unet"},
      {"base_width", "24"},       {"input_width", "192"},
      {"input_height", "128"},    {"fit", "stretch"},
      {"mean", "0.5,0.1,0"},      {"stddev", "0.25,1,2"},
      {"threshold", "0.45"},      {"largest_only", "true"},
      {"fill_holes", "false"},    {"min_area", "0.001"},
      {"min_confidence", "0.45"}, {"name", "unetseg-fast"},
      {"data", "ISIC 2017"}};
  ck_assert(to_metadata(card) == expected);
}
END_TEST

START_TEST(test_every_field_reads_back_exactly) {
  ModelCard card;
  card.architecture = "seed-unet";
  card.base_width = 256;
  card.input_width = 32;
  card.input_height = 4096;
  card.normalisation = {{-0.f, 1.f / 3, std::nextafter(0.1f, 1.f)},
                        {std::numeric_limits<float>::denorm_min(), 1e30f, 16777217.f}};
  card.threshold = 0.1 + 0.2;
  card.clean_up = {false, true, std::nextafter(1.0, 0.0), 0.1 + 0.2};
  card.name = "name, with \"marks\"";
  card.sha256 = std::string(64, 'a');
  card.notes = {{"validation", "Dice 0.85"}, {"", "empty key"}};
  const ModelCard back = from_metadata(to_metadata(card), "improved-unet");
  ck_assert(equal(back, card));
  assert_equal(back.architecture, "seed-unet");
  assert_equal(back.sha256, card.sha256);
  ck_assert(std::signbit(back.normalisation.mean[0]));
}
END_TEST

START_TEST(test_every_fit_has_a_name_that_reads_back) {
  const std::pair<UnetsegFit, const char*> fits[] = {{UNETSEG_FIT_STRETCH, "stretch"},
                                                     {UNETSEG_FIT_LETTERBOX, "letterbox"},
                                                     {UNETSEG_FIT_CROP, "crop"}};
  for (const auto& fit : fits) {
    ModelCard card;
    card.fit = fit.first;
    assert_equal(to_metadata(card).at("fit"), fit.second);
    ck_assert_int_eq(from_metadata(to_metadata(card), "").fit, fit.first);
  }
}
END_TEST

START_TEST(test_a_note_does_not_replace_a_field) {
  ModelCard card;
  card.notes["threshold"] = "0.9";
  assert_equal(to_metadata(card).at("threshold"), "0.5");
}
END_TEST

START_TEST(test_m7_bad_metadata_is_refused_with_its_key) {
  std::map<std::string, std::string> metadata = to_metadata(ModelCard());
  const Row& row = kBad[_i];
  if (row.value)
    metadata[row.key] = row.value;
  else
    metadata.erase(row.key);
  const Error error = error_of([&] { from_metadata(metadata, "improved-unet"); });
  assert_presentable(error);
  assert_fault(error, Fault::settings);
  assert_mentions(error, row.mentions);
}
END_TEST

START_TEST(test_m7_values_in_messages_are_short_and_harmless) {
  std::map<std::string, std::string> metadata = to_metadata(ModelCard());
  metadata["architecture"] = "\xff\n" + std::string(100000, 'x');
  const Error error = error_of([&] { from_metadata(metadata, ""); });
  assert_presentable(error);
  ck_assert_uint_lt(std::string(error.what()).size(), 500);
}
END_TEST

START_TEST(test_a_converted_file_gets_defaults_for_what_its_tensors_tell) {
  for (const char* architecture : {"seed-unet", "improved-unet"}) {
    ModelCard expected;
    expected.architecture = architecture;
    ck_assert(equal(from_metadata({}, architecture), expected));
    expected.notes["format"] = "pt";  // what Python's converters add
    expected.sha256 = "1234";         // and what `inspect --rehash` does
    ck_assert(equal(from_metadata({{"format", "pt"}, {"sha256", "1234"}}, architecture), expected));
  }
}
END_TEST

START_TEST(test_m7_a_converted_file_of_no_known_network_is_refused) {
  for (const char* hint : {"", "resnet"}) {
    const Error error = error_of([&] { from_metadata({{"format", "pt"}}, hint); });
    assert_fault(error, Fault::settings);
    assert_mentions(error, "improved-unet, seed-unet");
  }
}
END_TEST

int main() {
  TCase* tests = tcase_create("model card");
  tcase_add_test(tests, test_the_metadata_is_as_documented);
  tcase_add_test(tests, test_every_field_reads_back_exactly);
  tcase_add_test(tests, test_every_fit_has_a_name_that_reads_back);
  tcase_add_test(tests, test_a_note_does_not_replace_a_field);
  tcase_add_loop_test(tests, test_m7_bad_metadata_is_refused_with_its_key, 0, kBadCount);
  tcase_add_test(tests, test_m7_values_in_messages_are_short_and_harmless);
  tcase_add_test(tests, test_a_converted_file_gets_defaults_for_what_its_tensors_tell);
  tcase_add_test(tests, test_m7_a_converted_file_of_no_known_network_is_refused);
  Suite* suite = suite_create("model card");
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
