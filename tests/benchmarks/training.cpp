// SPDX-License-Identifier: MIT
// How many images a second the trainer gets through with the default recipe, and how much of a step
// is spent on making its batch. Arguments: the device, "cpu" where there is none; the precision,
// "fp32" where there is none; size, width, batch size.
// Run: meson test -C build --benchmark --verbose training
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "model/engine/engine.h"
#include "model/network/float32.h"
#include "trainer/heap.h"
#include "trainer/train/batch_gradient.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/run.h"

#include "tests/benchmarks/measuring.h"

using namespace unetseg;
using namespace unetseg::trainer;
using benchmarks::Times;

namespace {

// What is counted, after what is not; on a GPU kernels are looked for at first.
struct Length {
  int first, steps;
};
constexpr Length kOnCpu = {1, 6}, kOnGpu = {60, 240};
constexpr int kPictures = 128;

// Dark spots on bright ground.
DecodedSet spots(int count, int side) {
  DecodedSet set;
  set.width = set.height = side;
  set.aspect.assign(static_cast<std::size_t>(count), 1.33f);
  for (int i = 0; i < count; ++i) {
    set.ids.push_back("spot-" + std::to_string(i));
    set.sha256.push_back("image:mask");
    const double radius = side * (.1 + .002 * i);
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x) {
        const double inside = radius - std::hypot(x - side * .5, y - side * .5);
        const auto share = static_cast<std::uint8_t>(255 * std::clamp(inside, 0., 1.));
        const auto bright = static_cast<std::uint8_t>(200 - share / 2 + (x * 7 + y * 13) % 32);
        set.masks.push_back(share);
        set.images.insert(set.images.end(), {bright, bright, bright});
      }
    set.truth.push_back({side, side, {}});
    for (auto mask = set.masks.end() - side * side; mask != set.masks.end(); ++mask)
      set.truth.back().pixels.push_back(*mask > 127 ? 255 : 0);
  }
  return set;
}

// As the program does.
void prepare_device() {
  forbid_tf32();
  at::globalContext().setBenchmarkCuDNN(true);
}

// Seconds of each step.
std::vector<double> train(const Config& config, const DecodedSet& set, const std::string& folder,
                          const Length& length) {
  std::atomic<bool> stop{false};
  std::vector<double> seconds;
  RunEvents events;
  events.step = [&](const StepInfo& info) {
    seconds.push_back(info.seconds_per_step);
    stop = info.step >= length.first + length.steps;
  };
  events.note = [](const std::string& text) { std::printf("%s\n", text.c_str()); };
  const DecodedSet few = samples_of(set, {0, 1, 2, 3});
  TrainingRun(config, set, few, folder, "", events).run(stop);
  seconds.erase(seconds.begin(), seconds.begin() + length.first);
  return seconds;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Where steps run ahead of the device: what the host needs for a batch, and the device for one
// after the other; likewise for their gradients, launched kernel by kernel.
void print_parts(const Config& config, const BatchMaker& batches,
                 const std::vector<std::int64_t>& indices) {
  constexpr int kRounds = 50;
  const auto layout = network_layout(config.architecture, config.base_width);
  const at::Tensor values =
      initial_values(config.architecture, layout, 1).to(at::Device(config.device));
  BatchGradient gradient(config, layout, values, batches);
  const AugmentationPolicy policy;
  const auto timed = [&](const char* name, const auto& work) {
    work(0).item();
    double host = 0;
    const auto begin = std::chrono::steady_clock::now();
    at::Tensor last;
    const auto passed = [&] {
      return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                 .count() /
             kRounds;
    };
    for (int round = 0; round < kRounds; ++round) last = work(round);
    host = passed();
    last.item();  // waits for the device
    std::printf("%s: %.2f ms, of it the host %.2f ms\n", name, passed(), host);
  };
  timed("augmentation", [&](int round) {
    return batches.augmented(indices, policy, config.seed, static_cast<std::uint64_t>(round))
        .images.sum();
  });
  if (gradient.on_device() == nullptr) return;
  gradient.on_device()->load(gradient.batch(indices, 0), {});
  timed("gradient without a graph", [&](int) {
    gradient.on_device()->compute();
    return gradient.on_device()->loss();
  });
}

void benchmark(Config config) {
  config.threads = std::max(1u, std::thread::hardware_concurrency());
  const bool on_gpu = config.device != "cpu";
  const Length length = on_gpu ? kOnGpu : kOnCpu;
  const DecodedSet set =
      spots(std::max(kPictures, 4 * config.batch_size), config.supersampling * config.input_width);
  const std::string folder =
      std::filesystem::temp_directory_path() / ("unetseg-training-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder + "/checkpoint");
  std::vector<double> ms = train(config, set, folder, length);
  std::filesystem::remove_all(folder);
  for (double& step : ms) step *= 1e3;
  const Times step = benchmarks::summarize(ms);
  const double typical = on_gpu ? mean(ms) : step.median;  // steps overlap there

  std::printf("%s width %d, %s, %s, %d x %d, batch %d: %.1f images/s\n",
              config.architecture.c_str(), config.base_width, config.device.c_str(),
              config.precision.c_str(), config.input_width, config.input_height, config.batch_size,
              1e3 * config.batch_size / typical);
  const BatchMaker batches(set, config.input_width, config.input_height, at::Device(config.device));
  std::vector<std::int64_t> indices;
  for (int i = 0; i < config.batch_size; ++i) indices.push_back(i);
  if (on_gpu) {
    std::printf("step %.2f ms [%.2f .. %.2f]\n", typical, step.least, step.p95);
    config.memory_format = "channels-last";
    print_parts(config, batches, indices);
    return;
  }
  // By one thread, where a step shares it among all.
  const Times data = benchmarks::measure(length.steps, [&](int round) {
    const Batch batch = batches.augmented(indices, AugmentationPolicy(), config.seed,
                                          static_cast<std::uint64_t>(round));
    batch.images.sum().item<float>();
  });
  const double share = data.median / config.threads;
  std::printf("step %.0f ms [%.0f .. %.0f], of it %.0f ms (%.0f%%) for data and augmentation\n",
              step.median, step.least, step.p95, share, 100 * share / step.median);
}

}  // namespace

int main(int argc, char** argv) {
  trainer::keep_freed_memory();  // as the program does
  at::set_num_threads(1);
  const auto number = [&](int place, int otherwise) {
    return argc > place ? std::atoi(argv[place]) : otherwise;
  };
  std::printf("%s\n", benchmarks::machine().c_str());
  try {
    Config config = recipe("default");
    config.device = probe_device(argc > 1 ? argv[1] : "cpu", nullptr);
    config.precision = argc > 2 ? argv[2] : "fp32";
    config.input_width = config.input_height = number(3, config.input_width);
    config.base_width = number(4, config.base_width);
    config.batch_size = number(5, config.batch_size);
    if (config.device != "cpu") prepare_device();
    benchmark(config);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
