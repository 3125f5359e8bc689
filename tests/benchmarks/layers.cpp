// SPDX-License-Identifier: MIT
// Where an inference of the fused engine spends its time: each layer's stages, on one core, least
// of many inferences. Run: benchmark_layers WEIGHTS [TABLE of kernels]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "model/engine/fused/fused_model.h"
#include "model/engine/fused/steps.h"
#include "model/error.h"

#include "tests/benchmarks/measuring.h"

using namespace unetseg;
using namespace unetseg::fused;

namespace {

constexpr int kRounds = 200;

std::string about(const Layer& layer) {
  const char* const ways[] = {"direct", "tiled", "bf16"};
  char text[160];
  std::snprintf(text, sizeof text, "%-34s %4d to %3d channels, %dx%d%s to %d x %d, %s%s",
                layer.name.c_str(), layer.in_channels, layer.out_channels, layer.kernel,
                layer.kernel,
                layer.enlarged     ? " enlarged"
                : layer.stride > 1 ? " by two"
                                   : "",
                layer.width, layer.height, ways[static_cast<int>(layer.method.way)],
                layer.method.shared ? ", shared" : "");
  return text;
}

// Millions, as the definition has them.
double multiplications(const Layer& layer) {
  return 1e-6 * layer.width * layer.height * layer.kernel * layer.kernel * layer.in_channels *
         layer.out_channels;
}

void measure(const PackedNetwork& network) {
  const Memory memory(network, 1);
  const auto pixels = static_cast<std::size_t>(network.width) * network.height;
  const std::vector<float> picture(3 * pixels, 0.3f);
  std::vector<float> probabilities(pixels);
  const Frame frame = {picture.data(), probabilities.data()};
  const std::vector<Stage> stages = make_steps(network, memory, frame);
  std::vector<double> least(stages.size(), 1e9);
  for (int round = 0; round < kRounds; ++round)
    for (std::size_t i = 0; i < stages.size(); ++i) {
      const auto begin = std::chrono::steady_clock::now();
      for (int chunk = 0; chunk < stages[i].chunks; ++chunk) stages[i].work(chunk, 0);
      if (stages[i].finish) stages[i].finish();
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - begin;
      least[i] = std::min(least[i], took.count());
    }
  double all = 0;
  for (std::size_t i = 0, layer = 0; i < stages.size(); ++i) {
    all += least[i];
    if (layer == network.layers.size()) {
      std::printf("%8.1f us  heads\n", least[i]);
      continue;
    }
    std::printf("%8.1f us  %2d chunks  %s", least[i], stages[i].chunks,
                about(network.layers[layer]).c_str());
    if (stages[i].finish)
      std::printf(", %.0f million multiplications", multiplications(network.layers[layer++]));
    std::printf("\n");
  }
  std::printf("%8.1f us  all\n", all);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: %s WEIGHTS [TABLE of kernels]\n", argv[0]);
    return 2;
  }
  const Kernels* kernels = argc > 2 ? kernels_named(argv[2]) : best_kernels();
  if (kernels == nullptr) {
    std::fprintf(stderr, "%s: no such kernels on this processor\n", argv[2]);
    return 2;
  }
  try {
    const auto model = load_fused_model(argv[1], *kernels);
    if (!model->network) {
      std::fprintf(stderr, "%s: not a network of the fused engine\n", argv[1]);
      return 1;
    }
    std::printf("%s\n%s kernels, one core, least of %d inferences\n", benchmarks::machine().c_str(),
                kernels->name, kRounds);
    measure(*model->network);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
