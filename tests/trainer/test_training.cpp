// SPDX-License-Identifier: MIT
// Whole training runs on a handful of drawn discs: resume, interruption, divergence, learning.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <filesystem>

#include "model/error.h"
#include "model/network/stored_parameters.h"
#include "model/storage/atomic_file.h"
#include "trainer/train/collapse.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/run.h"

#include "tests/assertions.h"
#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/drawn_discs.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;
using namespace unetseg::trainer;

namespace {

Config small_config() {
  Config config = recipe("default");
  config.base_width = 4;
  config.input_width = config.input_height = 32;
  config.batch_size = 4;
  config.epochs = 3;
  config.device = "cpu";
  config.precision = "fp32";
  return config;
}

// One thread unless a test wants more: the pictures are too small to share.
struct Sets {
  Sets() { at::set_num_threads(1); }
  DecodedSet train = discs(10, 32, 1), validation = discs(4, 32, 2);
};

std::string run_folder(const TemporaryFolder& folder, const char* name) {
  const std::string path = folder.path() + "/" + name;
  std::filesystem::create_directories(path + "/checkpoint");
  return path;
}

// Stops after `steps` steps (0: never) and keeps every loss.
struct Observed {
  std::vector<double> losses;
  std::atomic<bool> stop{false};
  RunEvents events(std::int64_t steps) {
    RunEvents events;
    events.step = [this, steps](const StepInfo& info) {
      losses.push_back(info.loss);
      if (steps > 0 && info.step >= steps) stop = true;
    };
    return events;
  }
};

START_TEST(test_t3_resumed_run_is_bit_equal_to_an_unbroken_one) {
  const TemporaryFolder folder;
  const Sets sets;
  if (_i == 0) at::set_num_threads(2);
  Config config = small_config();
  const char* const schedules[] = {"cosine", "plateau", "cosine", "poly"};
  config.schedule = schedules[_i];
  if (_i == 3) config.optimizer = "sgd";
  const std::string whole = run_folder(folder, "whole"), broken = run_folder(folder, "broken");

  Observed unbroken;
  TrainingRun run(config, sets.train, sets.validation, whole, "data", unbroken.events(0));
  ck_assert(run.run(unbroken.stop) == RunEnd::finished);
  ck_assert_uint_eq(unbroken.losses.size(), 9);

  // Broken off twice: within the first and the third epoch, or at the ends of both.
  const std::int64_t breaks[2][2] = {{2, 7}, {3, 9}};
  Observed first;
  TrainingRun start(config, sets.train, sets.validation, broken, "data",
                    first.events(breaks[_i / 2][0]));
  ck_assert(start.run(first.stop) == RunEnd::interrupted);
  Observed second;
  TrainingRun middle(config, sets.train, sets.validation, broken, "data",
                     second.events(breaks[_i / 2][1]));
  middle.resume(load_checkpoint(broken + "/checkpoint", nullptr));
  ck_assert(middle.run(second.stop) == RunEnd::interrupted);
  Observed third;
  TrainingRun end(config, sets.train, sets.validation, broken, "data", third.events(0));
  end.resume(load_checkpoint(broken + "/checkpoint", nullptr));
  ck_assert(end.run(third.stop) == RunEnd::finished);

  std::vector<double> losses = first.losses;
  losses.insert(losses.end(), second.losses.begin(), second.losses.end());
  losses.insert(losses.end(), third.losses.begin(), third.losses.end());
  ck_assert_uint_eq(losses.size(), unbroken.losses.size());
  for (std::size_t i = 0; i < losses.size(); ++i)
    ck_assert_double_eq(losses[i], unbroken.losses[i]);
  const Checkpoint a = load_checkpoint(whole + "/checkpoint", nullptr);
  const Checkpoint b = load_checkpoint(broken + "/checkpoint", nullptr);
  ck_assert(at::equal(a.values, b.values));
  ck_assert(at::equal(a.average, b.average));
  ck_assert(at::equal(a.second_moment, b.second_moment));
  ck_assert_uint_eq(a.progress.history.size(), b.progress.history.size());
  for (std::size_t i = 0; i < a.progress.history.size(); ++i) {
    ck_assert_double_eq(a.progress.history[i].train_loss, b.progress.history[i].train_loss);
    ck_assert_double_eq(a.progress.history[i].validation_loss,
                        b.progress.history[i].validation_loss);
  }
}
END_TEST

START_TEST(test_training_learns_and_its_weights_run_as_they_were_scored) {
  const TemporaryFolder folder;
  const Sets sets;
  Config config = small_config();
  config.epochs = 60;
  config.augmentation = "light";  // ten discs and 180 steps are too few for more
  config.no_lesion = 0.03;
  const std::string path = run_folder(folder, "run");
  const std::atomic<bool> stop{false};
  TrainingRun run(config, sets.train, sets.validation, path, "data", {});
  ck_assert(run.run(stop) == RunEnd::finished);
  const EpochRecord& last = run.progress().history.back();
  ck_assert_double_gt(last.validation_dice, 0.9);
  double smoothed = 0, best = -1;
  std::int64_t best_epoch = 0;
  for (const EpochRecord& record : run.progress().history) {
    smoothed = record.epoch == 1 ? record.validation_jaccard
                                 : 0.8 * smoothed + 0.2 * record.validation_jaccard;
    if (smoothed <= best) continue;
    best = smoothed;
    best_epoch = record.epoch;
  }
  ck_assert_int_eq(run.progress().best_epoch, best_epoch);

  const SafetensorsFile file = read_safetensors(path + "/last.safetensors");
  const ModelCard card = card_of(file);
  ck_assert_int_eq(card.base_width, 4);
  ck_assert_int_eq(card.input_width, 32);
  const auto network = make_network(card.architecture, card.base_width, parameters_of(file));
  const ValidationResult again =
      validate(*network, sets.validation, BatchMaker(sets.validation, 32, 32, at::kCPU), 2,
               config.loss, card.threshold);
  ck_assert_double_eq_tol(again.mean_dice(), last.validation_dice, 0.005);  // half precision
  ck_assert(std::filesystem::exists(path + "/best.safetensors"));
}
END_TEST

START_TEST(test_seed_recipe_trains_the_seed_network) {
  const TemporaryFolder folder;
  const Sets sets;
  Config config = recipe("seed");
  ck_assert_str_eq(config.architecture.c_str(), "seed-unet");
  ck_assert_str_eq(config.optimizer.c_str(), "adam");
  ck_assert_double_eq(config.learning_rate, 1e-4);
  ck_assert_int_eq(config.batch_size, 4);
  ck_assert_int_eq(config.epochs, 70);
  config.base_width = 2;
  config.input_width = config.input_height = 32;
  config.epochs = 2;
  config.device = "cpu";
  config.precision = "fp32";
  const std::string path = run_folder(folder, "seed");
  const std::atomic<bool> stop{false};
  TrainingRun run(config, sets.train, sets.validation, path, "data", {});
  ck_assert(run.run(stop) == RunEnd::finished);
  ck_assert_int_eq(run.progress().step, 6);
  const ModelCard card = card_of(read_safetensors(path + "/last.safetensors"));
  ck_assert_str_eq(card.architecture.c_str(), "seed-unet");
  ck_assert_double_eq_tol(card.threshold, 0.6224593, 1e-6);  // raw output above 0.5
}
END_TEST

// What a run that must diverge says.
std::string divergence_of(TrainingRun* run) {
  const std::atomic<bool> stop{false};
  try {
    run->run(stop);
  } catch (const Diverged& error) {
    return error.what();
  }
  ck_abort_msg("the run did not diverge");
}

void assert_says(const std::string& text, const std::string& words) {
  ck_assert_msg(text.find(words) != std::string::npos, "'%s' is not in '%s'", words.c_str(),
                text.c_str());
}

START_TEST(test_t12_three_steps_without_finite_loss_end_the_run_and_its_checkpoint_is_kept) {
  const TemporaryFolder folder;
  const Sets sets;
  const DecodedSet train = discs(40, 32, 1);  // ten steps an epoch
  Config config = small_config();
  config.epochs = 1;
  const std::string path = run_folder(folder, "run"), checkpoints = path + "/checkpoint";
  const std::atomic<bool> stop{false};
  TrainingRun good(config, train, sets.validation, path, "data", {});
  ck_assert(good.run(stop) == RunEnd::finished);
  const Checkpoint kept = load_checkpoint(checkpoints, nullptr);

  config.epochs = 2;
  Checkpoint poisoned = kept;
  poisoned.values = at::full_like(kept.values, std::nan(""));
  Observed observed;
  TrainingRun bad(config, train, sets.validation, path, "data", observed.events(0));
  bad.resume(poisoned);
  const std::string said = divergence_of(&bad);
  assert_says(said, "three times in a row at step 12");
  assert_says(said, "the last checkpoint is kept; go on from it with --resume");
  ck_assert_uint_eq(observed.losses.size(), 2);
  const Checkpoint after = load_checkpoint(checkpoints, nullptr);
  ck_assert_int_eq(after.progress.step, 10);
  ck_assert(at::equal(after.values, kept.values));

  const std::string fresh = run_folder(folder, "fresh");
  TrainingRun first(config, train, sets.validation, fresh, "data", {});
  first.resume(poisoned);
  assert_says(divergence_of(&first), "there is no checkpoint yet");
}
END_TEST

START_TEST(test_t12_weights_beyond_half_precision_are_not_exported) {
  const TemporaryFolder folder;
  const Sets sets;
  Config config = small_config();
  config.learning_rate = 1e30;
  config.warm_up = 0;
  config.clip = 0;
  config.steps = 1;
  const std::string path = run_folder(folder, "run");
  TrainingRun run(config, sets.train, sets.validation, path, "data", {});
  assert_says(divergence_of(&run), "grown out of range at step 1");
  ck_assert(!std::filesystem::exists(path + "/last.safetensors"));
  ck_assert(std::filesystem::is_empty(path + "/checkpoint"));
}
END_TEST

// The second of three steps finds weights that are no numbers.
START_TEST(test_t12_skipped_step_changes_nothing_and_counts_for_nothing) {
  const TemporaryFolder folder;
  const Sets sets;
  Config config = small_config();
  config.epochs = 1;
  const std::string path = run_folder(folder, "run");
  std::vector<double> losses;
  Checkpoint live;  // shares the run's tensors
  at::Tensor values, average, moment;
  const std::atomic<bool> stop{false};
  RunEvents events;
  events.step = [&](const StepInfo& info) {
    losses.push_back(info.loss);
    if (info.step == 1) {
      values = live.values.clone();
      average = live.average.clone();
      moment = live.second_moment.clone();
      live.values.fill_(std::nan(""));
    } else if (info.step == 2) {
      ck_assert(live.values.isnan().all().item<bool>());
      ck_assert(at::equal(live.average, average));
      ck_assert(at::equal(live.second_moment, moment));
      live.values.copy_(values);
    }
  };
  TrainingRun run(config, sets.train, sets.validation, path, "data", events);
  live = run.checkpoint();
  ck_assert(run.run(stop) == RunEnd::finished);
  ck_assert_uint_eq(losses.size(), 3);
  ck_assert(!std::isfinite(losses[1]));
  // Batches of 4, 4 and 2.
  ck_assert_double_eq_tol(run.progress().history[0].train_loss, (4 * losses[0] + 2 * losses[2]) / 6,
                          1e-9);
  ck_assert(std::isfinite(run.progress().history[0].gradient_norm));
}
END_TEST

START_TEST(test_t11_damaged_last_checkpoint_falls_back_to_the_one_before) {
  const TemporaryFolder folder;
  const Sets sets;
  const std::string path = run_folder(folder, "run");
  const std::atomic<bool> stop{false};
  TrainingRun run(small_config(), sets.train, sets.validation, path, "data", {});
  run.run(stop);
  const std::string last = path + "/checkpoint/last.safetensors";
  std::filesystem::resize_file(last, std::filesystem::file_size(last) / 2);
  std::string warning;
  const Checkpoint checkpoint = load_checkpoint(path + "/checkpoint", &warning);
  ck_assert(warning.find("prev.safetensors") != std::string::npos);
  ck_assert_int_eq(checkpoint.progress.step, 9);
  std::filesystem::remove(path + "/checkpoint/prev.safetensors");
  bool refused = false;
  try {
    load_checkpoint(path + "/checkpoint", nullptr);
  } catch (const Error& error) {
    refused = error.fault() == Fault::read;
  }
  ck_assert(refused);
}
END_TEST

START_TEST(test_memory_format_changes_last_digits_alone) {
  const TemporaryFolder folder;
  const Sets sets;
  std::vector<double> losses[2];
  for (int i = 0; i < 2; ++i) {
    Config config = small_config();
    config.steps = 2;
    config.memory_format = i == 0 ? "auto" : "contiguous";
    const std::string path = run_folder(folder, i == 0 ? "auto" : "contiguous");
    Observed observed;
    TrainingRun run(config, sets.train, sets.validation, path, "data", observed.events(0));
    ck_assert(run.run(observed.stop) == RunEnd::finished);
    ck_assert_str_eq(run.config().memory_format.c_str(), i == 0 ? "channels-last" : "contiguous");
    losses[i] = observed.losses;
  }
  ck_assert_uint_eq(losses[0].size(), 2);
  for (std::size_t i = 0; i < 2; ++i) ck_assert_double_eq_tol(losses[0][i], losses[1][i], 1e-3);
}
END_TEST

// Epochs of ten steps whose training losses and validation Dice are given.
std::vector<EpochRecord> history_of(const std::vector<double>& losses,
                                    const std::vector<double>& dice, double spread = 0.9) {
  std::vector<EpochRecord> history;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    EpochRecord record;
    record.epoch = static_cast<std::int64_t>(i) + 1;
    record.step = 10 * record.epoch;
    record.train_loss = losses[i];
    record.validation_dice = dice[i];
    record.validation_spread = spread;
    history.push_back(record);
  }
  return history;
}

START_TEST(test_collapse_is_told_from_a_slow_start) {
  // Half of each picture at first, then nothing for long: the loss falls all the while.
  ck_assert(
      !is_lost(history_of({1.4, 1.3, 1.2, 1.1, 1.0, 0.95, 0.9}, {0.35, 0, 0, 0, 0, 0, 0.1}), 0));
  // What was learnt is gone, and the loss with it.
  const auto lost =
      history_of({1.4, 0.6, 0.5, 1.5, 1.4, 1.4, 1.4, 1.3}, {0.35, 0.7, 0.8, 0, 0, 0.01, 0, 0});
  ck_assert(is_lost(lost, 0));
  ck_assert(!is_lost({lost.begin(), lost.end() - 1}, 0));
  // An epoch or two may be bad; they are remembered.
  const auto recovered =
      history_of({1.4, 0.6, 0.5, 1.5, 0.9, 0.6, 0.5}, {0.35, 0.7, 0.8, 0, 0.6, 0.7, 0.8});
  ck_assert(!is_lost(recovered, 0));
  const std::vector<std::int64_t> epochs = collapsed_epochs(recovered, 0);
  ck_assert_uint_eq(epochs.size(), 1);
  ck_assert_int_eq(epochs[0], 4);
  // One answer for every pixel is no answer, whatever the loss does, but not within the warm-up.
  const auto dead = history_of({1.4, 1.3, 1.2, 1.1, 1.0}, {0, 0, 0, 0, 0}, 0);
  ck_assert(is_lost(dead, 0));
  ck_assert(!is_lost(dead, 10));
}
END_TEST

// A network whose weights are all 0 gives one answer everywhere, and learns nothing from it.
START_TEST(test_collapse_ends_the_run_and_keeps_what_was_good) {
  const TemporaryFolder folder;
  const Sets sets;
  Config config = small_config();
  config.epochs = 10;
  config.warm_up = 0;
  config.deep_supervision = false;
  const std::string path = run_folder(folder, "run");
  TrainingRun run(config, sets.train, sets.validation, path, "data", {});
  Parameters zeros;
  for (const ParameterLayout& parameter : network_layout(config.architecture, config.base_width))
    zeros[parameter.name] = at::zeros(parameter.shape);
  run.start_from(zeros);
  const std::string said = divergence_of(&run);
  assert_says(said, "collapsed");
  // Its best epoch is as dead as the others.
  ck_assert(said.find("--init") == std::string::npos);
  ck_assert_uint_eq(run.progress().history.size(), 5);
  ck_assert_int_eq(load_checkpoint(path + "/checkpoint", nullptr).progress.epoch, 4);
}
END_TEST

Checkpoint checkpoint_at(std::int64_t step) {
  Checkpoint checkpoint;
  checkpoint.config = small_config();
  checkpoint.progress.step = step;
  const auto layout = network_layout(checkpoint.config.architecture, checkpoint.config.base_width);
  checkpoint.values = at::full({total_elements(layout)}, static_cast<double>(step));
  checkpoint.first_moment = checkpoint.second_moment = checkpoint.average = checkpoint.values;
  return checkpoint;
}

START_TEST(test_t1_full_disk_leaves_the_checkpoints_as_they_were) {
  const TemporaryFolder folder;
  for (const std::int64_t step : {1, 2}) save_checkpoint(folder.path(), checkpoint_at(step));
  file_operations.write = [](int, const void*, std::size_t) -> ssize_t {
    errno = ENOSPC;
    return -1;
  };
  bool refused = false;
  try {
    save_checkpoint(folder.path(), checkpoint_at(3));
  } catch (const Error& error) {
    refused = error.fault() == Fault::no_space;
  }
  ck_assert(refused);
  std::string warning;
  ck_assert_int_eq(load_checkpoint(folder.path(), &warning).progress.step, 2);
  ck_assert(warning.empty());
  std::filesystem::remove(folder.path() + "/last.safetensors");
  ck_assert_int_eq(load_checkpoint(folder.path(), &warning).progress.step, 1);
}
END_TEST

START_TEST(test_another_time_budget_is_planned_anew) {
  const TemporaryFolder folder;
  const Sets sets;
  Config config = small_config();
  config.time_budget = 3600;
  Checkpoint checkpoint = checkpoint_at(5);
  checkpoint.config = config;
  checkpoint.progress.total_steps = 100;
  TrainingRun same(config, sets.train, sets.validation, folder.path(), "data", {});
  same.resume(checkpoint);
  ck_assert_int_eq(same.progress().total_steps, 100);
  config.time_budget = 7200;
  TrainingRun longer(config, sets.train, sets.validation, folder.path(), "data", {});
  longer.resume(checkpoint);
  ck_assert_int_eq(longer.progress().total_steps, 0);
  ck_assert_int_eq(longer.progress().step, 5);
}
END_TEST

START_TEST(test_t10_changed_settings_are_named) {
  Config saved = small_config(), asked = small_config();
  asked.epochs = 99;
  asked.threads = 7;
  ck_assert(differing_keys(saved, asked).empty());
  asked.base_width = 8;
  asked.dropout = 0.5;
  const std::vector<std::string> keys = differing_keys(saved, asked);
  ck_assert_uint_eq(keys.size(), 2);
  ck_assert_str_eq(keys[0].c_str(), "base-width");
  ck_assert_str_eq(keys[1].c_str(), "dropout");
  const Config back = config_from_json(to_json(asked));
  ck_assert(to_json(back) == to_json(asked));
}
END_TEST

// A run of before there were teachers goes on, and one of before its beginning was kept; one whose
// configuration lacks anything else does not.
START_TEST(test_configurations_of_the_past_are_read) {
  const Config config = small_config();
  nlohmann::ordered_json json = to_json(config);
  for (const char* key :
       {"init", "init-sha256", "teacher", "teacher-sha256", "teacher-weight", "teacher-tta"})
    json.erase(key);
  ck_assert(differing_keys(config_from_json(json), config).empty());
  json.erase("dropout");
  assert_fault(error_of([&] { config_from_json(json); }), Fault::read);
}
END_TEST

// It counted every step of the epoch under way as taken.
START_TEST(test_progress_of_the_past_is_read) {
  ProgressState state;
  state.step = 7;
  state.next_sample = 12;
  state.epoch_steps = 3;
  state.epoch_taken_samples = 8;
  state.epoch_taken_steps = 2;
  state.commands = {"unetseg-trainer train"};
  const ProgressState same = progress_from_json(to_json_text(state));
  ck_assert_int_eq(same.epoch_taken_samples, 8);
  ck_assert_int_eq(same.epoch_taken_steps, 2);
  ck_assert(same.commands == state.commands);
  auto json = nlohmann::ordered_json::parse(to_json_text(state));
  for (const char* key : {"epoch-taken-samples", "epoch-taken-steps", "commands"}) json.erase(key);
  const ProgressState past = progress_from_json(json.dump());
  ck_assert_int_eq(past.step, 7);
  ck_assert_int_eq(past.epoch_taken_samples, 12);
  ck_assert_int_eq(past.epoch_taken_steps, 3);
  ck_assert(past.commands.empty());
}
END_TEST

}  // namespace

Suite* training_suite() {
  Suite* suite = suite_create("training");
  TCase* tests = tcase_create("runs");
  tcase_set_timeout(tests, 600);
  tcase_add_loop_test(tests, test_t3_resumed_run_is_bit_equal_to_an_unbroken_one, 0, 4);
  tcase_add_test(tests, test_t1_full_disk_leaves_the_checkpoints_as_they_were);
  tcase_add_test(tests, test_another_time_budget_is_planned_anew);
  tcase_add_test(tests, test_training_learns_and_its_weights_run_as_they_were_scored);
  tcase_add_test(tests, test_seed_recipe_trains_the_seed_network);
  tcase_add_test(tests,
                 test_t12_three_steps_without_finite_loss_end_the_run_and_its_checkpoint_is_kept);
  tcase_add_test(tests, test_t12_weights_beyond_half_precision_are_not_exported);
  tcase_add_test(tests, test_t12_skipped_step_changes_nothing_and_counts_for_nothing);
  tcase_add_test(tests, test_t11_damaged_last_checkpoint_falls_back_to_the_one_before);
  tcase_add_test(tests, test_t10_changed_settings_are_named);
  tcase_add_test(tests, test_configurations_of_the_past_are_read);
  tcase_add_test(tests, test_progress_of_the_past_is_read);
  tcase_add_test(tests, test_memory_format_changes_last_digits_alone);
  tcase_add_test(tests, test_collapse_is_told_from_a_slow_start);
  tcase_add_test(tests, test_collapse_ends_the_run_and_keeps_what_was_good);
  suite_add_tcase(suite, tests);
  return suite;
}
