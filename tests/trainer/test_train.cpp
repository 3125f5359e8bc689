// SPDX-License-Identifier: MIT
// `unetseg-trainer train` as people run it: what it takes, prints and leaves, on a small painted
// data set.
#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "tests/assertions.h"
#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/colours.h"
#include "tests/trainer/refitted_weights.h"
#include "tests/trainer/small_run.h"

using namespace unetseg::trainer;
namespace fs = std::filesystem;

namespace {

START_TEST(test_train_leaves_weights_metrics_curves_and_panels) {
  const std::string& run = small_run().folder;
  for (const char* file :
       {"/best.safetensors", "/last.safetensors", "/config.json", "/panels/worst.png",
        "/checkpoint/last.safetensors", "/checkpoint/prev.safetensors"})
    ck_assert_msg(fs::exists(run + file), "%s is missing", file);
  const std::vector<std::string> metrics = lines_of(text_of(run + "/metrics.csv"));
  ck_assert_uint_eq(metrics.size(), 1 + kSmallRunEpochs);
  assert_in("epoch,step,learning_rate,train_loss", metrics[0]);
  // Epochs of fourteen pictures in batches of four have four steps.
  assert_equal(metrics[1].substr(0, 4), "1,4,");
  const Image curves = read_rgb(run + "/curves.png");
  ck_assert_int_ge(curves.width, 400);
  ck_assert_uint_gt(colours_of(curves), 20);
  std::size_t panels = 0;
  for (const fs::directory_entry& panel : fs::directory_iterator(run + "/panels")) {
    ck_assert_uint_gt(colours_of(read_rgb(panel.path())), 200);
    ++panels;
  }
  ck_assert_uint_eq(panels, kSmallRunEpochs + 1);
  // Sixty-four views of 32x32 in a square.
  const Image views = read_rgb(run + "/augmentation.png");
  ck_assert_int_ge(views.width, 8 * 32);
  ck_assert_int_ge(views.height, 8 * 32);
  ck_assert_uint_gt(colours_of(views), 200);
}
END_TEST

START_TEST(test_train_leaves_a_record_a_card_and_a_log) {
  const std::string& run = small_run().folder;
  const std::string record = text_of(run + "/run.json");
  for (const char* words : {"\"end\": \"finished\"", "\"libtorch\": \"", "\"device\": \"cpu\"",
                            "\"precision\": \"fp32\"", "\"threads\": 1", "\"training-images\": 14",
                            "\"total-steps\": 32", "\"epochs\": 8", "\"commit\": \"",
                            "\"data-sha256\": \"", "\"started\": \"2", "\"ended\": \"2"})
    assert_in(words, record);
  const std::string command = "unetseg-trainer train --data " + small_run().data;
  assert_in(command, record);
  const std::string card = text_of(run + "/card.md");
  for (const std::string& words :
       {std::string("`improved-unet`, base width 4"), std::string("Not a medical device"), command,
        std::string("14 training and 3 validation images"), std::string("32 steps, 8 epochs"),
        std::string("Dice 0.")})
    assert_in(words, card);
  // The log is what was printed, behind the command.
  ck_assert_uint_eq(text_of(run + "/log.txt").find(command), 0);
  assert_in(small_run().log, text_of(run + "/log.txt"));
  assert_in("32 steps, 8.0 epochs of 4: about", small_run().log);
  assert_in("best epoch", small_run().log);
}
END_TEST

START_TEST(test_saved_configuration_repeats_the_run_and_steps_its_length) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = train_arguments(small_run().data, folder.path() + "/a", 1);
  arguments[5] = "--steps";
  arguments[6] = "6";  // one epoch and a half
  assert_code(run_trainer(arguments), 0);
  const std::vector<std::string> metrics = stable_metrics(folder.path() + "/a");
  ck_assert_uint_eq(metrics.size(), 3);
  ck_assert_uint_eq(metrics[2].find("2,6,"), 0);
  assert_code(run_trainer({"train", "--config", folder.path() + "/a/config.json", "--data",
                           small_run().data, "--output", folder.path() + "/b"}),
              0);
  ck_assert(stable_metrics(folder.path() + "/b") == metrics);
}
END_TEST

START_TEST(test_seeds_run_one_after_the_other_and_are_summed_up) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = train_arguments(small_run().data, folder.path(), 1);
  arguments.insert(arguments.end(), {"--seeds", "2", "--seed", "5"});
  const Outcome outcome = run_trainer(arguments);
  assert_code(outcome, 0);
  assert_in("run 2 of 2, seed 6", outcome.err);
  assert_in("2 seeds: validation Jaccard 0.", outcome.err);
  assert_in("\"seed\": 6", text_of(folder.path() + "/seed-2/config.json"));
  ck_assert(stable_metrics(folder.path() + "/seed-1") != stable_metrics(folder.path() + "/seed-2"));
  ck_assert_uint_eq(lines_of(text_of(folder.path() + "/seeds.csv")).size(), 3);
  assert_in("loss", text_of(folder.path() + "/seed-1/log.txt"));
}
END_TEST

START_TEST(test_dry_run_does_all_once_and_leaves_nothing) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments =
      train_arguments(small_run().data, folder.path() + "/runs/new", 40);
  arguments.push_back("--dry-run");
  const Outcome outcome = run_trainer(arguments);
  assert_code(outcome, 0);
  assert_in("bit for bit", outcome.err);
  assert_in("160 steps (40.0 epochs) would take about", outcome.err);
  assert_in("s for reading the pictures", outcome.err);
  ck_assert(fs::is_empty(folder.path()));
  arguments[4] = small_run().folder;
  assert_error(run_trainer(arguments), 2, "is not empty");
}
END_TEST

START_TEST(test_overfit_batch_learns_sixteen_images_or_is_1) {
  std::vector<std::string> arguments = {
      "train",           "--data", small_run().data, "--overfit-batch",
      "--size",          "32",     "--width",        "4",
      "--threads",       "1",      "--device",       "cpu",
      "--learning-rate", "0.01"};
  const Outcome learnt = run_trainer(arguments);
  assert_code(learnt, 0);
  assert_in("learning 14 images by heart", learnt.err);
  assert_in("on one batch after", learnt.err);
  arguments.insert(arguments.end(), {"--steps", "3"});
  assert_error(run_trainer(arguments), 1, "one batch was not learnt: Dice 0.");
}
END_TEST

START_TEST(test_options_come_from_the_environment_behind_the_command_line) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run", file = folder.path() + "/options.toml";
  std::ofstream(file) << "time-budget = \"9h\"\nseed = 11\nwidth = 2\nno-deep-supervision = true\n";
  setenv("UNETSEG_TRAINER_SEED", "12", 1);
  setenv("UNETSEG_TRAINER_BATCH_SIZE", "7", 1);
  std::vector<std::string> arguments = train_arguments(small_run().data, run, 1);
  arguments.insert(arguments.end(), {"--config", file});
  assert_code(run_trainer(arguments), 0);
  const std::string config = text_of(run + "/config.json");
  for (const char* line : {"\"seed\": 12", "\"batch-size\": 4", "\"time-budget\": 0.0",
                           "\"base-width\": 4", "\"deep-supervision\": false"})
    assert_in(line, config);
  setenv("UNETSEG_TRAINER_BATCHSIZE", "7", 1);
  arguments[4] = folder.path() + "/never";
  assert_error(run_trainer(arguments), 2, "did you mean batch-size?");
}
END_TEST

// A log file gets a line an epoch and no line that draws over itself.
START_TEST(test_train_prints_plain_lines_where_nobody_watches) {
  const std::string& log = small_run().log;
  ck_assert_uint_eq(log.find('\r'), std::string::npos);
  ck_assert_uint_eq(log.find('\033'), std::string::npos);
  std::size_t epochs = 0;
  for (const std::string& line : lines_of(log)) epochs += line.rfind("epoch ", 0) == 0;
  ck_assert_uint_eq(epochs, kSmallRunEpochs);
  assert_in("(best)", log);
  assert_in("14 training, 3 validation", log);
}
END_TEST

START_TEST(test_seed_recipe_follows_the_seeds_training) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  assert_code(run_trainer({"train", "--data", small_run().data, "--output", run, "--recipe", "seed",
                           "--epochs", "1", "--width", "2", "--threads", "1", "--device", "cpu"}),
              0);
  const std::string config = text_of(run + "/config.json");
  for (const char* line :
       {"\"recipe\": \"seed\"", "\"architecture\": \"seed-unet\"", "\"input-width\": 128",
        "\"input-height\": 128", "\"batch-size\": 4", "\"loss\": \"seed-dice\"",
        "\"optimizer\": \"adam\"", "\"learning-rate\": 0.0001", "\"weight-decay\": 0.0",
        "\"schedule\": \"plateau\"", "\"augmentation\": \"none\"", "\"epochs\": 1",
        "\"supersampling\": 1", "\"ema\": 0.0", "\"deep-supervision\": false"})
    assert_in(line, config);
  for (const char* picture : {"/loss.png", "/dice.png", "/predictions.png"})
    ck_assert_uint_gt(colours_of(read_rgb(run + picture)), 20);
}
END_TEST

START_TEST(test_options_can_come_from_a_file_and_the_command_line_wins) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run", file = folder.path() + "/options.toml";
  std::ofstream(file) << "epochs = 1\nwidth = 2\nsize = \"32\"\ndropout = 0.25\nseed = 11\n";
  assert_code(run_trainer({"train", "--config", file, "--data", small_run().data, "--output", run,
                           "--seed", "12", "--threads", "1", "--device", "cpu"}),
              0);
  const std::string config = text_of(run + "/config.json");
  for (const char* line : {"\"epochs\": 1", "\"base-width\": 2", "\"input-width\": 32",
                           "\"dropout\": 0.25", "\"seed\": 12"})
    assert_in(line, config);
  const std::vector<std::string> again = {
      "train", "--config", file, "--data", small_run().data, "--output", folder.path() + "/never"};
  std::ofstream(file) << "epoch = 1\n";
  assert_error(run_trainer(again), 2,
               "'epoch' is no option of train (see --help); did you mean epochs?");
  std::ofstream(file) << "epochs = 0\n";
  assert_error(run_trainer(again), 2, "--epochs");
}
END_TEST

START_TEST(test_init_goes_on_from_weights) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  std::vector<std::string> arguments = train_arguments(small_run().data, run, 1);
  arguments.insert(arguments.end(), {"--init", small_run().folder + "/last.safetensors"});
  assert_code(run_trainer(arguments), 0);
  const auto first_loss = [](const std::string& folder) {
    std::stringstream line(lines_of(text_of(folder + "/metrics.csv"))[1]);
    std::string cell;
    for (int i = 0; i < 4; ++i) std::getline(line, cell, ',');
    return std::stod(cell);
  };
  ck_assert_double_lt(first_loss(run), 0.8 * first_loss(small_run().folder));
  // What does not fit is told before data is read.
  arguments[2] = "/no/such/folder";
  *(std::find(arguments.begin(), arguments.end(), "--width") + 1) = "2";
  arguments[4] = folder.path() + "/other";
  assert_error(run_trainer(arguments), 2, "is of width 4, too wide for a run of width 2");
  // Training stretches pictures.
  const std::string cropping = folder.path() + "/crop.safetensors";
  write_weights_for("crop", cropping);
  arguments.back() = cropping;
  arguments[4] = folder.path() + "/third";
  assert_error(run_trainer(arguments), 2, "start from weights with fit=stretch");
}
END_TEST

// Width and size come from the weights, which the configuration names.
START_TEST(test_init_brings_its_shape_and_belongs_to_the_run) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run", init = small_run().folder + "/last.safetensors";
  const std::vector<std::string> arguments = {
      "train",  "--data", small_run().data, "--output", run,        "--epochs", "1",
      "--init", init,     "--batch-size",   "4",        "--device", "cpu",      "--threads",
      "1"};
  const Outcome tuned = run_trainer(arguments);
  assert_code(tuned, 0);
  assert_in("begins with " + init + ": width 4, input 32x32", tuned.err);
  assert_in("begun with " + init, text_of(run + "/card.md"));
  assert_in("\"init\":\"last.safetensors\"",
            run_trainer({"inspect", run + "/last.safetensors"}).out);
  const std::string again = folder.path() + "/again";
  assert_code(run_trainer({"train", "--config", run + "/config.json", "--data", small_run().data,
                           "--output", again}),
              0);
  ck_assert(stable_metrics(again) == stable_metrics(run));
}
END_TEST

START_TEST(test_widened_runs_of_several_seeds_can_be_repeated) {
  const TemporaryFolder folder;
  const std::string runs = folder.path() + "/runs", again = folder.path() + "/again";
  std::vector<std::string> arguments = train_arguments(small_run().data, runs, 1);
  *(std::find(arguments.begin(), arguments.end(), "--width") + 1) = "6";
  arguments.insert(arguments.end(),
                   {"--seeds", "2", "--init", small_run().folder + "/last.safetensors"});
  const Outcome outcome = run_trainer(arguments);
  assert_code(outcome, 0);
  assert_in("width 4, widened to 6", outcome.err);
  assert_code(run_trainer({"train", "--config", runs + "/seed-2/config.json", "--output", again}),
              0);
  ck_assert(stable_metrics(again) == stable_metrics(runs + "/seed-2"));
}
END_TEST

START_TEST(test_records_hold_in_another_folder_and_for_their_own_data_alone) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run", other = folder.path() + "/other";
  fs::current_path(small_run().folder);
  std::vector<std::string> arguments = train_arguments("../data", run, 1);
  arguments.insert(arguments.end(), {"--skip-bad", "2", "--init", "last.safetensors", "--teacher",
                                     "best.safetensors", "--teacher-tta", "none"});
  assert_code(run_trainer(arguments), 0);
  fs::current_path("/");
  const std::string again = folder.path() + "/again", config = run + "/config.json";
  assert_code(run_trainer({"train", "--config", config, "--output", again}), 0);
  ck_assert(stable_metrics(again) == stable_metrics(run));
  assert_in("\"skip-bad\": 2", text_of(again + "/config.json"));
  setenv("UNETSEG_TRAINER_LEARNING_RATE", "0.5", 1);  // of a new run, not of one that goes on
  const Outcome resumed = run_trainer({"train", "--output", run, "--resume", "--epochs", "2"});
  assert_code(resumed, 0);
  ck_assert_uint_eq(resumed.err.find("learning rate"), std::string::npos);
  assert_code(run_trainer({"train", "--config", config, "--data", small_run().data, "--output",
                           other, "--learning-rate", "1e-3"}),
              0);
  ck_assert_uint_eq(text_of(other + "/config.json").find("skip-bad"), std::string::npos);
}
END_TEST

START_TEST(test_a_manifest_that_is_no_runs_is_left_alone) {
  const TemporaryFolder folder;
  const std::string manifest = folder.path() + "/manifest.csv";
  assert_code(run_trainer({"check", small_run().data, "--manifest", manifest}), 0);
  const std::string bytes = text_of(manifest);
  assert_error(run_trainer(train_arguments(manifest, folder.path(), 1)), 2, "is not empty");
  ck_assert(text_of(manifest) == bytes);
}
END_TEST

START_TEST(test_record_keeps_every_command_of_a_run) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/a run";
  std::vector<std::string> arguments = train_arguments(small_run().data, run, 1);
  arguments.insert(arguments.end(), {"--skip-bad", "2"});
  const Outcome begun = run_trainer(arguments);
  assert_code(begun, 0);
  assert_in("unetseg 'model-file=" + run + "/last.safetensors' !", begun.err);
  assert_in("\"skip-bad\": 2", text_of(run + "/config.json"));
  assert_code(run_trainer({"train", "--data", small_run().data, "--output", run, "--resume",
                           "--epochs", "2"}),
              0);
  for (const char* file : {"/card.md", "/run.json"}) {
    const std::string text = text_of(run + file);
    assert_in("/a run' --epochs 1", text);
    assert_in("/a run' --resume --epochs 2", text);
  }
}
END_TEST

START_TEST(test_seeds_keep_out_of_a_finished_run) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  fs::copy(small_run().folder, run, fs::copy_options::recursive);
  const std::string log = text_of(run + "/log.txt");
  std::vector<std::string> arguments = train_arguments(small_run().data, run, 1);
  arguments.insert(arguments.end(), {"--seeds", "2"});
  assert_error(run_trainer(arguments), 2, "give another --output for --seeds");
  ck_assert(text_of(run + "/log.txt") == log);
  ck_assert(!fs::exists(run + "/seed-1"));
}
END_TEST

// A time budget decides the number of steps, and the run ends by itself.
START_TEST(test_short_time_budget_ends_by_itself) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  std::vector<std::string> arguments = train_arguments(small_run().data, run, 1);
  arguments.erase(arguments.begin() + 5, arguments.begin() + 7);
  arguments.insert(arguments.end(), {"--time-budget", "1s"});
  const Outcome outcome = run_trainer(arguments);
  assert_code(outcome, 0);
  assert_in("allow", outcome.err);
  ck_assert(fs::exists(run + "/last.safetensors"));
  // The schedule has come to its end, and the configuration says how long it was.
  const std::vector<std::string> metrics = lines_of(text_of(run + "/metrics.csv"));
  std::stringstream line(metrics.back());
  std::string cell, step, rate;
  for (std::string* field : {&cell, &step, &rate}) std::getline(line, *field, ',');
  ck_assert_double_lt(std::stod(rate), 1e-6);
  assert_in("\"steps\": " + step + ",", text_of(run + "/config.json"));
}
END_TEST

START_TEST(test_a_teacher_softens_the_truth_and_belongs_to_the_run) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run", teacher = folder.path() + "/teacher.safetensors";
  fs::copy(small_run().folder + "/last.safetensors", teacher);
  std::vector<std::string> arguments = train_arguments(small_run().data, run, 1);
  assert_code(run_trainer(arguments), 0);
  const std::vector<std::string> untaught = stable_metrics(run);
  arguments[4] = folder.path() + "/taught";
  arguments.insert(arguments.end(), {"--teacher", teacher, small_run().folder + "/best.safetensors",
                                     "--teacher-weight", "0.4", "--teacher-tta", "flips"});
  assert_code(run_trainer(arguments), 0);
  const std::vector<std::string> taught = stable_metrics(arguments[4]);
  ck_assert(taught != untaught);
  assert_in("taught by " + teacher, text_of(arguments[4] + "/card.md"));
  const std::string told = run_trainer({"inspect", arguments[4] + "/last.safetensors"}).out;
  assert_in("\"teacher\":[\"teacher.safetensors\",\"best.safetensors\"]", told);
  // The configuration names the files, and repeats the run.
  assert_code(run_trainer({"train", "--config", arguments[4] + "/config.json", "--data",
                           small_run().data, "--output", folder.path() + "/again"}),
              0);
  ck_assert(stable_metrics(folder.path() + "/again") == taught);
  // A run goes on with the teachers that it had, wherever they lie now.
  const std::vector<std::string> resume = {"train",    "--data",     small_run().data,
                                           "--output", arguments[4], "--epochs",
                                           "2",        "--resume",   "--teacher"};
  const auto resumed_with = [&](const std::vector<std::string>& files) {
    std::vector<std::string> all = resume;
    all.insert(all.end(), files.begin(), files.end());
    return run_trainer(all);
  };
  const std::string moved = folder.path() + "/moved.safetensors";
  fs::rename(teacher, moved);
  assert_error(resumed_with({moved}), 2, "teacher-sha256");
  assert_code(resumed_with({moved, small_run().folder + "/best.safetensors"}), 0);
}
END_TEST

START_TEST(test_a_teacher_that_cannot_teach_is_2_before_data_is_read) {
  const TemporaryFolder folder;
  const std::string cropping = folder.path() + "/crop.safetensors", run = folder.path() + "/run";
  write_weights_for("crop", cropping);
  assert_error(
      run_trainer({"train", "--data", "/no/such/folder", "--output", run, "--teacher", cropping}),
      2, "take a teacher with fit=stretch");
  assert_error(run_trainer({"train", "--data", "/no/such/folder", "--output", run, "--recipe",
                            "seed", "--teacher", small_run().folder + "/last.safetensors"}),
               2, "leave --teacher out");
  // What is learnt by heart has no teacher.
  const Outcome by_heart = run_trainer({"train", "--data", "/no/such/folder", "--overfit-batch",
                                        "--teacher", small_run().folder + "/last.safetensors"});
  assert_code(by_heart, 2);
  assert_in("--teacher excludes --overfit-batch", by_heart.err);
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("train");
  TCase* tests = tcase_create("train");
  tcase_set_timeout(tests, 600);
  tcase_add_unchecked_fixture(tests, make_small_run, remove_small_run);
  tcase_add_test(tests, test_train_leaves_weights_metrics_curves_and_panels);
  tcase_add_test(tests, test_train_leaves_a_record_a_card_and_a_log);
  tcase_add_test(tests, test_saved_configuration_repeats_the_run_and_steps_its_length);
  tcase_add_test(tests, test_seeds_run_one_after_the_other_and_are_summed_up);
  tcase_add_test(tests, test_dry_run_does_all_once_and_leaves_nothing);
  tcase_add_test(tests, test_overfit_batch_learns_sixteen_images_or_is_1);
  tcase_add_test(tests, test_options_come_from_the_environment_behind_the_command_line);
  tcase_add_test(tests, test_train_prints_plain_lines_where_nobody_watches);
  tcase_add_test(tests, test_seed_recipe_follows_the_seeds_training);
  tcase_add_test(tests, test_options_can_come_from_a_file_and_the_command_line_wins);
  tcase_add_test(tests, test_init_goes_on_from_weights);
  tcase_add_test(tests, test_init_brings_its_shape_and_belongs_to_the_run);
  tcase_add_test(tests, test_widened_runs_of_several_seeds_can_be_repeated);
  tcase_add_test(tests, test_records_hold_in_another_folder_and_for_their_own_data_alone);
  tcase_add_test(tests, test_a_manifest_that_is_no_runs_is_left_alone);
  tcase_add_test(tests, test_record_keeps_every_command_of_a_run);
  tcase_add_test(tests, test_seeds_keep_out_of_a_finished_run);
  tcase_add_test(tests, test_short_time_budget_ends_by_itself);
  tcase_add_test(tests, test_a_teacher_softens_the_truth_and_belongs_to_the_run);
  tcase_add_test(tests, test_a_teacher_that_cannot_teach_is_2_before_data_is_read);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
