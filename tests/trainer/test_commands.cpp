// SPDX-License-Identifier: MIT
// unetseg-trainer as people run it: what each verb but `train` writes and prints, on a small
// painted data set.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "trainer/data/dataset.h"
#include "trainer/data/image_files.h"

#include "tests/assertions.h"
#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/colours.h"
#include "tests/trainer/refitted_weights.h"
#include "tests/trainer/small_run.h"

using namespace unetseg::trainer;
namespace fs = std::filesystem;

namespace {

START_TEST(test_synthesize_writes_a_set_that_check_finds_whole) {
  const Dataset set = find_dataset(small_run().data);
  ck_assert_str_eq(set.layout.c_str(), "ISIC 2017");
  ck_assert_uint_eq(set.train.size(), 14);
  ck_assert_uint_eq(set.validation.size(), 3);
  ck_assert_uint_eq(set.test.size(), 3);
  ck_assert_str_eq(set.train[0].id.c_str(), "SYNTH_0000001");
  const Image image = read_rgb(set.train[0].image), mask = read_gray(set.train[0].mask);
  ck_assert_int_eq(image.width, 64);
  ck_assert_int_eq(image.height, 48);
  ck_assert_int_eq(mask.width, 64);
  ck_assert_int_eq(mask.height, 48);
  const Outcome outcome = run_trainer({"check", small_run().data});
  assert_code(outcome, 0);
  assert_in("no faults: 14 training, 3 validation and 3 test images", outcome.out);
}
END_TEST

START_TEST(test_synthesize_repeats_itself_and_depends_on_its_seed) {
  const TemporaryFolder folder;
  const std::string again = folder.path() + "/again", other = folder.path() + "/other";
  assert_code(run_trainer(synthesize_arguments(again, "20", "7")), 0);
  assert_code(run_trainer(synthesize_arguments(other, "20", "8")), 0);
  const std::string image = "/ISIC-2017_Training_Data/SYNTH_0000002.jpg";
  const std::string mask = "/ISIC-2017_Training_Part1_GroundTruth/SYNTH_0000002_segmentation.png";
  for (const std::string& file : {image, mask}) {
    const std::string bytes = text_of(small_run().data + file);
    ck_assert_uint_gt(bytes.size(), 0);
    ck_assert(text_of(again + file) == bytes);
    ck_assert(text_of(other + file) != bytes);
  }
  // Neighbouring seeds share no picture, one place further on either.
  ck_assert(text_of(other + "/ISIC-2017_Training_Data/SYNTH_0000001.jpg") !=
            text_of(again + image));
}
END_TEST

START_TEST(test_synthesize_mends_its_own_folder_and_leaves_others_alone) {
  const TemporaryFolder folder;
  const std::string set = folder.path() + "/set";
  assert_code(run_trainer(synthesize_arguments(set, "3", "1")), 0);
  const std::string image = set + "/ISIC-2017_Training_Data/SYNTH_0000001.jpg";
  const std::string bytes = text_of(image);
  fs::remove(image);
  assert_code(run_trainer(synthesize_arguments(set, "3", "1")), 0);
  ck_assert(text_of(image) == bytes);
  assert_error(run_trainer(synthesize_arguments(set, "3", "2")), 2, "other synthetic pictures");
  ck_assert(text_of(image) == bytes);
  const std::string own = folder.path() + "/own";
  fs::create_directories(own);
  std::ofstream(own + "/letter.txt") << "mine";
  assert_error(run_trainer(synthesize_arguments(own, "3", "1")), 2, "holds other files");
  ck_assert_int_eq(std::distance(fs::directory_iterator(own), {}), 1);
}
END_TEST

START_TEST(test_synthesize_clip_numbers_frames_and_masks_alike) {
  const TemporaryFolder folder;
  const std::string clip = folder.path() + "/clip";
  assert_code(run_trainer({"synthesize", "--output", clip, "--clip", "3", "--seed", "7", "--size",
                           "64x48", "--quiet"}),
              0);
  const std::vector<Pair> pairs = pair_folders(clip + "/frames", clip + "/masks");
  ck_assert_uint_eq(pairs.size(), 3);
  ck_assert_str_eq(pairs[0].id.c_str(), "frame-00000");
  ck_assert_str_eq(pairs[2].id.c_str(), "frame-00002");
  assert_equal(fs::path(pairs[2].image).filename(), "frame-00002.jpg");
  assert_equal(fs::path(pairs[2].mask).filename(), "frame-00002.png");
  ck_assert(text_of(pairs[0].image) != text_of(pairs[1].image));
}
END_TEST

START_TEST(test_evaluate_prints_scores_with_what_they_mean) {
  const TemporaryFolder folder;
  const std::string csv = folder.path() + "/scores.csv", panels = folder.path() + "/panels";
  const Outcome outcome =
      run_trainer({"evaluate", "--weights", small_run().folder + "/best.safetensors", "--data",
                   small_run().data, "--split", "train", "--csv", csv, "--panels", panels,
                   "--quiet", "--threads", "1"});
  assert_code(outcome, 0);
  for (const char* words : {"n = 14 images", "the masks' own size", "threshold 0.50", "per image",
                            "pooled", "95 % interval", "Dice", "Jaccard", "sensitivity"})
    assert_in(words, outcome.out);
  const double dice = number_after("\nDice", outcome.out);
  ck_assert_double_gt(dice, 0.2);
  ck_assert_double_lt(number_after("\nJaccard", outcome.out), dice);
  ck_assert_uint_eq(lines_of(text_of(csv)).size(), 15);
  ck_assert_uint_gt(colours_of(read_rgb(panels + "/worst-01.png")), 200);
}
END_TEST

// Without the line that says how long a prediction took.
std::string scores_in(const std::string& out) {
  const std::size_t begin = out.find("\nprediction ");
  if (begin == std::string::npos) return out;
  return out.substr(0, begin) + out.substr(std::min(out.find('\n', begin + 1), out.size()));
}

START_TEST(test_evaluate_takes_folders_and_averages_over_mirrored_copies) {
  const std::string data = small_run().data;
  std::vector<std::string> arguments = {"evaluate",
                                        "--weights",
                                        small_run().folder + "/best.safetensors",
                                        "--images",
                                        data + "/ISIC-2017_Training_Data",
                                        "--masks",
                                        data + "/ISIC-2017_Training_Part1_GroundTruth",
                                        "--engine",
                                        "libtorch",
                                        "--quiet"};
  const Outcome plain = run_trainer(arguments);
  assert_code(plain, 0);
  assert_in("n = 14 images", plain.out);
  arguments.push_back("--tta");
  const Outcome averaged = run_trainer(arguments);
  assert_code(averaged, 0);
  ck_assert(scores_in(averaged.out) != scores_in(plain.out));
  arguments.push_back("flips");
  ck_assert(scores_in(run_trainer(arguments).out) == scores_in(averaged.out));
  arguments.back() = "d4";
  assert_code(run_trainer(arguments), 0);
}
END_TEST

START_TEST(test_evaluate_scores_masks_that_exist) {
  const TemporaryFolder folder;
  const std::string masks = small_run().data + "/ISIC-2017_Training_Part1_GroundTruth";
  const Outcome equal =
      run_trainer({"evaluate", "--predictions", masks, "--masks", masks, "--quiet"});
  assert_code(equal, 0);
  ck_assert_double_eq(number_after("\nDice", equal.out), 1);
  ck_assert_double_eq(number_after("\nJaccard", equal.out), 1);
  assert_in("1.0000 to 1.0000", equal.out);

  // Masks of 0 and 1 mean the same; predictions of half the size are enlarged.
  for (const fs::directory_entry& entry : fs::directory_iterator(masks)) {
    const Image mask = read_gray(entry.path());
    Image ones = mask, half{mask.width / 2, mask.height / 2, 1, {}};
    for (std::uint8_t& pixel : ones.pixels) pixel = pixel > 0;
    for (int y = 0; y < half.height; ++y)
      for (int x = 0; x < half.width; ++x)
        half.pixels.push_back(mask.pixels[2 * y * mask.width + 2 * x]);
    const std::string name = entry.path().filename();
    fs::create_directories(folder.path() + "/ones");
    fs::create_directories(folder.path() + "/half");
    write_image(folder.path() + "/ones/" + name, ones);
    write_image(folder.path() + "/half/" + name, half);
  }
  const Outcome ones = run_trainer(
      {"evaluate", "--predictions", masks, "--masks", folder.path() + "/ones", "--quiet"});
  assert_code(ones, 0);
  ck_assert_double_eq(number_after("\nDice", ones.out), 1);
  const Outcome half = run_trainer(
      {"evaluate", "--predictions", folder.path() + "/half", "--masks", masks, "--quiet"});
  assert_code(half, 0);
  const double dice = number_after("\nDice", half.out);
  ck_assert_double_gt(dice, 0.85);
  ck_assert_double_lt(dice, 1);
}
END_TEST

START_TEST(test_fast_and_best_are_the_weights_that_come_with_it) {
  const TemporaryFolder folder;
  fs::copy_file(small_run().folder + "/best.safetensors",
                folder.path() + "/unetseg-best.safetensors");
  setenv("UNETSEG_WEIGHTS_DIR", folder.path().c_str(), 1);
  assert_in("improved-unet, base width 4", run_trainer({"inspect", "best"}).out);
  const Outcome compared =
      run_trainer({"evaluate", "--compare", "best", small_run().folder + "/last.safetensors",
                   "--data", small_run().data, "--quiet"});
  assert_code(compared, 0);
  assert_in("unetseg-best.safetensors", compared.out);
  assert_error(run_trainer({"train", "--data", "/no/such/folder", "--output",
                            folder.path() + "/run", "--teacher", "fast"}),
               2,
               "the weights 'fast' are not installed, there is no " + folder.path() +
                   "/unetseg-fast.safetensors");
}
END_TEST

START_TEST(test_evaluate_makes_its_folder_before_the_work) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() + "/file") << "in the way";
  assert_error(run_trainer({"evaluate", "--weights", "/no/such/file", "--data", small_run().data,
                            "--panels", folder.path() + "/file/panels"}),
               4, "file/panels cannot be created");
}
END_TEST

START_TEST(test_inspect_shows_weights_and_checkpoints) {
  const Outcome weights =
      run_trainer({"inspect", small_run().folder + "/best.safetensors", "--tensors"});
  assert_code(weights, 0);
  for (const char* words :
       {"improved-unet, base width 4", "32x32", "threshold      0.5", "sha256", "mean Dice",
        "the tensors fit the architecture", "encoder.0.down.conv.weight"})
    assert_in(words, weights.out);
  const Outcome checkpoint =
      run_trainer({"inspect", small_run().folder + "/checkpoint/last.safetensors"});
  assert_code(checkpoint, 0);
  assert_in("checkpoint of a training run", checkpoint.out);
  assert_in("step           32 of 32", checkpoint.out);
  assert_in("\"base-width\":4", checkpoint.out);
}
END_TEST

START_TEST(test_predict_keeps_names_and_sizes) {
  const TemporaryFolder folder;
  const std::string images = folder.path() + "/images", masks = folder.path() + "/masks";
  fs::create_directories(images);
  const Image painted = read_rgb(small_run().data + "/ISIC-2017_Training_Data/SYNTH_0000001.jpg");
  write_image(images + "/a photo.v2.png", painted);
  Image grey{33, 47, 1, std::vector<std::uint8_t>(33 * 47, 180)};
  write_image(images + "/grey.png", grey);
  write_image(images + "/dot.png", Image{1, 1, 3, {9, 9, 9}});
  std::ofstream(images + "/notes.txt") << "no picture";
  const Outcome outcome =
      run_trainer({"predict", "--weights", small_run().folder + "/best.safetensors", "--images",
                   images, "--output", masks, "--quiet"});
  assert_code(outcome, 0);
  ck_assert_int_eq(std::distance(fs::directory_iterator(masks), {}), 3);
  const Image mask = read_gray(masks + "/a photo.v2.png");
  ck_assert_int_eq(mask.width, painted.width);
  ck_assert_int_eq(mask.height, painted.height);
  for (const std::uint8_t pixel : mask.pixels) ck_assert(pixel == 0 || pixel == 255);
  const Image of_grey = read_gray(masks + "/grey.png");
  ck_assert_int_eq(of_grey.width, 33);
  ck_assert_int_eq(of_grey.height, 47);
  ck_assert_int_eq(read_gray(masks + "/dot.png").width, 1);
}
END_TEST

START_TEST(test_predict_leaves_the_pictures_alone) {
  const TemporaryFolder folder;
  const std::string images = folder.path() + "/images", same = folder.path() + "/link";
  fs::create_directories(images);
  write_image(images + "/photo.png", Image{1, 1, 3, {9, 9, 9}});
  std::ofstream(images + "/._photo.png") << "what another system keeps beside it";
  fs::create_directory_symlink(images, same);
  const std::string bytes = text_of(images + "/photo.png");
  for (const std::string& output : {images, images + "/./", same})
    assert_error(run_trainer({"predict", "--weights", small_run().folder + "/best.safetensors",
                              "--images", images, "--output", output}),
                 2, "is the folder of the images: give another --output");
  ck_assert(text_of(images + "/photo.png") == bytes);
  assert_code(run_trainer({"predict", "--weights", small_run().folder + "/best.safetensors",
                           "--images", images, "--output", images + "/masks"}),
              0);
  ck_assert(text_of(images + "/photo.png") == bytes);
}
END_TEST

START_TEST(test_evaluate_tells_of_masks_that_do_not_fit) {
  const TemporaryFolder folder;
  const std::string truth = folder.path() + "/truth", found = folder.path() + "/found";
  for (const std::string& path : {truth, found}) fs::create_directories(path);
  const auto write = [](const std::string& path, int width, int height) {
    write_image(path, {width, height, 1,
                       std::vector<std::uint8_t>(static_cast<std::size_t>(width * height), 255)});
  };
  for (const char* name : {"/a.png", "/b.png", "/c.png"}) {
    write(truth + name, 80, 40);
    write(found + name, 40, 20);
  }
  const std::vector<std::string> arguments = {"evaluate", "--predictions", found,
                                              "--masks",  truth,           "--quiet"};
  const Outcome fitting = run_trainer(arguments);
  assert_code(fitting, 0);
  assert_equal(fitting.err, "");
  write(found + "/b.png", 20, 40);
  const Outcome turned = run_trainer(arguments);
  assert_code(turned, 0);
  assert_in("warning: 1 of 3 true masks have other proportions", turned.err);
  assert_in("b.png is 20x40", turned.err);
}
END_TEST

// At a threshold of 0 all that the network saw is lesion: the middle 48 of 64 columns.
START_TEST(test_predict_fits_pictures_as_weights_or_options_say) {
  const TemporaryFolder folder;
  const std::string images = folder.path() + "/images",
                    stretching = small_run().folder + "/best.safetensors";
  const std::string cropping = folder.path() + "/crop.safetensors";
  write_weights_for("crop", cropping);
  fs::create_directories(images);
  fs::copy_file(small_run().data + "/ISIC-2017_Training_Data/SYNTH_0000001.jpg",
                images + "/one.jpg");
  struct {
    const std::string& weights;
    const char* fit;
    int first;  // column
  } const cases[] = {{stretching, "weights", 0},   {stretching, "crop", 8},
                     {stretching, "letterbox", 0}, {cropping, "weights", 8},
                     {cropping, "letterbox", 0},   {cropping, "stretch", 0}};
  for (const auto& c : cases) {
    const std::string masks = folder.path() + "/masks";
    assert_code(run_trainer({"predict", "--weights", c.weights, "--images", images, "--output",
                             masks, "--fit", c.fit, "--threshold", "0", "--quiet"}),
                0);
    const Image mask = read_gray(masks + "/one.png");
    ck_assert(mask.width == 64 && mask.height == 48);
    for (std::size_t i = 0; i < mask.pixels.size(); ++i) {
      const int x = static_cast<int>(i % 64);
      ck_assert_int_eq(mask.pixels[i], x >= c.first && x < 64 - c.first ? 255 : 0);
    }
  }
}
END_TEST

START_TEST(test_evaluate_scores_whole_pictures_in_every_fit) {
  std::set<std::string> scores;
  for (const char* fit : {"stretch", "letterbox", "crop"}) {
    const TemporaryFolder panels;
    const Outcome outcome = run_trainer(
        {"evaluate", "--weights", small_run().folder + "/best.safetensors", "--data",
         small_run().data, "--split", "train", "--panels", panels.path(), "--fit", fit, "--quiet"});
    assert_code(outcome, 0);
    scores.insert(outcome.out);
    ck_assert_uint_gt(colours_of(read_rgb(panels.path() + "/worst-01.png")), 200);
  }
  ck_assert_uint_eq(scores.size(), 3);
}
END_TEST

START_TEST(test_cache_can_be_trained_on) {
  const TemporaryFolder folder;
  const std::string cache = folder.path() + "/cache", run = folder.path() + "/run";
  assert_code(run_trainer({"cache", "--data", small_run().data, "--output", cache, "--size", "32"}),
              0);
  assert_code(run_trainer(train_arguments(cache, run, kSmallRunEpochs)), 0);
  // What was decoded before is what would have been decoded now.
  ck_assert(stable_metrics(run) == stable_metrics(small_run().folder));
  assert_error(
      run_trainer({"train", "--data", cache, "--output", folder.path() + "/other", "--size", "64"}),
      2, "decoded for an input of 32x32");
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("commands");
  TCase* tests = tcase_create("commands");
  tcase_set_timeout(tests, 600);
  tcase_add_unchecked_fixture(tests, make_small_run, remove_small_run);
  tcase_add_test(tests, test_synthesize_writes_a_set_that_check_finds_whole);
  tcase_add_test(tests, test_synthesize_repeats_itself_and_depends_on_its_seed);
  tcase_add_test(tests, test_synthesize_mends_its_own_folder_and_leaves_others_alone);
  tcase_add_test(tests, test_synthesize_clip_numbers_frames_and_masks_alike);
  tcase_add_test(tests, test_evaluate_prints_scores_with_what_they_mean);
  tcase_add_test(tests, test_evaluate_takes_folders_and_averages_over_mirrored_copies);
  tcase_add_test(tests, test_evaluate_scores_masks_that_exist);
  tcase_add_test(tests, test_fast_and_best_are_the_weights_that_come_with_it);
  tcase_add_test(tests, test_evaluate_makes_its_folder_before_the_work);
  tcase_add_test(tests, test_inspect_shows_weights_and_checkpoints);
  tcase_add_test(tests, test_predict_keeps_names_and_sizes);
  tcase_add_test(tests, test_predict_leaves_the_pictures_alone);
  tcase_add_test(tests, test_evaluate_tells_of_masks_that_do_not_fit);
  tcase_add_test(tests, test_predict_fits_pictures_as_weights_or_options_say);
  tcase_add_test(tests, test_evaluate_scores_whole_pictures_in_every_fit);
  tcase_add_test(tests, test_cache_can_be_trained_on);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
