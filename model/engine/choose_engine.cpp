// SPDX-License-Identifier: MIT
// Which engine runs a network: what was asked for, or the fastest that computes what LibTorch does.
#include <map>
#include <mutex>
#include <tuple>

#include "model/engine/engines.h"
#include "model/engine/fused/kernels.h"
#include "model/engine/names.h"
#include "model/error.h"
#include "model/storage/file_identity.h"

namespace unetseg {
namespace {

// Whether there is more than one.
bool has_choice(const UnetsegOpenOptions& options, const std::string& device) {
  switch (options.precision) {
    case UNETSEG_PRECISION_AUTO:
    case UNETSEG_PRECISION_FP32:
      return true;
    case UNETSEG_PRECISION_BF16:
      return device != "cpu" || fused::best_bf16_kernels() != nullptr;
    case UNETSEG_PRECISION_FP16:
      return device != "cpu";
    default:
      return false;
  }
}

// Trials of the files that this process has loaded, since elements with the same weights follow
// each other.
struct Known {
  using Key = std::tuple<FileIdentity, std::string, UnetsegPrecision, unsigned>;
  struct Choice {
    UnetsegEngine engine;
    UnetsegPrecision precision;
  };
  std::mutex mutex;
  std::map<Key, Choice> engines;
};

Known& known() {
  static Known& all = *new Known;
  return all;
}

std::unique_ptr<Engine> make_named(UnetsegEngine engine, const UnetsegOpenOptions& options) {
  switch (engine) {
    case UNETSEG_ENGINE_FUSED_CPU:
      return make_fused_engine(options);
    case UNETSEG_ENGINE_FUSED_CUDA:
      return make_fused_cuda_engine(options);
    default:
      return make_libtorch_engine(options);
  }
}

// Where nothing is known yet all are loaded and tried, and the one that is chosen goes on.
std::unique_ptr<Engine> fastest(const UnetsegOpenOptions& options, const std::string& device) {
  const auto identity = identity_of(options.model_file);
  if (!identity) return make_libtorch_engine(options);  // which says what is wrong with the file
  const Known::Key key = {*identity, device, options.precision, options.threads};
  {
    const std::lock_guard<std::mutex> lock(known().mutex);
    const auto found = known().engines.find(key);
    if (found != known().engines.end()) {
      UnetsegOpenOptions settled = options;
      settled.precision = found->second.precision;
      return make_named(found->second.engine, settled);
    }
  }
  for (EngineTrial& trial : try_engines(options)) {
    if (!trial.chosen) continue;
    // A file that was replaced since is looked up by another identity.
    const std::lock_guard<std::mutex> lock(known().mutex);
    known().engines[key] = {engine_named(trial.name), trial.precision};
    return std::move(trial.engine);
  }
  return make_libtorch_engine(options);
}

}  // namespace

std::unique_ptr<Engine> make_engine(const UnetsegOpenOptions& options) {
  const std::string device = probe_device(options.device, nullptr);
  switch (options.engine) {
    case UNETSEG_ENGINE_AUTO:
      return has_choice(options, device) ? fastest(options, device) : make_libtorch_engine(options);
    case UNETSEG_ENGINE_FUSED_CPU:
      if (device != "cpu")
        throw Error(Fault::settings,
                    "engine=fused-cpu runs on the CPU: use device=cpu, or engine=auto");
      break;
    case UNETSEG_ENGINE_FUSED_CUDA:
      if (device == "cpu")
        throw Error(Fault::settings,
                    "engine=fused-cuda runs on a GPU: use device=cuda where there is one, or "
                    "engine=auto");
      break;
    default:
      break;
  }
  return make_named(options.engine, options);
}

}  // namespace unetseg
