// SPDX-License-Identifier: MIT
// Which engine runs what, and that the fused one behind the interface is the one that was asked
// for. Run with CK_FORK=no: LibTorch's threads do not survive a fork.
#include <atomic>
#include <cmath>
#include <memory>
#include <thread>

#include "model/engine/engines.h"
#include "model/engine/fused/kernels.h"
#include "model/engine/names.h"
#include "tests/temporary_folder.h"

#include "tests/assertions.h"
#include "tests/plugin/small_weights.h"

using namespace unetseg;

namespace {

constexpr std::size_t kPixels = 32 * 32;  // of SmallWeights' input

UnetsegOpenOptions options_for(const std::string& file, UnetsegEngine engine,
                               UnetsegPrecision precision = UNETSEG_PRECISION_FP32) {
  UnetsegOpenOptions options = {};
  options.precision = precision;
  options.model_file = file.c_str();
  options.device = "cpu";
  options.engine = engine;
  options.threads = 2;
  options.n_slots = 1;
  return options;
}

std::vector<float> picture(int number) {
  std::vector<float> values(3 * kPixels);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(std::sin(static_cast<double>(i) * .37 + number)) * .5f + .5f;
  return values;
}

std::vector<std::vector<float>> infer(Engine& engine, int first, int n) {
  std::vector<std::vector<float>> pictures, maps(static_cast<std::size_t>(n));
  std::vector<const float*> from;
  std::vector<float*> to;
  for (int i = 0; i < n; ++i) pictures.push_back(picture(first + i));
  for (std::size_t i = 0; i < maps.size(); ++i) {
    maps[i].resize(kPixels);
    from.push_back(pictures[i].data());
    to.push_back(maps[i].data());
  }
  engine.run(from.data(), to.data(), n);
  return maps;
}

struct Weights {
  explicit Weights(const char* architecture = "improved-unet", int width = 8)
      : file(folder.path() + "/weights") {
    SmallWeights(architecture, width).write(file);
  }
  TemporaryFolder folder;
  std::string file;
};

START_TEST(test_each_engine_is_to_be_had_by_name) {
  const Weights weights;
  for (const auto& [engine, name] : {std::pair(UNETSEG_ENGINE_LIBTORCH, "libtorch"),
                                     std::pair(UNETSEG_ENGINE_FUSED_CPU, "fused-cpu")}) {
    const auto made = make_engine(options_for(weights.file, engine));
    assert_equal(made->name(), name);
    assert_equal(made->device(), "cpu");
    assert_equal(made->precision(), "fp32");
  }
}
END_TEST

START_TEST(test_both_engines_agree_on_pictures_and_batches) {
  const Weights weights;
  const auto libtorch = make_engine(options_for(weights.file, UNETSEG_ENGINE_LIBTORCH));
  const auto fused = make_engine(options_for(weights.file, UNETSEG_ENGINE_FUSED_CPU));
  constexpr int kMany = 64;
  const auto expected = infer(*libtorch, 0, 3);
  const auto many = infer(*fused, 0, kMany);
  for (std::size_t i = 0; i < expected.size(); ++i)
    for (std::size_t j = 0; j < kPixels; ++j)
      ck_assert_double_eq_tol(static_cast<double>(many[i][j]), static_cast<double>(expected[i][j]),
                              1e-4);
  // A batch gives each picture what it gets alone.
  for (const int i : {0, 1, 31, 63})
    ck_assert(infer(*fused, i, 1)[0] == many[static_cast<std::size_t>(i)]);
  ck_assert(infer(*fused, 5, 3)[2] == many[7]);
}
END_TEST

// bfloat16 is tried where the format is left open and the processor multiplies it.
START_TEST(test_auto_takes_an_engine_that_agrees_and_a_trial_says_which) {
  const Weights weights;
  const bool has_bf16 = fused::best_bf16_kernels() != nullptr;
  for (const UnetsegPrecision precision : {UNETSEG_PRECISION_AUTO, UNETSEG_PRECISION_FP32}) {
    const UnetsegOpenOptions options = options_for(weights.file, UNETSEG_ENGINE_AUTO, precision);
    const std::string chosen = make_engine(options)->name();
    ck_assert(chosen == "libtorch" || chosen == "fused-cpu");
    const std::vector<EngineTrial> trials = try_engines(options);
    const bool open = precision == UNETSEG_PRECISION_AUTO;
    ck_assert_uint_eq(trials.size(), open && has_bf16 ? 3 : 2);
    int chosen_ones = 0;
    for (const EngineTrial& trial : trials) {
      ck_assert(trial.passed);
      ck_assert_double_gt(trial.milliseconds, 0);
      ck_assert_double_le(trial.largest_difference, trial.precision == UNETSEG_PRECISION_BF16
                                                        ? kMostLostByAuto
                                                        : kEngineTolerance);
      assert_equal(trial.engine->precision(), name_of(trial.precision));
      chosen_ones += trial.chosen;
    }
    ck_assert_int_eq(chosen_ones, 1);
  }
}
END_TEST

// By its name, and never where the processor would have to emulate it.
START_TEST(test_bf16_runs_where_the_processor_has_it) {
  const Weights weights;
  const UnetsegOpenOptions options =
      options_for(weights.file, UNETSEG_ENGINE_FUSED_CPU, UNETSEG_PRECISION_BF16);
  if (fused::best_bf16_kernels() == nullptr) {
    const Error error = error_of([&] { make_engine(options); });
    assert_fault(error, Fault::settings);
    assert_mentions(error, "precision=auto");
    return;
  }
  const auto narrow = make_engine(options);
  assert_equal(narrow->name(), "fused-cpu");
  assert_equal(narrow->precision(), "bf16");
  const auto wide = make_engine(options_for(weights.file, UNETSEG_ENGINE_FUSED_CPU));
  assert_equal(wide->precision(), "fp32");
  const auto found = infer(*narrow, 0, 9), expected = infer(*wide, 0, 9);
  bool differs = false;
  for (std::size_t i = 0; i < found.size(); ++i)
    for (std::size_t j = 0; j < kPixels; ++j) {
      ck_assert_double_eq_tol(static_cast<double>(found[i][j]), static_cast<double>(expected[i][j]),
                              kMostLostByAuto);
      differs = differs || found[i][j] != expected[i][j];
    }
  ck_assert(differs);
  ck_assert(infer(*narrow, 4, 1)[0] == found[4]);
  for (const EngineTrial& trial :
       try_engines(options_for(weights.file, UNETSEG_ENGINE_AUTO, UNETSEG_PRECISION_BF16)))
    ck_assert(trial.passed && trial.engine->precision() == "bf16");
}
END_TEST

START_TEST(test_what_only_libtorch_runs_goes_to_it) {
  const Weights seed("seed-unet", 2);
  assert_equal(make_engine(options_for(seed.file, UNETSEG_ENGINE_AUTO))->name(), "libtorch");
  const std::string refusal =
      error_of([&] { make_engine(options_for(seed.file, UNETSEG_ENGINE_FUSED_CPU)); }).what();
  ck_assert(refusal.find("engine=auto or libtorch") != std::string::npos);
  for (const EngineTrial& trial : try_engines(options_for(seed.file, UNETSEG_ENGINE_AUTO)))
    ck_assert(trial.refused.empty() == (trial.name == "libtorch"));

  const Weights weights;
  for (const UnetsegPrecision precision : {UNETSEG_PRECISION_FP16, UNETSEG_PRECISION_INT8})
    assert_fault(error_of([&] {
                   make_engine(options_for(weights.file, UNETSEG_ENGINE_FUSED_CPU, precision));
                 }),
                 Fault::settings);
  UnetsegOpenOptions gpu = options_for(weights.file, UNETSEG_ENGINE_FUSED_CPU);
  gpu.device = "cuda:99";
  ck_assert(error_of([&] { make_engine(gpu); }).fault() == Fault::no_device);
}
END_TEST

START_TEST(test_b4_the_engine_of_a_gpu_is_refused_without_one) {
  const Weights weights;
  UnetsegOpenOptions options = options_for(weights.file, UNETSEG_ENGINE_FUSED_CUDA);
  const Error error = error_of([&] { make_engine(options); });
  assert_fault(error, Fault::settings);
  assert_mentions(error, "engine=auto");
  options.device = "cuda:99";
  assert_fault(error_of([&] { make_engine(options); }), Fault::no_device);
}
END_TEST

START_TEST(test_names_of_engines_are_those_of_the_property) {
  ck_assert_int_eq(engine_named("auto"), UNETSEG_ENGINE_AUTO);
  ck_assert_int_eq(engine_named("libtorch"), UNETSEG_ENGINE_LIBTORCH);
  ck_assert_int_eq(engine_named("fused-cpu"), UNETSEG_ENGINE_FUSED_CPU);
  ck_assert_int_eq(engine_named("fused-cuda"), UNETSEG_ENGINE_FUSED_CUDA);
  assert_mentions(error_of([&] { engine_named("fused"); }), "fused-cuda");
  for (const UnetsegPrecision precision :
       {UNETSEG_PRECISION_AUTO, UNETSEG_PRECISION_FP32, UNETSEG_PRECISION_BF16,
        UNETSEG_PRECISION_FP16, UNETSEG_PRECISION_INT8})
    ck_assert_int_eq(precision_named(name_of(precision)), precision);
  assert_mentions(error_of([&] { precision_named("fp8"); }), "bf16");
}
END_TEST

START_TEST(test_m7_weights_of_other_shapes_are_named_by_the_fused_engine_too) {
  const TemporaryFolder folder;
  SmallWeights weights;
  weights.layout[0].shape = {1, 3, 3, 6};  // as many values
  weights.write(folder.path() + "/weights");
  const std::string file = folder.path() + "/weights";
  const std::string fused =
      error_of([&] { make_engine(options_for(file, UNETSEG_ENGINE_FUSED_CPU)); }).what();
  assert_equal(fused,
               error_of([&] { make_engine(options_for(file, UNETSEG_ENGINE_LIBTORCH)); }).what());
  ck_assert(fused.find(weights.layout[0].name) != std::string::npos);
}
END_TEST

// Eight elements of one process: one set of threads and one inference's memory, and no mix-up.
START_TEST(test_engines_of_several_threads_share_a_runner) {
  const Weights weights;
  std::vector<std::unique_ptr<Engine>> engines;
  for (int i = 0; i < 8; ++i)
    engines.push_back(make_engine(options_for(weights.file, UNETSEG_ENGINE_FUSED_CPU)));
  const auto expected = infer(*engines[0], 0, 8);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < engines.size(); ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 20; ++k) {
        const int n = k % 5 == 0 ? 3 : 1;
        if (infer(*engines[i], static_cast<int>(i) / 2, n)[0] != expected[i / 2]) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  ck_assert_int_eq(wrong, 0);
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("choice of engines");
  TCase* tests = tcase_create("engines");
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, test_each_engine_is_to_be_had_by_name);
  tcase_add_test(tests, test_both_engines_agree_on_pictures_and_batches);
  tcase_add_test(tests, test_auto_takes_an_engine_that_agrees_and_a_trial_says_which);
  tcase_add_test(tests, test_bf16_runs_where_the_processor_has_it);
  tcase_add_test(tests, test_what_only_libtorch_runs_goes_to_it);
  tcase_add_test(tests, test_b4_the_engine_of_a_gpu_is_refused_without_one);
  tcase_add_test(tests, test_names_of_engines_are_those_of_the_property);
  tcase_add_test(tests, test_m7_weights_of_other_shapes_are_named_by_the_fused_engine_too);
  tcase_add_test(tests, test_engines_of_several_threads_share_a_runner);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
