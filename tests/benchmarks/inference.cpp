// SPDX-License-Identifier: MIT
// How long one inference takes on the CPU, all cores, one picture at a time: each architecture and
// engine at 128 and 256, with random weights, or the weights files given as arguments.
// Run: meson test -C build --benchmark --verbose inference
#include <ATen/ATen.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

#include "model/engine/engine.h"
#include "model/error.h"
#include "model/network/stored_parameters.h"
#include "trainer/train/flat_parameters.h"

#include "tests/benchmarks/measuring.h"

using namespace unetseg;
using benchmarks::Times;

namespace {

constexpr int kRounds = 40, kBlocks = 4;  // engines alternate by blocks of rounds

std::string random_weights(const char* architecture, int side) {
  ModelCard card;
  card.architecture = architecture;
  card.input_width = card.input_height = side;
  const auto layout = network_layout(architecture, card.base_width);
  const std::string path = std::filesystem::temp_directory_path() /
                           ("unetseg-inference-" + std::to_string(getpid()) + ".safetensors");
  save_parameters(path, trainer::views_of(trainer::initial_values(architecture, layout, 1), layout),
                  card, false);
  return path;
}

std::unique_ptr<Engine> open_engine(const std::string& file, UnetsegEngine kind) {
  UnetsegOpenOptions options = {};
  options.model_file = file.c_str();
  options.device = "cpu";
  options.engine = kind;
  options.n_slots = 1;
  return make_engine(options);
}

// Every engine that runs the network, in turn.
void benchmark(const std::string& file) {
  std::vector<std::unique_ptr<Engine>> engines;
  engines.push_back(open_engine(file, UNETSEG_ENGINE_LIBTORCH));
  const ModelCard& card = engines[0]->card();
  if (card.architecture == "improved-unet")
    engines.push_back(open_engine(file, UNETSEG_ENGINE_FUSED_CPU));
  const at::Tensor picture = at::randn({3, card.input_height, card.input_width});
  std::vector<float> result(static_cast<std::size_t>(card.input_height * card.input_width));
  const float* inputs[] = {picture.data_ptr<float>()};
  float* outputs[] = {result.data()};
  std::vector<std::vector<double>> ms(engines.size());
  for (int block = 0; block < kBlocks; ++block)
    for (std::size_t i = 0; i < engines.size(); ++i) {
      const std::vector<double> times = benchmarks::milliseconds(
          kRounds / kBlocks, [&](int) { engines[i]->run(inputs, outputs, 1); });
      ms[i].insert(ms[i].end(), times.begin(), times.end());
    }
  for (std::size_t i = 0; i < engines.size(); ++i) {
    engines[i]->run(inputs, outputs, 1);
    const auto range = std::minmax_element(result.begin(), result.end());
    const Times times = benchmarks::summarize(ms[i]);
    std::printf("%-13s %4d x %-4d %-9s median %7.2f ms  min %7.2f  p95 %7.2f   p %.3f..%.3f\n",
                card.architecture.c_str(), card.input_width, card.input_height,
                engines[i]->name().c_str(), times.median, times.least, times.p95, *range.first,
                *range.second);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::printf("%s\none picture an inference, %d inferences\n", benchmarks::machine().c_str(),
              kRounds);
  try {
    for (int i = 1; i < argc; ++i) benchmark(argv[i]);
    if (argc > 1) return 0;
    for (const char* architecture : {"improved-unet", "seed-unet"})
      for (const int side : {128, 256}) {
        const std::string file = random_weights(architecture, side);
        benchmark(file);
        std::filesystem::remove(file);
      }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
