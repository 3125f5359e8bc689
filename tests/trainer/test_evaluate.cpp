// SPDX-License-Identifier: MIT
// `evaluate` as people run it, with the shipped weights on discs that they find.
#include <filesystem>
#include <fstream>

#include "model/storage/safetensors.h"

#include "tests/check.h"
#include "tests/plugin/small_weights.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/pictures_on_disk.h"
#include "tests/trainer/trainer_program.h"

using namespace unetseg::trainer;
namespace fs = std::filesystem;

namespace {

// Discs of several sizes and proportions, as a validation set, and the shipped weights with a
// threshold that misses most of each disc.
struct Discs {
  Discs() {
    const int sizes[][2] = {{120, 90}, {90, 120}, {128, 128}, {200, 150}};
    int number = 0;
    for (const auto& size : sizes) {
      ++number;
      write_pair(data + "/val", "disc-" + std::to_string(number),
                 disc_picture(size[0], size[1], number), disc_mask(size[0], size[1]));
    }
    const unetseg::SafetensorsFile file = unetseg::read_safetensors(UNETSEG_TEST_WEIGHTS);
    std::vector<unetseg::TensorToWrite> tensors;
    for (const unetseg::TensorEntry& t : file.tensors)
      tensors.push_back({t.name, t.dtype, t.shape, file.data.data() + t.offset});
    std::map<std::string, std::string> metadata = file.metadata;
    metadata["threshold"] = "0.999";
    unetseg::write_safetensors(timid, tensors, metadata);
  }
  TemporaryFolder root;
  std::string data = root.path() + "/data", timid = root.path() + "/timid.safetensors";
};

// A plain pointer: the folder must outlive the processes in which tests run.
Discs* made_discs = nullptr;
void make_discs() {
  made_discs = new Discs;
}
void remove_discs() {
  delete made_discs;
}
const Discs& discs() {
  return *made_discs;
}

Outcome evaluate(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "evaluate");
  arguments.insert(arguments.end(), {"--quiet", "--threads", "1", "--device", "cpu"});
  return run_trainer(arguments);
}

std::size_t lines_in(const std::string& file) {
  const std::string text = text_of(file);
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

START_TEST(test_compare_tells_the_better_weights_and_by_how_much) {
  const TemporaryFolder folder;
  const std::string csv = folder.path() + "/both.csv";
  const Outcome outcome = evaluate(
      {"--compare", discs().timid, UNETSEG_TEST_WEIGHTS, "--data", discs().data, "--csv", csv});
  assert_code(outcome, 0);
  assert_in("A  " + discs().timid + ", threshold 0.999", outcome.out);
  assert_in("n = 4 images, scored at the masks' own size", outcome.out);
  assert_in("of 4 images B has the higher Dice on 4, A on 0, and 0 are equal", outcome.out);
  assert_in("100.0 %", outcome.out);
  assert_in("largest losses:\n  none", outcome.out);
  ck_assert_uint_eq(lines_in(csv), 5);
  assert_in("id,dice_a,dice_b,dice_difference,", text_of(csv));
}
END_TEST

START_TEST(test_scores_are_written_and_compared_later) {
  const TemporaryFolder folder;
  const std::string csv = folder.path() + "/scores.csv", other = folder.path() + "/other.csv";
  const std::string json = folder.path() + "/summary.json", panels = folder.path() + "/panels";
  const Outcome scored = evaluate({"--weights", UNETSEG_TEST_WEIGHTS, "--data", discs().data,
                                   "--csv", csv, "--json", json, "--panels", panels, "--tta"});
  assert_code(scored, 0);
  for (const char* words : {"plain Dice", "with --tta flips: ", "rank correlation", "mean HD95",
                            "expected calibration error"})
    assert_in(words, scored.out);
  // 64 digits of the shipped file.
  const std::string summary = text_of(json);
  const std::size_t sha256 = summary.find("\"sha256\": \"") + 11;
  ck_assert_uint_eq(summary.find('"', sha256), sha256 + 64);
  assert_in("\"tta\": \"flips\"", summary);
  ck_assert_int_gt(read_rgb(panels + "/calibration.png").width, 400);

  const Outcome same = evaluate({"--compare", csv, csv});
  assert_code(same, 0);
  assert_in("and 4 are equal", same.out);
  std::string text = text_of(csv);
  text.replace(text.find("disc-4"), 6, "disc-9");
  std::ofstream(other) << text;
  assert_error(evaluate({"--compare", csv, other}), 2, other + " alone has disc-9");
  assert_error(evaluate({"--compare", csv, discs().timid}), 2, "two CSV files");
}
END_TEST

START_TEST(test_threshold_is_tuned_on_validation_and_kept_in_the_weights) {
  const TemporaryFolder folder;
  const std::string tuned = folder.path() + "/tuned.safetensors";
  fs::copy_file(discs().timid, tuned);
  const Outcome outcome = evaluate(
      {"--weights", tuned, "--data", discs().data, "--tune-threshold", "--write-threshold", tuned});
  assert_code(outcome, 0);
  assert_in("\n0.999 ", outcome.out);
  assert_in("the weights' own", outcome.out);
  assert_in("tuned on the validation images, n = 4: the score there is optimistic", outcome.out);
  const auto before = unetseg::read_safetensors(discs().timid);
  const auto after = unetseg::read_safetensors(tuned);
  const std::string threshold = after.metadata.at("threshold");
  assert_in("\nbest is " + threshold + ": mean Dice +", outcome.out);
  ck_assert_double_ge(std::stod(threshold), 0.3);
  ck_assert_double_le(std::stod(threshold), 0.7);
  assert_in(threshold +
                " has the highest mean Dice of 4 images of validation, test-time "
                "augmentation none; before: 0.999",
            after.metadata.at("threshold_tuned"));
  ck_assert_str_eq(after.metadata.at("recipe").c_str(), before.metadata.at("recipe").c_str());
  ck_assert_str_eq(after.metadata.at("sha256").c_str(), before.metadata.at("sha256").c_str());
  // What was printed is what these weights now score.
  const Outcome scored = evaluate({"--weights", tuned, "--images", discs().data + "/val/images",
                                   "--masks", discs().data + "/val/masks", "--tune-threshold"});
  assert_code(scored, 0);
  assert_in("/val/images, taken as validation", scored.out);
  assert_in("the weights' own, best", scored.out);
}
END_TEST

// No network is as sure as 1, and nothing found scores 0 on these discs.
START_TEST(test_the_least_confidence_is_the_weights_own_unless_given) {
  const TemporaryFolder folder;
  const std::string strict = folder.path() + "/strict.safetensors";
  const auto dice = [&](const std::string& weights, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"--weights", weights, "--data", discs().data};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = evaluate(arguments);
    assert_code(outcome, 0);
    return number_after("\nDice", outcome.out);
  };
  ck_assert_double_gt(dice(UNETSEG_TEST_WEIGHTS, {}), 0.5);
  ck_assert_double_eq(dice(UNETSEG_TEST_WEIGHTS, {"--min-confidence", "1"}), 0);
  assert_code(evaluate({"--weights", UNETSEG_TEST_WEIGHTS, "--data", discs().data,
                        "--tune-threshold", "--min-confidence", "1", "--write-threshold", strict}),
              0);
  const auto written = unetseg::read_safetensors(strict);
  ck_assert_str_eq(written.metadata.at("min_confidence").c_str(), "1");
  ck_assert_double_eq(dice(strict, {}), 0);
  ck_assert_double_gt(dice(strict, {"--min-confidence", "0"}), 0.5);
}
END_TEST

START_TEST(test_threshold_is_not_tuned_on_other_splits) {
  assert_error(evaluate({"--weights", discs().timid, "--data", discs().data, "--split", "test",
                         "--tune-threshold"}),
               2, "leave out --split test");
}
END_TEST

START_TEST(test_conditions_are_scored_beside_the_plain_images) {
  const TemporaryFolder folder;
  const std::string csv = folder.path() + "/conditions.csv", panels = folder.path() + "/panels";
  const std::string weights = folder.path() + "/small.safetensors";
  SmallWeights().write(weights);
  write_pair(folder.path() + "/one", "disc", disc_picture(120, 90), disc_mask(120, 90));
  const Outcome outcome = evaluate(
      {"--weights", UNETSEG_TEST_WEIGHTS, "--images", folder.path() + "/one/images", "--masks",
       folder.path() + "/one/masks", "--conditions", "--csv", csv, "--panels", panels});
  assert_code(outcome, 0);
  assert_in("n = 1 images, scored at 512 pixels at most, threshold ", outcome.out);
  for (const char* name :
       {"plain", "blur", "noise", "dark", "bright", "low contrast", "vignette", "jpeg", "grey",
        "1:1", "16:9", "9:16", "artefacts", "bare skin", "even colour", "black"})
    assert_in("\n" + std::string(name) + " ", outcome.out);
  ck_assert_uint_eq(lines_in(csv), 14);
  ck_assert_int_gt(read_rgb(panels + "/conditions.png").height, 1000);
}
END_TEST

START_TEST(test_t1_reports_that_cannot_be_written_are_4_before_images_are_read) {
  assert_error(evaluate({"--weights", discs().timid, "--data", "/no/such/data", "--csv",
                         discs().root.path() + "/none/scores.csv"}),
               4, "there is no folder");
}
END_TEST

START_TEST(test_options_that_contradict_each_other_are_2) {
  const std::vector<std::vector<std::string>> endings = {{"--compare", "a.csv", "b.csv"},
                                                         {"--write-threshold", "new.safetensors"},
                                                         {"--tune-threshold", "--threshold", "0.4"},
                                                         {"--conditions", "--tune-threshold"}};
  for (const std::vector<std::string>& ending : endings) {
    std::vector<std::string> arguments = {"--weights", discs().timid, "--data", discs().data};
    arguments.insert(arguments.end(), ending.begin(), ending.end());
    const Outcome outcome = evaluate(arguments);
    assert_code(outcome, 2);
    assert_in(ending.front(), outcome.err);
  }
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("evaluate");
  TCase* tests = tcase_create("evaluate");
  tcase_set_timeout(tests, 300);
  tcase_add_unchecked_fixture(tests, make_discs, remove_discs);
  tcase_add_test(tests, test_compare_tells_the_better_weights_and_by_how_much);
  tcase_add_test(tests, test_scores_are_written_and_compared_later);
  tcase_add_test(tests, test_threshold_is_tuned_on_validation_and_kept_in_the_weights);
  tcase_add_test(tests, test_the_least_confidence_is_the_weights_own_unless_given);
  tcase_add_test(tests, test_threshold_is_not_tuned_on_other_splits);
  tcase_add_test(tests, test_conditions_are_scored_beside_the_plain_images);
  tcase_add_test(tests, test_t1_reports_that_cannot_be_written_are_4_before_images_are_read);
  tcase_add_test(tests, test_options_that_contradict_each_other_are_2);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
