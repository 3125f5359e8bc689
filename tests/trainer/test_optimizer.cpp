// SPDX-License-Identifier: MIT
// Optimizer steps against PyTorch on given gradients; schedules, averaging, dropout and budget by
// hand.
#include <ATen/ATen.h>

#include <cmath>

#include "trainer/train/budget.h"
#include "trainer/train/dropout.h"
#include "trainer/train/optimizer.h"
#include "trainer/train/schedule.h"

#include "tests/check.h"
#include "tests/golden.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg::trainer;

namespace {

struct Case {
  const char* name;
  double weight_decay;
  bool decoupled;
};
const Case kCases[] = {{"adam", 0, false}, {"adam_l2", 0.1, false}, {"adamw", 0.1, true}};

START_TEST(test_steps_end_where_pytorch_ends) {
  const Case& c = kCases[_i];
  const Golden golden = read_golden("optimizers.safetensors");
  const at::Tensor values = golden.at("start").flatten().clone();
  at::Tensor mask = at::zeros_like(golden.at("start"));
  mask.select(0, 0).fill_(1);
  Adam::Options options;
  options.weight_decay = c.weight_decay;
  options.decoupled = c.decoupled;
  Adam adam(options, mask.flatten());
  for (std::int64_t step = 0; step < golden.at("rates").size(0); ++step)
    adam.step(values, golden.at("gradients").select(0, step).flatten().clone(),
              golden.at("rates").select(0, step).item<double>());
  ck_assert_double_lt(relative_l2(values, golden.at(c.name).flatten()), 1e-13);
}
END_TEST

START_TEST(test_clipping_keeps_short_gradients_and_shortens_long_ones) {
  const at::Tensor gradient = at::full({4}, 3.0);
  ck_assert_double_eq_tol(clip_norm(gradient, 10), 6, 1e-6);
  ck_assert_double_eq_tol(gradient.norm().item<double>(), 6, 1e-6);
  ck_assert_double_eq_tol(clip_norm(gradient, 1.5), 6, 1e-6);
  ck_assert_double_eq_tol(gradient.norm().item<double>(), 1.5, 1e-5);
  ck_assert_double_eq_tol(clip_norm(gradient, 0), 1.5, 1e-5);
}
END_TEST

// Against the formulas of PyTorch's documentation, number by number.
START_TEST(test_sgd_steps_as_nesterov_does) {
  constexpr double kMomentum = 0.99, kDecay = 0.1;
  double value[2] = {1, -2}, velocity[2] = {0, 0};
  const double mask[2] = {1, 0};
  Config config;
  config.optimizer = "sgd";
  config.weight_decay = kDecay;
  const auto sgd = make_optimizer(config, at::tensor({1.0, 0.0}, at::kDouble));
  const at::Tensor values = at::tensor({1.0, -2.0}, at::kDouble);
  for (int step = 0; step < 5; ++step) {
    const double rate = 0.01 / (1 + step);
    const double gradient[2] = {0.3 - 0.2 * step, 0.5};
    sgd->step(values, at::tensor({gradient[0], gradient[1]}, at::kDouble), rate);
    for (int i = 0; i < 2; ++i) {
      const double g = gradient[i] + kDecay * mask[i] * value[i];
      velocity[i] = kMomentum * velocity[i] + g;
      value[i] -= rate * (g + kMomentum * velocity[i]);
    }
  }
  for (int i = 0; i < 2; ++i) ck_assert_double_eq_tol(values[i].item<double>(), value[i], 1e-13);
}
END_TEST

START_TEST(test_rates_rise_then_fall_to_zero) {
  struct {
    const char* schedule;
    std::int64_t step;
    double factor;
  } const cases[] = {
      {"cosine", 0, 0.01}, {"cosine", 99, 1}, {"cosine", 100, 1}, {"cosine", 550, 0.5},
      {"cosine", 1000, 0}, {"poly", 0, 0.01}, {"poly", 100, 1},   {"poly", 550, 0.5358867312681466},
      {"poly", 1000, 0}};
  for (const auto& c : cases)
    ck_assert_double_eq_tol(rate_factor(c.schedule, c.step, 1000, 0.1), c.factor, 1e-12);
  ck_assert_double_eq_tol(rate_factor("cosine", 0, 10, 0), 1, 1e-12);
}
END_TEST

START_TEST(test_plateau_drops_after_more_than_its_patience) {
  Plateau plateau;
  const double losses[] = {1, 0.9, 0.9, 0.9};
  for (const double loss : losses) plateau.end_of_epoch(loss);
  ck_assert_double_eq(plateau.factor, 1);
  plateau.end_of_epoch(0.9);  // the third epoch without a better loss
  ck_assert_double_eq_tol(plateau.factor, 0.1, 1e-15);
  plateau.end_of_epoch(0.8);
  ck_assert_int_eq(plateau.bad_epochs, 0);
}
END_TEST

START_TEST(test_average_is_short_first_and_a_share_of_the_steps_later) {
  ck_assert_double_eq_tol(ema_decay(0, 10000, 0.05), 0.1, 1e-12);
  ck_assert_double_eq_tol(ema_decay(9000, 10000, 0.05), 1 - 1 / 500.0, 1e-12);
}
END_TEST

START_TEST(test_budget_decides_after_forty_steps_and_follows_a_slower_machine) {
  BudgetPlanner planner(1000, 0, 0, 100);
  std::int64_t total = 0, step = 0;
  double spent = 0;
  for (; total == 0; ++step) {
    spent += 1;
    total = planner.after_step(1, step + 1, spent, 0);
  }
  ck_assert_int_eq(step, 40);
  ck_assert_int_eq(total, 40 + static_cast<std::int64_t>(0.95 * 960));
  std::int64_t corrected = 0;
  while (corrected == 0 && step < total) {
    spent += 2;
    ++step;
    corrected = planner.after_step(2, step, spent, total);
  }
  ck_assert_int_lt(corrected, total);
  ck_assert_double_lt(spent + 2.0 * static_cast<double>(corrected - step), 1000);
}
END_TEST

START_TEST(test_budget_leaves_time_to_score_each_epoch) {
  BudgetPlanner planner(1000, 0, 5, 20);  // five seconds of scoring after every twenty steps
  std::int64_t total = 0, step = 0;
  double spent = 0;
  while (total == 0) {
    spent += 1;
    total = planner.after_step(1, ++step, spent, 0);
    if (step % 20 == 0) spent += 5;
  }
  const double epochs_left = std::ceil(static_cast<double>(total - step) / 20);
  const double end = spent + static_cast<double>(total - step) + 5 * epochs_left;
  ck_assert_double_le(end, 1000);
  ck_assert_double_gt(end, 900);
}
END_TEST

START_TEST(test_dropout_leaves_out_its_share_of_channels_and_scales_the_others) {
  Config config;
  config.base_width = 16;
  config.dropout = 0.3;
  const auto masks = dropout_masks(config, 7, 64);
  ck_assert_uint_eq(masks.size(), 5);
  for (std::size_t level = 0; level < masks.size(); ++level) {
    ck_assert(masks[level].sizes() == at::IntArrayRef({64, std::int64_t{16} << level}));
    const at::Tensor kept = masks[level].gt(0);
    ck_assert_double_eq_tol(kept.to(at::kDouble).mean().item<double>(), 0.7, 0.06);
    ck_assert(at::allclose(masks[level], kept.to(at::kFloat) / 0.7));
  }
  const auto equal = [&](const Config& other, std::int64_t step) {
    return at::equal(masks[4], dropout_masks(other, step, 64)[4]);
  };
  ck_assert(equal(config, 7));
  ck_assert(!equal(config, 8));
  Config other = config;
  other.seed = 2;
  ck_assert(!equal(other, 7));
  other.dropout = 0;
  ck_assert(dropout_masks(other, 7, 64).empty());
}
END_TEST

// Steps of a second in a budget of ten: ten steps of warm-up would be all of it.
START_TEST(test_short_budget_is_planned_by_its_first_step) {
  BudgetPlanner planner(10, 0, 0, 100);
  ck_assert_int_eq(planner.after_step(1, 1, 1, 0), 1 + static_cast<std::int64_t>(0.95 * 9));
  // One that was spent before a resumed run does not hurry it.
  BudgetPlanner resumed(1000, 500, 0, 100);
  ck_assert_int_eq(resumed.after_step(1, 501, 501, 0), 0);
}
END_TEST

START_TEST(test_a_gpus_search_for_kernels_is_not_taken_for_its_speed) {
  constexpr bool kOnGpu = true;
  BudgetPlanner planner(100, 0, 0, 60, kOnGpu);
  std::int64_t total = 0, step = 0;
  double spent = 0;
  const auto take = [&](double seconds) {
    spent += seconds;
    const std::int64_t planned = planner.after_step(seconds, ++step, spent, total);
    if (planned > 0) total = planned;
  };
  while (total == 0) take(0.02);
  const std::int64_t first = total;
  take(20);  // a batch of another size
  while (spent < 30) take(0.02);
  // What the search took is missing; what is left still goes at the rate that was measured.
  ck_assert_int_lt(total, first);
  ck_assert_int_gt(total, static_cast<std::int64_t>(0.9 * 75 / 0.02));
}
END_TEST

}  // namespace

Suite* optimizer_suite() {
  Suite* suite = suite_create("optimizer");
  TCase* tests = tcase_create("optimizer");
  tcase_add_loop_test(tests, test_steps_end_where_pytorch_ends, 0, 3);
  tcase_add_test(tests, test_clipping_keeps_short_gradients_and_shortens_long_ones);
  tcase_add_test(tests, test_sgd_steps_as_nesterov_does);
  tcase_add_test(tests, test_a_gpus_search_for_kernels_is_not_taken_for_its_speed);
  tcase_add_test(tests, test_rates_rise_then_fall_to_zero);
  tcase_add_test(tests, test_plateau_drops_after_more_than_its_patience);
  tcase_add_test(tests, test_average_is_short_first_and_a_share_of_the_steps_later);
  tcase_add_test(tests, test_budget_decides_after_forty_steps_and_follows_a_slower_machine);
  tcase_add_test(tests, test_budget_leaves_time_to_score_each_epoch);
  tcase_add_test(tests, test_dropout_leaves_out_its_share_of_channels_and_scales_the_others);
  tcase_add_test(tests, test_short_budget_is_planned_by_its_first_step);
  suite_add_tcase(suite, tests);
  return suite;
}
