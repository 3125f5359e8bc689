// SPDX-License-Identifier: MIT
// What unetseg-trainer answers to faults: exit codes, one error line, and nothing lost.
#include <chrono>
#include <csignal>
#include <fstream>

#include "trainer/data/groups.h"
#include "trainer/data/image_files.h"

#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/small_run.h"

using namespace unetseg::trainer;
namespace fs = std::filesystem;

namespace {

// A copy of the shared data set that a test may damage.
struct DamagedSet {
  DamagedSet() { fs::copy(small_run().data, path, fs::copy_options::recursive); }
  std::string image(const char* split, int id) const {
    return path + "/ISIC-2017_" + split + "_Data/" + name(id) + ".jpg";
  }
  std::string mask(const char* split, int id) const {
    return path + "/ISIC-2017_" + split + "_Part1_GroundTruth/" + name(id) + "_segmentation.png";
  }
  static std::string name(int id) {
    const std::string digits = std::to_string(id);
    return "SYNTH_" + std::string(7 - digits.size(), '0') + digits;
  }

  TemporaryFolder root;
  std::string path = root.path() + "/data", run = root.path() + "/run";
};

bool was_trained(const std::string& run) {
  return fs::exists(run + "/metrics.csv") || fs::exists(run + "/checkpoint/last.safetensors");
}

START_TEST(test_wrong_command_lines_are_2) {
  const std::vector<std::string> train = {"train", "--data", small_run().data, "--output",
                                          small_run().root.path() + "/never"};
  const std::vector<std::vector<std::string>> endings = {{"--size", "33"},
                                                         {"--size", "64x"},
                                                         {"--epochs", "0"},
                                                         {"--epochs", "2", "--time-budget", "5m"},
                                                         {"--time-budget", "soon"},
                                                         {"--no-such-option"},
                                                         {"--architecture", "u-net"},
                                                         {"--device", "toaster"}};
  for (const std::vector<std::string>& ending : endings) {
    std::vector<std::string> arguments = train;
    arguments.insert(arguments.end(), ending.begin(), ending.end());
    const Outcome outcome = run_trainer(arguments);
    assert_error(outcome, 2, "error: ");
    ck_assert(!was_trained(arguments[4]));
  }
  std::vector<std::string> mistyped = train;
  mistyped.insert(mistyped.end(), {"--epoch", "2"});
  assert_error(run_trainer(mistyped), 2,
               "--epoch is no option of train (see --help); did you mean --epochs?");
  assert_error(run_trainer({"predict", "--wieghts", "x"}), 2, "did you mean --weights?");
  assert_error(run_trainer({"tarin"}), 2, "did you mean train?");
  mistyped = train;
  mistyped.insert(mistyped.end(), {"--batch", "2"});
  assert_error(run_trainer(mistyped), 2, "did you mean --batch-size?");
  mistyped[mistyped.size() - 2] = "--teacher-weigth";
  assert_error(run_trainer(mistyped), 2, "did you mean --teacher-weight?");
  mistyped[mistyped.size() - 2] = "--lr";
  assert_error(run_trainer(mistyped), 2, "did you mean --learning-rate?");
  assert_error(run_trainer({"train", "--output", train[4]}), 2, "--data is required");
  assert_error(run_trainer({}), 2, "give a verb: train evaluate predict");
  assert_error(run_trainer({"evaluate", "--tta", "d5"}), 2, "give none, flips or d4");
  assert_code(run_trainer({"learn"}), 2);
  assert_code(run_trainer({"--help"}), 0);
  const Outcome version = run_trainer({"--version"});
  assert_code(version, 0);
  assert_in("unetseg-trainer 0.", version.out);
  assert_in(", LibTorch ", version.out);
  assert_error(run_trainer({"evaluate", "--masks", small_run().data}), 2, "--predictions");
  assert_error(run_trainer({"synthesize", "--output", small_run().root.path() + "/never"}), 2,
               "--count");
}
END_TEST

START_TEST(test_missing_files_are_4) {
  assert_error(run_trainer({"train", "--data", "/no/such/folder", "--output",
                            small_run().root.path() + "/no-data", "--device", "cpu"}),
               4, "/no/such/folder");
  assert_error(run_trainer({"inspect", "/no/such/file.safetensors"}), 4, "file.safetensors");
  assert_error(run_trainer({"evaluate", "--weights", "/no/such/file.safetensors", "--data",
                            small_run().data}),
               4, "file.safetensors");
}
END_TEST

START_TEST(test_t4_output_that_cannot_be_written_is_4_before_data_is_read) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/file", locked = folder.path() + "/locked";
  std::ofstream(file) << "in the way";
  assert_error(run_trainer({"train", "--data", "/no/such/folder", "--output", file + "/run"}), 4,
               "cannot be created");
  fs::create_directories(locked + "/lock");
  assert_error(run_trainer({"train", "--data", "/no/such/folder", "--output", locked}), 4,
               "locked cannot be written to");
  assert_error(run_trainer(synthesize_arguments(file + "/set", "3", "1")), 4, "cannot be created");
}
END_TEST

START_TEST(test_t5_every_damaged_image_is_listed_and_nothing_is_trained) {
  const DamagedSet set;
  cut_in_half(set.image("Training", 1));
  cut_in_half(set.image("Training", 5));
  cut_in_half(set.image("Validation", 16));
  const std::vector<std::string> arguments = train_arguments(set.path, set.run, 1);
  const Outcome outcome = run_trainer(arguments);
  assert_error(outcome, 3, "3 faults");
  for (const std::string& path :
       {set.image("Training", 1), set.image("Training", 5), set.image("Validation", 16)})
    assert_in(path, outcome.err);
  ck_assert(!was_trained(set.run));

  // Mended, the same command starts. One bad file may be left out.
  for (const int id : {1, 5}) {
    fs::remove(set.image("Training", id));
    fs::remove(set.mask("Training", id));
  }
  std::vector<std::string> skipping = arguments;
  skipping.insert(skipping.end(), {"--skip-bad", "1"});
  const Outcome skipped = run_trainer(skipping);
  assert_code(skipped, 0);
  assert_in("left out", skipped.err);
  ck_assert(was_trained(set.run));
}
END_TEST

START_TEST(test_t5_t8_t9_check_lists_faults_of_every_kind_and_split_at_once) {
  const DamagedSet set;
  cut_in_half(set.image("Training", 2));
  fs::remove(set.mask("Training", 3));
  fs::copy_file(set.image("Training", 4), set.image("Validation", 15),
                fs::copy_options::overwrite_existing);
  Image labels = read_gray(set.mask("Test_v2", 18));
  for (std::size_t i = 0; i < labels.pixels.size(); ++i) labels.pixels[i] = i % 3;
  write_image(set.mask("Test_v2", 18), labels);
  write_image(set.image("Validation", 16), read_rgb(set.image("Training", 6)));  // stored anew
  const Outcome outcome = run_trainer({"check", set.path});
  assert_error(outcome, 3, "4 faults");
  assert_in("train and validation: " + set.image("Training", 6) + " and " +
                set.image("Validation", 16) + " are nearly the same image (similarity ",
            outcome.out);
  assert_in(set.image("Training", 2), outcome.err);
  assert_in(set.image("Training", 3) + ": has no mask", outcome.err);
  assert_in("SYNTH_0000004 (train) and SYNTH_0000015 (validation) are the same image", outcome.err);
  assert_in(set.mask("Test_v2", 18), outcome.err);
  assert_in("0: 1024, 1: 1024, 2: 1024", outcome.err);
  assert_in("ISIC 2017", outcome.out);
  assert_in("train: 13 images with masks\n  images: 64x48 (12)\n  masks: 64x48 (12)\n  lesion: ",
            outcome.out);
}
END_TEST

START_TEST(test_t8_missing_mask_is_listed_and_nothing_is_trained) {
  const DamagedSet set;
  fs::remove(set.mask("Training", 3));
  const Outcome outcome = run_trainer(train_arguments(set.path, set.run, 1));
  assert_error(outcome, 3, "1 fault");
  assert_in(set.image("Training", 3) + ": has no mask", outcome.err);
  ck_assert(!was_trained(set.run));
}
END_TEST

START_TEST(test_t8_an_image_of_both_splits_is_named_or_left_out) {
  const DamagedSet set;
  fs::copy_file(set.image("Validation", 15), set.image("Training", 4),
                fs::copy_options::overwrite_existing);
  std::vector<std::string> arguments = train_arguments(set.path, set.run, 1);
  const Outcome refused = run_trainer(arguments);
  assert_error(refused, 3, "1 fault");
  assert_in("SYNTH_0000004 (train) and SYNTH_0000015 (validation) are the same image", refused.err);
  arguments.insert(arguments.end(), {"--skip-bad", "1"});
  const Outcome skipped = run_trainer(arguments);
  assert_code(skipped, 0);
  assert_in("SYNTH_0000004 left out", skipped.err);
}
END_TEST

START_TEST(test_t8_a_test_image_among_those_to_train_on_is_named_or_left_out) {
  const DamagedSet set;
  fs::copy_file(set.image("Test_v2", 18), set.image("Training", 4),
                fs::copy_options::overwrite_existing);
  std::vector<std::string> arguments = train_arguments(set.path, set.run, 1);
  const Outcome refused = run_trainer(arguments);
  assert_error(refused, 3, "1 fault");
  assert_in("SYNTH_0000004 (train) and SYNTH_0000018 (test) are the same image", refused.err);
  arguments.insert(arguments.end(), {"--skip-bad", "1"});
  const Outcome skipped = run_trainer(arguments);
  assert_code(skipped, 0);
  assert_in("SYNTH_0000004 left out, it is a test image too", skipped.err);
}
END_TEST

START_TEST(test_empty_folders_are_3) {
  const TemporaryFolder folder;
  assert_code(run_trainer(train_arguments(folder.path(), folder.path() + "-run", 1)), 3);
  assert_code(run_trainer({"check", folder.path()}), 3);
  assert_code(run_trainer({"predict", "--weights", small_run().folder + "/best.safetensors",
                           "--images", folder.path(), "--output", folder.path() + "/masks"}),
              3);
  fs::remove_all(folder.path() + "-run");
}
END_TEST

START_TEST(test_t6_mask_of_other_proportions_is_3_unless_asked_for) {
  const DamagedSet set;
  const Image mask = read_gray(set.mask("Training", 6));
  write_image(set.mask("Training", 6),
              {48, 64, 1, std::vector<std::uint8_t>(mask.pixels.begin(), mask.pixels.end())});
  std::vector<std::string> arguments = train_arguments(set.path, set.run, 1);
  const Outcome refused = run_trainer(arguments);
  assert_error(refused, 3, "1 fault");
  assert_in("is 64x48, its mask", refused.err);
  assert_in("is 48x64", refused.err);
  ck_assert(!was_trained(set.run));
  arguments.insert(arguments.end(), {"--mask-fit", "stretch"});
  assert_code(run_trainer(arguments), 0);
  // The same words help where the same fault is told.
  const std::string cache = set.root.path() + "/cache";
  for (std::vector<std::string> command :
       {std::vector<std::string>{"check", set.path},
        {"cache", "--data", set.path, "--output", cache, "--size", "32"}}) {
    assert_error(run_trainer(command), 3, "1 fault");
    command.insert(command.end(), {"--mask-fit", "stretch"});
    assert_code(run_trainer(command), 0);
  }
}
END_TEST

START_TEST(test_t7_some_empty_and_full_masks_are_told_and_nothing_but_empty_ones_is_3) {
  const DamagedSet set;
  const Image empty{64, 48, 1, std::vector<std::uint8_t>(64 * 48, 0)};
  const Image full{64, 48, 1, std::vector<std::uint8_t>(64 * 48, 255)};
  write_image(set.mask("Training", 1), empty);
  write_image(set.mask("Training", 2), full);
  const std::vector<std::string> arguments = train_arguments(set.path, set.run, 1);
  const Outcome told = run_trainer(arguments);
  assert_code(told, 0);
  assert_in("train: 1 mask without lesion: SYNTH_0000001", told.err);
  assert_in("train: 1 mask of nothing but lesion: SYNTH_0000002", told.err);
  for (int id = 1; id <= 14; ++id) write_image(set.mask("Training", id), empty);
  fs::remove_all(set.run);
  for (const std::vector<std::string>& command : {arguments, {"check", set.path}}) {
    const Outcome refused = run_trainer(command);
    assert_error(refused, 3, "1 fault");
    assert_in("all 14 masks are empty", refused.err);
  }
  ck_assert(!was_trained(set.run));
}
END_TEST

START_TEST(test_t9_greys_and_ones_are_told_and_trained_on) {
  const DamagedSet set;
  Image greys = read_gray(set.mask("Training", 7)), ones = read_gray(set.mask("Training", 8));
  greys.pixels[0] = 90;
  greys.pixels[1] = 200;
  for (std::uint8_t& pixel : ones.pixels) pixel = pixel > 0;
  write_image(set.mask("Training", 7), greys);
  write_image(set.mask("Training", 8), ones);
  const Outcome outcome = run_trainer(train_arguments(set.path, set.run, 1));
  assert_code(outcome, 0);
  assert_in("1 mask with greys", outcome.err);
  assert_in("1 mask of 0 and 1", outcome.err);
}
END_TEST

// A set that takes very long to paint.
START_TEST(test_t2_interrupted_painting_is_130) {
  const TemporaryFolder folder;
  const std::string set = folder.path() + "/set";
  TrainerProcess painting(synthesize_arguments(set, "200000", "1"));
  painting.wait_for(set + "/ISIC-2017_Training_Data/SYNTH_0000001.jpg");
  painting.send(SIGINT);
  const Outcome outcome = painting.wait();
  assert_code(outcome, 130);
  ck_assert_str_eq(outcome.err.c_str(), "stopped\n");
}
END_TEST

START_TEST(test_t8_groups_stay_on_one_side_and_ids_without_one_are_3) {
  const DamagedSet set;
  for (const char* split : {"Validation", "Test_v2"})
    for (const char* part : {"_Data", "_Part1_GroundTruth"})
      fs::remove_all(set.path + "/ISIC-2017_" + split + part);
  const std::string groups = set.root.path() + "/groups.csv";
  std::string table = "id,group\n";
  for (int id = 1; id <= 12; ++id)
    table += DamagedSet::name(id) + ",patient " + std::to_string(id % 5) + "\n";
  std::ofstream(groups) << table;
  std::vector<std::string> arguments = train_arguments(set.path, set.run, 1);
  arguments.insert(arguments.end(), {"--val-fraction", "0.3", "--groups", groups});
  const Outcome refused = run_trainer(arguments);
  assert_error(refused, 3, "2 faults");
  for (const int id : {13, 14})
    assert_in(set.image("Training", id) + ": has no group in " + groups, refused.err);
  std::ofstream(groups, std::ios::app) << DamagedSet::name(13) << ",patient 7\n"
                                       << DamagedSet::name(14) << ",patient 7\n";
  assert_code(run_trainer(arguments), 0);
  const Dataset used = find_dataset(set.run + "/manifest.csv");
  ck_assert_uint_eq(used.train.size() + used.validation.size(), 14);
  ck_assert_uint_ge(used.validation.size(), 3);
  ck_assert(groups_in_two_splits(used).empty());
  // What says which data it was is kept with the run.
  assert_code(run_trainer({"train", "--output", set.run, "--resume", "--epochs", "2"}), 0);
  ck_assert_uint_eq(stable_metrics(set.run).size(), 1 + 2);
}
END_TEST

// The run's manifest stands for the data set: the same splits, and the same files or none.
START_TEST(test_t10_manifest_of_a_run_is_its_data_set_as_long_as_no_file_changes) {
  const DamagedSet set;
  std::vector<std::string> arguments = train_arguments(set.path, set.run, 1);
  assert_code(run_trainer(arguments), 0);
  const std::string manifest = set.run + "/manifest.csv", again = set.root.path() + "/again";
  assert_in(set.path.substr(set.root.path().size() + 1) + "/ISIC-2017_Validation_Data/",
            text_of(manifest));
  arguments[2] = manifest;
  arguments[4] = again;
  const Outcome trained = run_trainer(arguments);
  assert_code(trained, 0);
  assert_in("14 training, 3 validation, 0 test images", trained.err);
  ck_assert(stable_metrics(again) == stable_metrics(set.run));
  assert_code(run_trainer({"train", "--data", manifest, "--output", set.run, "--resume"}), 0);
  assert_code(run_trainer({"check", manifest}), 0);

  fs::copy_file(set.image("Test_v2", 18), set.image("Validation", 15),
                fs::copy_options::overwrite_existing);
  const std::string changed =
      set.image("Validation", 15) + ": the file is not the one that the manifest was written for";
  arguments[4] = set.root.path() + "/never";
  const std::string weights = set.run + "/last.safetensors";
  for (const std::vector<std::string>& command :
       {arguments, {"check", manifest}, {"evaluate", "--weights", weights, "--data", manifest}}) {
    const Outcome refused = run_trainer(command);
    assert_error(refused, 3, "1 fault");
    assert_in(changed, refused.err);
  }
}
END_TEST

START_TEST(test_t12_divergence_is_5) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  std::vector<std::string> arguments = train_arguments(small_run().data, run, 3);
  arguments.insert(arguments.end(), {"--warm-up", "0", "--clip", "0", "--learning-rate", "1e30"});
  assert_error(run_trainer(arguments), 5, "start again with a lower --learning-rate");
  // As it says: nothing is in the way.
  arguments.back() = "1e-3";
  assert_code(run_trainer(arguments), 0);
  ck_assert(was_trained(run));
}
END_TEST

START_TEST(test_t12_after_divergence_the_run_goes_on_at_a_lower_rate) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  std::vector<std::string> arguments = train_arguments(small_run().data, run, 1);
  arguments.insert(arguments.end(), {"--warm-up", "0", "--clip", "0"});
  assert_code(run_trainer(arguments), 0);
  std::vector<std::string> resume = {
      "train",    "--data", small_run().data,  "--output", run, "--resume",
      "--epochs", "3",      "--learning-rate", "1e30"};
  assert_error(run_trainer(resume), 5, "go on from it with --resume and a lower --learning-rate");
  resume.back() = "1e-3";
  const Outcome resumed = run_trainer(resume);
  assert_code(resumed, 0);
  assert_in("the peak learning rate is 0.001 from here on, it was 0.002", resumed.err);
  ck_assert_uint_eq(stable_metrics(run).size(), 1 + 3);
}
END_TEST

// A full disk behind stderr, and a reader that leaves after the first line.
START_TEST(test_output_that_nobody_takes_ends_no_training) {
  for (const char* ending : {" 2>/dev/full", " 2>&1 | head -n 1"}) {
    const TemporaryFolder folder;
    const std::string run = folder.path() + "/run";
    std::string command = UNETSEG_TRAINER;
    for (const std::string& argument : train_arguments(small_run().data, run, 3))
      command += " '" + argument + "'";
    ck_assert_int_eq(std::system((command + ending).c_str()), 0);
    ck_assert(fs::exists(run + "/last.safetensors"));
  }
}
END_TEST

// An image that is listed but gone when it is to be read, in the middle of a set that keeps several
// threads busy.
START_TEST(test_t13_vanished_image_is_3_with_its_name_and_without_waiting) {
  const DamagedSet set;
  fs::remove(set.image("Training", 7));
  fs::create_symlink(set.root.path() + "/gone.jpg", set.image("Training", 7));
  std::vector<std::string> arguments = train_arguments(set.path, set.run, 1);
  if (_i == 1) arguments.insert(arguments.end(), {"--cache", set.root.path() + "/cache"});
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = run_trainer(arguments);
  assert_error(outcome, 3, "1 fault");
  assert_in(set.image("Training", 7) + ": no such file", outcome.err);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  ck_assert_double_lt(seconds.count(), 50);  // ten times what it may take where nobody else works
  ck_assert(!was_trained(set.run));
}
END_TEST

START_TEST(test_damaged_images_of_predict_and_evaluate_are_3_and_the_others_are_done) {
  const DamagedSet set;
  const std::string images = set.path + "/ISIC-2017_Validation_Data";
  cut_in_half(set.image("Validation", 15));
  const std::string weights = small_run().folder + "/best.safetensors";
  const std::string masks = set.root.path() + "/masks";
  const Outcome predicted =
      run_trainer({"predict", "--weights", weights, "--images", images, "--output", masks});
  assert_error(predicted, 3, "1 fault");
  assert_in(set.image("Validation", 15), predicted.err);
  ck_assert_int_eq(std::distance(fs::directory_iterator(masks), {}), 2);
  const Outcome scored = run_trainer({"evaluate", "--weights", weights, "--data", set.path});
  assert_error(scored, 3, "1 fault");
  assert_in(set.image("Validation", 15), scored.err);
  ck_assert(scored.out.empty());
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("command faults");
  TCase* tests = tcase_create("faults");
  tcase_set_timeout(tests, 600);
  tcase_add_unchecked_fixture(tests, make_small_run, remove_small_run);
  tcase_add_test(tests, test_wrong_command_lines_are_2);
  tcase_add_test(tests, test_missing_files_are_4);
  tcase_add_test(tests, test_t4_output_that_cannot_be_written_is_4_before_data_is_read);
  tcase_add_test(tests, test_t5_every_damaged_image_is_listed_and_nothing_is_trained);
  tcase_add_test(tests, test_t5_t8_t9_check_lists_faults_of_every_kind_and_split_at_once);
  tcase_add_test(tests, test_t8_missing_mask_is_listed_and_nothing_is_trained);
  tcase_add_test(tests, test_t8_an_image_of_both_splits_is_named_or_left_out);
  tcase_add_test(tests, test_t8_a_test_image_among_those_to_train_on_is_named_or_left_out);
  tcase_add_test(tests, test_empty_folders_are_3);
  tcase_add_test(tests, test_t6_mask_of_other_proportions_is_3_unless_asked_for);
  tcase_add_test(tests, test_t7_some_empty_and_full_masks_are_told_and_nothing_but_empty_ones_is_3);
  tcase_add_test(tests, test_t9_greys_and_ones_are_told_and_trained_on);
  tcase_add_test(tests, test_t2_interrupted_painting_is_130);
  tcase_add_test(tests, test_t8_groups_stay_on_one_side_and_ids_without_one_are_3);
  tcase_add_test(tests, test_t10_manifest_of_a_run_is_its_data_set_as_long_as_no_file_changes);
  tcase_add_test(tests, test_t12_divergence_is_5);
  tcase_add_test(tests, test_t12_after_divergence_the_run_goes_on_at_a_lower_rate);
  tcase_add_test(tests, test_output_that_nobody_takes_ends_no_training);
  tcase_add_loop_test(tests, test_t13_vanished_image_is_3_with_its_name_and_without_waiting, 0, 2);
  tcase_add_test(tests, test_damaged_images_of_predict_and_evaluate_are_3_and_the_others_are_done);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
