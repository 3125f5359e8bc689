// SPDX-License-Identifier: MIT
// How many images a second the trainer gets through with the default recipe at 128, and how much of
// a step is spent on making its batch. Arguments: the device, "cpu" where there is none; the
// precision, "fp32" where there is none.
// Run: meson test -C build --benchmark --verbose training
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "model/engine/engine.h"
#include "model/error.h"
#include "trainer/heap.h"
#include "trainer/train/run.h"

#include "tests/benchmarks/measuring.h"

using namespace unetseg;
using namespace unetseg::trainer;
using benchmarks::Times;

namespace {

constexpr int kSteps = 6;  // after the first, which is not counted
constexpr int kPictures = 128;

// Dark spots on bright ground.
DecodedSet spots(int count, int side) {
  DecodedSet set;
  set.width = set.height = side;
  set.aspect.assign(static_cast<std::size_t>(count), 1.33f);
  for (int i = 0; i < count; ++i) {
    set.ids.push_back("spot-" + std::to_string(i));
    const double radius = side * (.1 + .002 * i);
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x) {
        const double inside = radius - std::hypot(x - side * .5, y - side * .5);
        const auto share = static_cast<std::uint8_t>(255 * std::clamp(inside, 0., 1.));
        const auto bright = static_cast<std::uint8_t>(200 - share / 2 + (x * 7 + y * 13) % 32);
        set.masks.push_back(share);
        set.images.insert(set.images.end(), {bright, bright, bright});
      }
  }
  return set;
}

// Seconds of each step.
std::vector<double> train(const Config& config, const DecodedSet& set, const std::string& folder) {
  std::atomic<bool> stop{false};
  std::vector<double> seconds;
  RunEvents events;
  events.step = [&](const StepInfo& info) {
    seconds.push_back(info.seconds_per_step);
    stop = info.step > kSteps;
  };
  TrainingRun(config, set, set, folder, "", events).run(stop);
  seconds.erase(seconds.begin());
  return seconds;
}

void benchmark(const std::string& device, const std::string& precision) {
  Config config = recipe("default");
  config.device = probe_device(device, nullptr);
  config.precision = precision;
  config.threads = std::max(1u, std::thread::hardware_concurrency());
  const DecodedSet set = spots(kPictures, config.supersampling * config.input_width);
  const std::string folder =
      std::filesystem::temp_directory_path() / ("unetseg-training-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder + "/checkpoint");
  std::vector<double> ms = train(config, set, folder);
  std::filesystem::remove_all(folder);
  for (double& step : ms) step *= 1e3;
  const Times step = benchmarks::summarize(ms);

  const BatchMaker batches(set, config.input_width, config.input_height, at::Device(config.device));
  std::vector<std::int64_t> indices;
  for (int i = 0; i < config.batch_size; ++i) indices.push_back(i);
  const Times data = benchmarks::measure(kSteps, [&](int round) {
    const Batch batch = batches.augmented(indices, AugmentationPolicy(), config.seed,
                                          static_cast<std::uint64_t>(round));
    batch.images.sum().item<float>();  // waits for the device
  });
  std::printf("%s, %s, %s, %d x %d, batch %d: %.1f images/s\n", config.architecture.c_str(),
              config.device.c_str(), config.precision.c_str(), config.input_width,
              config.input_height, config.batch_size, 1e3 * config.batch_size / step.median);
  std::printf("step %.0f ms [%.0f .. %.0f], of it %.0f ms (%.0f%%) for data and augmentation\n",
              step.median, step.least, step.p95, data.median, 100 * data.median / step.median);
}

}  // namespace

int main(int argc, char** argv) {
  trainer::keep_freed_memory();  // as the program does
  at::set_num_threads(1);
  std::printf("%s\nmedian of %d steps\n", benchmarks::machine().c_str(), kSteps);
  try {
    benchmark(argc > 1 ? argv[1] : "cpu", argc > 2 ? argv[2] : "fp32");
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
