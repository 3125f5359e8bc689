// SPDX-License-Identifier: MIT
// Every engine of the device that UNETSEG_TEST_DEVICE names, against LibTorch on the CPU; on a GPU
// its memory and its faults too. Each test is a process of its own, so that it may ruin the device
// for itself.
#include <ATen/ATen.h>

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

#include "model/engine/engines.h"
#include "model/error.h"
#include "model/network/stored_parameters.h"
#include "trainer/train/flat_parameters.h"

#include "tests/assertions.h"
#include "tests/gpu/device_tests.h"
#include "tests/temporary_folder.h"

using namespace unetseg;

namespace {

struct Size {
  int width, height;
};
const Size kSizes[] = {{128, 128}, {160, 96}, {256, 256}};
const int kBatches[] = {1, 3, 8};

// Weights for an input of this size, and pictures for it.
class Model {
 public:
  explicit Model(const Size& size, const char* architecture = "improved-unet")
      : size_(size), file_(folder_.path() + "/weights") {
    ModelCard card;
    card.architecture = architecture;
    card.input_width = size.width;
    card.input_height = size.height;
    const auto layout = network_layout(card.architecture, card.base_width);
    save_parameters(
        file_, trainer::views_of(trainer::initial_values(card.architecture, layout, 4), layout),
        card, false);
  }

  UnetsegOpenOptions options(const std::string& where, UnetsegEngine engine,
                             UnetsegPrecision precision) {
    device_ = where;
    UnetsegOpenOptions options = {};
    options.model_file = file_.c_str();
    options.device = device_.c_str();
    options.engine = engine;
    options.precision = precision;
    options.n_slots = 1;
    return options;
  }

  std::unique_ptr<Engine> open(UnetsegEngine engine,
                               UnetsegPrecision precision = UNETSEG_PRECISION_FP32) {
    return make_engine(options(asked_device(), engine, precision));
  }

  // n x height x width.
  at::Tensor run(Engine& engine, const at::Tensor& pictures) const {
    const at::Tensor result =
        at::full({pictures.size(0), size_.height, size_.width}, -1, at::kFloat);
    std::vector<const float*> from;
    std::vector<float*> to;
    for (std::int64_t i = 0; i < pictures.size(0); ++i) {
      from.push_back(pictures[i].data_ptr<float>());
      to.push_back(result[i].data_ptr<float>());
    }
    engine.run(from.data(), to.data(), static_cast<int>(from.size()));
    return result;
  }

  at::Tensor pictures(int n) const {
    at::manual_seed(8);
    return at::randn({n, 3, size_.height, size_.width}, at::kFloat);
  }

  at::Tensor reference(const at::Tensor& pictures) {
    return run(*make_engine(options("cpu", UNETSEG_ENGINE_LIBTORCH, UNETSEG_PRECISION_FP32)),
               pictures);
  }

 private:
  const Size size_;
  const TemporaryFolder folder_;
  const std::string file_;
  std::string device_;  // what options point to
};

UnetsegEngine own_engine() {
  return device().is_cuda() ? UNETSEG_ENGINE_FUSED_CUDA : UNETSEG_ENGINE_FUSED_CPU;
}

// Null where this build has no such engine, which is said.
std::unique_ptr<Engine> opened(Model& model, UnetsegEngine engine, UnetsegPrecision precision) {
  try {
    return model.open(engine, precision);
  } catch (const Error& error) {
    if (error.fault() != Fault::settings) throw;
    std::fprintf(stderr, "left out: %s\n", error.what());
    return nullptr;
  }
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

std::vector<UnetsegPrecision> precisions() {
  if (!device().is_cuda()) return {UNETSEG_PRECISION_FP32};
  return {UNETSEG_PRECISION_FP32, UNETSEG_PRECISION_FP16, UNETSEG_PRECISION_BF16};
}

// In a narrow format an engine may be off by twice as much more as LibTorch's plain operators are.
START_TEST(test_every_engine_agrees_with_libtorch_on_the_cpu) {
  Model model(kSizes[_i]);
  const at::Tensor pictures = model.pictures(8);
  const at::Tensor expected = model.reference(pictures);
  for (const UnetsegPrecision precision : precisions()) {
    double tolerance = kEngineTolerance;
    if (precision != UNETSEG_PRECISION_FP32) {
      const auto plain = make_plain_libtorch_engine(
          model.options(asked_device(), UNETSEG_ENGINE_LIBTORCH, precision));
      tolerance += 2 * difference(model.run(*plain, pictures), expected);
    }
    for (const UnetsegEngine kind : {UNETSEG_ENGINE_LIBTORCH, own_engine()}) {
      const auto engine = opened(model, kind, precision);
      if (!engine) continue;
      assert_equal(engine->notice(), "");  // such as one without graphs
      for (const int n : kBatches) {
        const at::Tensor some = pictures.narrow(0, 8 - n, n);
        const at::Tensor found = model.run(*engine, some);
        const double worst = difference(found, expected.narrow(0, 8 - n, n));
        std::fprintf(stderr, "%-10s %s %d x %d, %d at once: off by %.1e\n", engine->name().c_str(),
                     engine->precision().c_str(), kSizes[_i].width, kSizes[_i].height, n, worst);
        ck_assert_double_le(worst, tolerance);
        ck_assert(at::equal(model.run(*engine, some), found));
        ck_assert_double_le(
            difference(model.run(*engine, some.narrow(0, 0, 1)), found.narrow(0, 0, 1)), tolerance);
      }
    }
  }
}
END_TEST

START_TEST(test_libtorch_runs_the_seed_network_too) {
  Model model(kSizes[0], "seed-unet");
  const at::Tensor pictures = model.pictures(2);
  const at::Tensor found = model.run(*model.open(UNETSEG_ENGINE_LIBTORCH), pictures);
  ck_assert_double_le(difference(found, model.reference(pictures)), kEngineTolerance);
}
END_TEST

START_TEST(test_auto_takes_an_engine_that_agrees) {
  Model model(kSizes[0]);
  for (const UnetsegPrecision precision : precisions()) {
    int chosen = 0;
    for (const EngineTrial& trial :
         try_engines(model.options(asked_device(), UNETSEG_ENGINE_AUTO, precision))) {
      std::fprintf(stderr, "%-10s %.3f ms, off by %.1e%s %s\n", trial.name.c_str(),
                   trial.milliseconds, trial.largest_difference, trial.chosen ? ", chosen" : "",
                   trial.refused.c_str());
      ck_assert(trial.passed || !trial.refused.empty());
      chosen += trial.chosen;
    }
    ck_assert_int_eq(chosen, 1);
  }
}
END_TEST

// A function of the CUDA runtime, asked for by name since its header may be missing.
template <typename Function>
Function runtime_function(const char* name) {
  void* found = dlsym(RTLD_DEFAULT, name);
  ck_assert_msg(found != nullptr, "the CUDA runtime has no %s", name);
  return reinterpret_cast<Function>(found);
}

// What is in the default stream so far.
class Event {
 public:
  Event() {
    ck_assert_int_eq(runtime_function<int (*)(void**)>("cudaEventCreate")(&event_), 0);
    ck_assert_int_eq(runtime_function<int (*)(void*, void*)>("cudaEventRecord")(event_, nullptr),
                     0);
  }
  ~Event() { runtime_function<int (*)(void*)>("cudaEventDestroy")(event_); }
  void* handle() const { return event_; }

 private:
  void* event_ = nullptr;
};

START_TEST(test_pictures_on_the_device_give_what_those_in_memory_do) {
  Model model(kSizes[_i]);
  const at::Tensor pictures = model.pictures(8);
  for (const UnetsegEngine kind : {UNETSEG_ENGINE_LIBTORCH, own_engine()}) {
    const auto engine = opened(model, kind, UNETSEG_PRECISION_FP16);
    if (!engine) continue;
    ck_assert_ptr_nonnull(engine->on_device());
    for (const int n : kBatches) {
      const at::Tensor expected = model.run(*engine, pictures.narrow(0, 0, n));
      const at::Tensor there = pictures.to(device()), found = at::full_like(expected, -1);
      const Event ready;
      std::vector<DevicePicture> from;
      std::vector<float*> to;
      for (int i = 0; i < n; ++i) {
        from.push_back({there[i].data_ptr<float>(), ready.handle()});
        to.push_back(found[i].data_ptr<float>());
      }
      engine->on_device()->run(from.data(), to.data(), n);
      ck_assert(at::equal(found, expected));
    }
  }
}
END_TEST

// Of the whole device, so that nothing else may run on it.
std::size_t free_memory() {
  std::size_t free = 0, total = 0;
  ck_assert_int_eq(
      runtime_function<int (*)(std::size_t*, std::size_t*)>("cudaMemGetInfo")(&free, &total), 0);
  return free;
}

// As many as UNETSEG_TEST_INFERENCES says, or a thousand.
START_TEST(test_memory_of_the_gpu_stays_what_it_was) {
  const char* asked = std::getenv("UNETSEG_TEST_INFERENCES");
  const int count = asked != nullptr ? std::atoi(asked) : 1000;
  Model model(kSizes[0]);
  const at::Tensor pictures = model.pictures(8);
  for (const UnetsegEngine kind : {UNETSEG_ENGINE_LIBTORCH, own_engine()}) {
    const auto engine = opened(model, kind, UNETSEG_PRECISION_FP16);
    if (!engine) continue;
    for (const int n : kBatches) model.run(*engine, pictures.narrow(0, 0, n));
    const std::size_t before = free_memory();
    for (int i = 0; i < count; ++i)
      model.run(*engine, pictures.narrow(0, 0, i % 10 == 0 ? kBatches[i / 10 % 3] : 1));
    const std::size_t after = free_memory();
    std::fprintf(stderr, "%s: %zu bytes free before %d inferences, %zu after\n",
                 engine->name().c_str(), before, count, after);
    ck_assert_uint_ge(after, before);
  }
}
END_TEST

// All but a few MiB, as another program would have them: LibTorch gives what it has once taken back
// to itself only.
class AllMemory {
 public:
  AllMemory() {
    const auto allocate = runtime_function<int (*)(void**, std::size_t)>("cudaMalloc");
    constexpr std::size_t kLeast = std::size_t{1} << 20;
    for (std::size_t size = std::size_t{1} << 40; size >= kLeast;) {
      void* block = nullptr;
      if (allocate(&block, size) == 0)
        taken_.push_back(block);
      else
        size /= 2;
    }
    // Or whoever asks next would take the error for one of its own.
    runtime_function<int (*)()>("cudaGetLastError")();
  }
  ~AllMemory() {
    const auto free = runtime_function<int (*)(void*)>("cudaFree");
    for (void* block : taken_) free(block);
  }

 private:
  std::vector<void*> taken_;
};

START_TEST(test_b5_a_gpu_without_memory_is_an_error_that_passes) {
  Model model({512, 512});
  for (const UnetsegEngine kind : {UNETSEG_ENGINE_LIBTORCH, own_engine()}) {
    if (!opened(model, kind, UNETSEG_PRECISION_FP32)) continue;
    const AllMemory taken;
    const Error error = error_of([&] { opened(model, kind, UNETSEG_PRECISION_FP32); });
    assert_fault(error, Fault::no_space);
  }
  opened(model, UNETSEG_ENGINE_LIBTORCH, UNETSEG_PRECISION_FP32);
}
END_TEST

START_TEST(test_b6_memory_that_runs_out_mid_stream_costs_frames_and_no_more) {
  Model model({512, 512});
  const at::Tensor pictures = model.pictures(16);
  for (const UnetsegEngine kind : {UNETSEG_ENGINE_LIBTORCH, own_engine()}) {
    const auto engine = opened(model, kind, UNETSEG_PRECISION_FP32);
    if (!engine) continue;
    const at::Tensor before = model.run(*engine, pictures.narrow(0, 0, 1));
    {
      const AllMemory taken;
      assert_fault(error_of([&] { model.run(*engine, pictures); }), Fault::no_space);
    }
    ck_assert_double_le(difference(model.run(*engine, pictures.narrow(0, 0, 1)), before), 1e-4);
    model.run(*engine, pictures);
  }
}
END_TEST

// An index beyond the end, which the device answers with an assertion that ends all it does.
void lose_device() {
  try {
    const at::Tensor index =
        at::full({1}, 1000, at::TensorOptions().dtype(at::kLong).device(device()));
    at::zeros({4}, at::TensorOptions().device(device())).index_select(0, index).cpu();
  } catch (const c10::Error&) {
    return;
  }
  ck_abort_msg("the device took an index beyond the end");
}

START_TEST(test_b7_a_lost_gpu_is_lost_to_the_process_and_the_cpu_goes_on) {
  Model model(kSizes[0]);
  const at::Tensor pictures = model.pictures(1);
  const auto first = model.open(UNETSEG_ENGINE_LIBTORCH),
             second = model.open(UNETSEG_ENGINE_LIBTORCH);
  model.run(*first, pictures);
  lose_device();
  for (Engine* engine : {first.get(), second.get(), first.get()})
    assert_fault(error_of([&] { model.run(*engine, pictures); }), Fault::device_lost);
  const Error again = error_of([&] { model.open(UNETSEG_ENGINE_AUTO); });
  assert_fault(again, Fault::device_lost);
  assert_mentions(again, "restart the process");
  assert_equal(probe_device("auto", nullptr), "cpu");
  model.reference(pictures);
}
END_TEST

double median_milliseconds(const Model& model, Engine& engine, const at::Tensor& pictures) {
  constexpr int kWarmUps = 3, kRuns = 30;
  std::vector<double> times;
  for (int i = 0; i < kWarmUps + kRuns; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    model.run(engine, pictures);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    if (i >= kWarmUps) times.push_back(took.count());
  }
  std::nth_element(times.begin(), times.begin() + kRuns / 2, times.end());
  return times[kRuns / 2];
}

// Prints; there is nothing that it could find wrong but an error.
START_TEST(test_times_can_be_taken) {
  struct {
    Size size;
    int batch;
  } const cases[] = {{{128, 128}, 1}, {{256, 256}, 1}, {{128, 128}, 64}};
  std::fprintf(stderr, "%-16s %-6s %9s %6s %11s %10s\n", "engine", "format", "size", "batch",
               "median ms", "frames/s");
  for (const auto& c : cases) {
    if (c.batch > 1 && !device().is_cuda()) continue;
    Model model(c.size);
    const at::Tensor pictures = model.pictures(c.batch);
    for (const UnetsegPrecision precision : precisions()) {
      std::vector<std::pair<std::string, std::unique_ptr<Engine>>> engines;
      engines.emplace_back("plain libtorch",
                           make_plain_libtorch_engine(
                               model.options(asked_device(), UNETSEG_ENGINE_LIBTORCH, precision)));
      for (const UnetsegEngine kind : {UNETSEG_ENGINE_LIBTORCH, own_engine()})
        if (auto engine = opened(model, kind, precision)) {
          const std::string name = engine->name();
          engines.emplace_back(name, std::move(engine));
        }
      for (const auto& [name, engine] : engines) {
        const double milliseconds = median_milliseconds(model, *engine, pictures);
        ck_assert_double_gt(milliseconds, 0);
        std::fprintf(stderr, "%-16s %-6s %4dx%-4d %6d %11.3f %10.0f\n", name.c_str(),
                     engine->precision().c_str(), c.size.width, c.size.height, c.batch,
                     milliseconds, 1e3 * c.batch / milliseconds);
      }
    }
  }
}
END_TEST

}  // namespace

TCase* engine_cases() {
  TCase* cases = tcase_create("engines");
  tcase_set_timeout(cases, 300);
  tcase_add_loop_test(cases, test_every_engine_agrees_with_libtorch_on_the_cpu, 0,
                      static_cast<int>(std::size(kSizes)));
  tcase_add_test(cases, test_libtorch_runs_the_seed_network_too);
  tcase_add_test(cases, test_auto_takes_an_engine_that_agrees);
  if (asked_device() != "cpu") {
    tcase_add_loop_test(cases, test_pictures_on_the_device_give_what_those_in_memory_do, 0,
                        static_cast<int>(std::size(kSizes)));
    tcase_add_test(cases, test_memory_of_the_gpu_stays_what_it_was);
    tcase_add_test(cases, test_b5_a_gpu_without_memory_is_an_error_that_passes);
    tcase_add_test(cases, test_b6_memory_that_runs_out_mid_stream_costs_frames_and_no_more);
    tcase_add_test(cases, test_b7_a_lost_gpu_is_lost_to_the_process_and_the_cpu_goes_on);
  }
  tcase_add_test(cases, test_times_can_be_taken);
  return cases;
}
