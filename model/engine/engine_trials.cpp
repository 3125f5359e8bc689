// SPDX-License-Identifier: MIT
// Trials: every engine of a device on the same pictures, how fast it is and whether it computes
// what LibTorch does.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "model/engine/cuda/device_faults.h"
#include "model/engine/engines.h"
#include "model/engine/fused/kernels.h"
#include "model/error.h"

namespace unetseg {
namespace {

using Map = std::vector<float>;
using Make = std::unique_ptr<Engine> (*)(const UnetsegOpenOptions&, const SafetensorsFile*);

constexpr int kPictures = 2;  // of a trial: a smooth one and a noisy one
constexpr int kRounds = 2;    // the first warms up
constexpr double kTimesLibtorchsError = 2;

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

// Infinite where one of them is not a number.
double largest_difference(const std::vector<Map>& a, const std::vector<Map>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[i].size(); ++j) {
      const double difference = std::abs(static_cast<double>(a[i][j]) - b[i][j]);
      if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
      largest = std::max(largest, difference);
    }
  return largest;
}

// What candidates are held against, and how far they may be from it.
struct Reference {
  std::vector<Map> maps;
  double tolerance;
};

// LibTorch's in float32, and by how much its own in the format that was asked for is off. Settles
// options->precision where that is left to us.
Reference reference_on_gpu(UnetsegOpenOptions* options, const SafetensorsFile& file) {
  UnetsegOpenOptions wide = *options;
  wide.precision = UNETSEG_PRECISION_FP32;
  Reference reference = {time_engine(*make_plain_libtorch_engine(wide, &file)).maps,
                         kEngineTolerance};
  const auto narrow = make_plain_libtorch_engine(*options, &file);
  if (narrow->precision() == "fp32") return reference;
  const double lost = largest_difference(time_engine(*narrow).maps, reference.maps);
  if (options->precision == UNETSEG_PRECISION_AUTO && lost > kMostLostByAuto)
    options->precision = UNETSEG_PRECISION_FP32;
  else
    reference.tolerance += kTimesLibtorchsError * lost;
  return reference;
}

void try_out(EngineTrial* trial, const Reference& reference) {
  const Timed timed = time_engine(*trial->engine);
  trial->milliseconds = timed.milliseconds;
  trial->largest_difference = largest_difference(timed.maps, reference.maps);
  trial->passed = trial->largest_difference <= reference.tolerance;
}

EngineTrial tried(const char* name, Make make, const UnetsegOpenOptions& options,
                  const SafetensorsFile& file, const Reference& reference) {
  EngineTrial trial;
  trial.name = name;
  try {
    trial.engine = make(options, &file);
    try_out(&trial, reference);
  } catch (const Error& error) {
    if (error.fault() == Fault::device_lost) throw;
    trial.refused = error.what();
  } catch (const std::exception& error) {  // of a driver that is older than our kernels, say
    const std::string message = error.what();
    trial.refused = "fails here: " + message.substr(0, message.find('\n'));
  }
  if (!trial.refused.empty()) trial.engine.reset();
  return trial;
}

// The fastest that passed, or LibTorch.
void choose(std::vector<EngineTrial>* trials) {
  EngineTrial* chosen = &trials->front();
  for (EngineTrial& trial : *trials)
    if (trial.passed && (!chosen->passed || trial.milliseconds < chosen->milliseconds))
      chosen = &trial;
  chosen->chosen = true;
}

// Those of a GPU, all in one format.
std::vector<EngineTrial> try_on_gpu(UnetsegOpenOptions options, const std::string& device,
                                    const SafetensorsFile& file) {
  Reference reference;
  cuda::run_guarded(device, {[] {}, [] {}}, 0,
                    [&] { reference = reference_on_gpu(&options, file); });
  std::vector<EngineTrial> trials(1);
  trials[0].name = "libtorch";
  trials[0].engine = make_libtorch_engine(options, &file);
  try_out(&trials[0], reference);
  trials.push_back(tried("fused-cuda", make_fused_cuda_engine, options, file, reference));
  for (EngineTrial& trial : trials) trial.precision = options.precision;
  return trials;
}

EngineTrial tried_on_cpu(UnetsegPrecision precision, UnetsegOpenOptions options,
                         const SafetensorsFile& file, const Reference& reference) {
  options.precision = precision;
  EngineTrial trial = tried("fused-cpu", make_fused_engine, options, file, reference);
  trial.precision = precision;
  return trial;
}

// LibTorch in the format that was asked for, or in float32; the fused engine in that, and where it
// is left to us in bfloat16 too, if the processor multiplies that.
std::vector<EngineTrial> try_on_cpu(UnetsegOpenOptions options, const SafetensorsFile& file) {
  std::vector<EngineTrial> trials(1);
  EngineTrial& libtorch = trials[0];
  libtorch.name = "libtorch";
  libtorch.engine = make_libtorch_engine(options, &file);
  const bool narrow = libtorch.engine->precision() != "fp32";
  libtorch.precision = narrow ? options.precision : UNETSEG_PRECISION_FP32;
  Timed own = time_engine(*libtorch.engine);
  libtorch.milliseconds = own.milliseconds;
  libtorch.passed = true;
  Reference reference = {std::move(own.maps), kEngineTolerance};
  if (narrow) {
    UnetsegOpenOptions wide = options;
    wide.precision = UNETSEG_PRECISION_FP32;
    std::vector<Map> exact = time_engine(*make_libtorch_engine(wide, &file)).maps;
    libtorch.largest_difference = largest_difference(reference.maps, exact);
    reference = {std::move(exact),
                 kEngineTolerance + kTimesLibtorchsError * libtorch.largest_difference};
  }
  trials.push_back(tried_on_cpu(trials[0].precision, options, file, reference));
  if (options.precision == UNETSEG_PRECISION_AUTO && fused::best_bf16_kernels() != nullptr) {
    reference.tolerance = kMostLostByAuto;
    trials.push_back(tried_on_cpu(UNETSEG_PRECISION_BF16, options, file, reference));
  }
  return trials;
}

}  // namespace

std::vector<EngineTrial> try_engines(const UnetsegOpenOptions& options) {
  // Once for all: it may be replaced meanwhile.
  const SafetensorsFile file = read_safetensors(options.model_file);
  const std::string device = probe_device(options.device, nullptr);
  std::vector<EngineTrial> trials =
      device == "cpu" ? try_on_cpu(options, file) : try_on_gpu(options, device, file);
  choose(&trials);
  return trials;
}

}  // namespace unetseg
