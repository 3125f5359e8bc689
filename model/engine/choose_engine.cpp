// SPDX-License-Identifier: MIT
// Which engine runs a network: what was asked for, or the fastest that computes what LibTorch does.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <tuple>

#include "model/engine/engines.h"
#include "model/error.h"
#include "model/storage/file_identity.h"

namespace unetseg {
namespace {

using Map = std::vector<float>;

constexpr int kPictures = 2;  // of a trial: a smooth one and a noisy one
constexpr int kRounds = 2;    // the first warms up

// A dark disc on bright ground, with more or less noise: fixed, so that a trial can be repeated.
Map trial_picture(const ModelCard& card, int number) {
  const auto width = static_cast<std::size_t>(card.input_width);
  const auto height = static_cast<std::size_t>(card.input_height);
  Map picture(3 * width * height);
  std::uint32_t noise = 12345;
  for (std::size_t i = 0; i < picture.size(); ++i) {
    noise = noise * 1664525 + 1013904223;
    const double x = static_cast<double>(i % width) / static_cast<double>(width) - 0.55;
    const double y = static_cast<double>(i / width % height) / static_cast<double>(height) - 0.45;
    const double grain = static_cast<double>(noise >> 8) / (1 << 24) - 0.5;
    const double value = std::hypot(x, y) < 0.25 ? 0.3 : 0.75;
    picture[i] = static_cast<float>(value + (number == 0 ? 0.05 : 0.5) * grain);
  }
  return picture;
}

struct Timed {
  std::vector<Map> maps;
  double milliseconds = std::numeric_limits<double>::infinity();
};

Timed time_engine(Engine& engine) {
  const ModelCard& card = engine.card();
  Timed timed;
  for (int number = 0; number < kPictures; ++number) {
    const Map picture = trial_picture(card, number);
    Map map(picture.size() / 3);
    for (int round = 0; round < kRounds; ++round) {
      const float* in = picture.data();
      float* out = map.data();
      const auto begin = std::chrono::steady_clock::now();
      engine.run(&in, &out, 1);
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - begin;
      timed.milliseconds = std::min(timed.milliseconds, took.count());
    }
    timed.maps.push_back(std::move(map));
  }
  return timed;
}

double largest_difference(const std::vector<Map>& a, const std::vector<Map>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[i].size(); ++j)
      largest = std::max(largest, std::abs(static_cast<double>(a[i][j]) - b[i][j]));
  return largest;
}

bool is_plain_cpu(const UnetsegOpenOptions& options) {
  return (options.precision == UNETSEG_PRECISION_AUTO ||
          options.precision == UNETSEG_PRECISION_FP32) &&
         probe_device(options.device, nullptr) == "cpu";
}

// Trials of the files that this process has loaded, since elements with the same weights follow
// each other.
struct Known {
  std::mutex mutex;
  std::map<std::tuple<FileIdentity, unsigned>, std::string> engines;
};

Known& known() {
  static Known& all = *new Known;
  return all;
}

// Where nothing is known yet both are loaded and tried, and the one that is chosen goes on.
std::unique_ptr<Engine> fastest(const UnetsegOpenOptions& options) {
  const auto identity = identity_of(options.model_file);
  if (!identity) return make_libtorch_engine(options);  // which says what is wrong with the file
  const std::tuple<FileIdentity, unsigned> key = {*identity, options.threads};
  {
    const std::lock_guard<std::mutex> lock(known().mutex);
    const auto found = known().engines.find(key);
    if (found != known().engines.end())
      return found->second == "fused-cpu" ? make_fused_engine(options)
                                          : make_libtorch_engine(options);
  }
  for (EngineTrial& trial : try_engines(options)) {
    if (!trial.chosen) continue;
    // A file that was replaced since is looked up by another identity.
    const std::lock_guard<std::mutex> lock(known().mutex);
    known().engines[key] = trial.name;
    return std::move(trial.engine);
  }
  return make_libtorch_engine(options);
}

}  // namespace

UnetsegEngine engine_named(const std::string& name) {
  if (name == "auto") return UNETSEG_ENGINE_AUTO;
  if (name == "libtorch") return UNETSEG_ENGINE_LIBTORCH;
  if (name == "fused-cpu") return UNETSEG_ENGINE_FUSED_CPU;
  throw Error(Fault::settings,
              "engine '" + name + "' is not known: use auto, libtorch or fused-cpu");
}

std::vector<EngineTrial> try_engines(const UnetsegOpenOptions& options) {
  std::vector<EngineTrial> trials(2);
  EngineTrial& libtorch = trials[0];
  libtorch.name = "libtorch";
  // Once for both: it may be replaced meanwhile.
  const SafetensorsFile file = read_safetensors(options.model_file);
  libtorch.engine = make_libtorch_engine(options, &file);
  const Timed reference = time_engine(*libtorch.engine);
  libtorch.milliseconds = reference.milliseconds;
  libtorch.passed = libtorch.chosen = true;
  EngineTrial& fused = trials[1];
  fused.name = "fused-cpu";
  if (!is_plain_cpu(options)) {
    fused.refused = "computes in fp32 on the CPU alone";
    return trials;
  }
  try {
    fused.engine = make_fused_engine(options, &file);
  } catch (const Error& error) {
    fused.refused = error.what();
    return trials;
  }
  const Timed timed = time_engine(*fused.engine);
  fused.milliseconds = timed.milliseconds;
  fused.largest_difference = largest_difference(timed.maps, reference.maps);
  fused.passed = fused.largest_difference <= kEngineTolerance;
  fused.chosen = fused.passed && fused.milliseconds < libtorch.milliseconds;
  libtorch.chosen = !fused.chosen;
  return trials;
}

std::unique_ptr<Engine> make_engine(const UnetsegOpenOptions& options) {
  switch (options.engine) {
    case UNETSEG_ENGINE_LIBTORCH:
      return make_libtorch_engine(options);
    case UNETSEG_ENGINE_FUSED_CPU:
      if (probe_device(options.device, nullptr) != "cpu")
        throw Error(Fault::settings,
                    "engine=fused-cpu runs on the CPU: use device=cpu, or engine=auto");
      return make_fused_engine(options);
    case UNETSEG_ENGINE_AUTO:
      break;
  }
  if (!is_plain_cpu(options)) return make_libtorch_engine(options);
  return fastest(options);
}

}  // namespace unetseg
