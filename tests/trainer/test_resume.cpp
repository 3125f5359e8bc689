// SPDX-License-Identifier: MIT
// Runs that were stopped, killed or damaged, and go on.
#include <sys/resource.h>

#include <csignal>

#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/small_run.h"

namespace fs = std::filesystem;

namespace {

// A disk that takes weights, but no file of a checkpoint's size.
START_TEST(test_t1_checkpoint_that_cannot_be_written_is_4_and_leaves_no_part_of_it) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  const rlimit limit = {1000000, 1000000};
  signal(SIGXFSZ, SIG_IGN);  // inherited: writing then fails with EFBIG
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const Outcome outcome = run_trainer(train_arguments(small_run().data, run, 2));
  assert_error(outcome, 4, "/checkpoint/next.safetensors: cannot be written");
  ck_assert(fs::is_empty(run + "/checkpoint"));
}
END_TEST

// The first trainer would run for hours: what ends it is the signal alone.
START_TEST(test_t4_second_trainer_on_a_folder_is_4_and_sigterm_ends_the_first_with_143) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  TrainerProcess first(train_arguments(small_run().data, run, 100000));
  first.wait_for(run + "/metrics.csv");
  std::vector<std::string> arguments = train_arguments(small_run().data, run, 100000);
  assert_error(run_trainer(arguments), 4, "in use by another trainer");
  arguments.push_back("--resume");
  assert_error(run_trainer(arguments), 4, "in use by another trainer");
  first.send(SIGTERM);
  const Outcome outcome = first.wait();
  assert_code(outcome, 143);
  assert_in("--resume", outcome.err);
  ck_assert(fs::exists(run + "/checkpoint/last.safetensors"));
  // Nobody holds the folder now, but its run is not to be overwritten.
  arguments.pop_back();
  assert_error(run_trainer(arguments), 2, "is not empty");
}
END_TEST

START_TEST(test_t2_interrupted_run_goes_on_to_the_same_numbers) {
  constexpr int kEpochs = 15;
  const TemporaryFolder folder;
  const std::string whole = folder.path() + "/whole", broken = folder.path() + "/broken";
  assert_code(run_trainer(train_arguments(small_run().data, whole, kEpochs)), 0);

  const int signal = _i == 0 ? SIGINT : SIGHUP;
  TrainerProcess first(train_arguments(small_run().data, broken, kEpochs));
  first.wait_for(broken + "/metrics.csv");
  first.send(signal);
  const Outcome interrupted = first.wait();
  assert_code(interrupted, 128 + signal);
  assert_in("stopped; go on with: unetseg-trainer train --output " + broken + " --resume\n",
            interrupted.err);
  ck_assert(fs::exists(broken + "/checkpoint/last.safetensors"));
  ck_assert(!fs::exists(broken + "/last.safetensors"));
  ck_assert_uint_lt(stable_metrics(broken).size(), 1 + kEpochs);

  // The printed command is enough: data, size, width and the rest are known from the folder.
  const Outcome resumed = run_trainer({"train", "--output", broken, "--resume"});
  assert_code(resumed, 0);
  assert_in("going on from step", resumed.err);
  ck_assert(stable_metrics(broken) == stable_metrics(whole));
  const auto tensors = [](const std::string& run) {
    const std::string text = run_trainer({"inspect", run + "/last.safetensors"}).out;
    return text.substr(text.find("sha256"), 80);
  };
  ck_assert(tensors(broken) == tensors(whole));
}
END_TEST

START_TEST(test_t2_second_signal_leaves_at_once_with_files_that_are_whole) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  TrainerProcess trainer(train_arguments(small_run().data, run, 100000));
  trainer.wait_for(run + "/metrics.csv");
  trainer.send_together({SIGINT, SIGTERM});
  const Outcome outcome = trainer.wait();
  ck_assert_msg(outcome.code == 130 || outcome.code == 143, "exit code %d", outcome.code);
  ck_assert_uint_eq(outcome.err.find("stopped"), std::string::npos);
  for (const char* file : {"/checkpoint/last.safetensors", "/best.safetensors"})
    assert_code(run_trainer({"inspect", run + file}), 0);
}
END_TEST

// metrics.csv is written after the checkpoint of the same epoch.
START_TEST(test_t3_killed_run_goes_on_from_its_last_whole_epoch) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run", metrics = run + "/metrics.csv";
  TrainerProcess first(train_arguments(small_run().data, run, 100000));
  first.wait_for(metrics);
  first.send(SIGKILL);
  assert_code(first.wait(), 128 + SIGKILL);
  const std::vector<std::string> before = stable_metrics(run);
  fs::remove(metrics);
  TrainerProcess second({"train", "--data", small_run().data, "--output", run, "--resume"});
  second.wait_for(metrics);
  second.send(SIGTERM);
  const Outcome outcome = second.wait();
  assert_code(outcome, 143);
  assert_in("going on from step", outcome.err);
  const std::vector<std::string> after = stable_metrics(run);
  ck_assert_uint_gt(after.size(), before.size());
  ck_assert(std::equal(before.begin(), before.end(), after.begin()));
}
END_TEST

START_TEST(test_more_epochs_may_be_added_to_a_finished_run) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  fs::copy(small_run().folder, run, fs::copy_options::recursive);
  const std::vector<std::string> resume = {"train",    "--data", small_run().data,
                                           "--output", run,      "--resume"};
  assert_code(run_trainer(resume), 0);
  ck_assert(stable_metrics(run) == stable_metrics(small_run().folder));
  std::vector<std::string> longer = resume;
  longer.insert(longer.end(), {"--epochs", std::to_string(kSmallRunEpochs + 2)});
  assert_code(run_trainer(longer), 0);
  ck_assert_uint_eq(stable_metrics(run).size(), 1 + kSmallRunEpochs + 2);
}
END_TEST

START_TEST(test_t10_resume_with_other_settings_or_data_is_2) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run", other = folder.path() + "/other";
  fs::copy(small_run().folder, run, fs::copy_options::recursive);
  std::vector<std::string> arguments = {"train",     "--data",   small_run().data, "--output",
                                        run,         "--resume", "--width",        "5",
                                        "--dropout", "0.1"};
  assert_error(run_trainer(arguments), 2, "base-width, dropout");
  assert_code(run_trainer(synthesize_arguments(other, "20", "9")), 0);
  assert_error(run_trainer({"train", "--data", other, "--output", run, "--resume"}), 2,
               "the data set is not the one");
  ck_assert(stable_metrics(run) == stable_metrics(small_run().folder));
  assert_error(
      run_trainer({"train", "--data", other, "--output", folder.path() + "/never", "--resume"}), 2,
      "holds no run to resume");
  assert_error(run_trainer({"train", "--output", folder.path() + "/never", "--resume"}), 2,
               "never holds no run to resume");
}
END_TEST

START_TEST(test_t11_damaged_checkpoint_falls_back_and_two_are_4) {
  const TemporaryFolder folder;
  const std::string run = folder.path() + "/run";
  fs::copy(small_run().folder, run, fs::copy_options::recursive);
  const std::vector<std::string> resume = {"train",    "--data", small_run().data,
                                           "--output", run,      "--resume"};
  cut_in_half(run + "/checkpoint/last.safetensors");
  const Outcome fallen_back = run_trainer(resume);
  assert_code(fallen_back, 0);
  assert_in("warning: ", fallen_back.err);
  assert_in("prev.safetensors", fallen_back.err);
  ck_assert(stable_metrics(run) == stable_metrics(small_run().folder));
  cut_in_half(run + "/checkpoint/last.safetensors");
  cut_in_half(run + "/checkpoint/prev.safetensors");
  assert_error(run_trainer(resume), 4, "prev.safetensors");
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("resume");
  TCase* tests = tcase_create("resume");
  tcase_set_timeout(tests, 600);
  tcase_add_unchecked_fixture(tests, make_small_run, remove_small_run);
  tcase_add_test(tests, test_t1_checkpoint_that_cannot_be_written_is_4_and_leaves_no_part_of_it);
  tcase_add_test(tests,
                 test_t4_second_trainer_on_a_folder_is_4_and_sigterm_ends_the_first_with_143);
  tcase_add_loop_test(tests, test_t2_interrupted_run_goes_on_to_the_same_numbers, 0, 2);
  tcase_add_test(tests, test_t2_second_signal_leaves_at_once_with_files_that_are_whole);
  tcase_add_test(tests, test_t3_killed_run_goes_on_from_its_last_whole_epoch);
  tcase_add_test(tests, test_more_epochs_may_be_added_to_a_finished_run);
  tcase_add_test(tests, test_t10_resume_with_other_settings_or_data_is_2);
  tcase_add_test(tests, test_t11_damaged_checkpoint_falls_back_and_two_are_4);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
