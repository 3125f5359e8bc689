// SPDX-License-Identifier: MIT
// The engines that make_engine() chooses from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/engine/engine.h"
#include "model/storage/safetensors.h"

namespace unetseg {

// All throw as make_engine() does; `options.engine` is not looked at. `read`: the model file, where
// it has been read already.
std::unique_ptr<Engine> make_libtorch_engine(const UnetsegOpenOptions& options,
                                             const SafetensorsFile* read = nullptr);
// The same operators one by one on every device, where the other captures them as a graph: what
// engines on a GPU are compared with.
std::unique_ptr<Engine> make_plain_libtorch_engine(const UnetsegOpenOptions& options,
                                                   const SafetensorsFile* read = nullptr);
// On the CPU, whatever the device.
std::unique_ptr<Engine> make_fused_engine(const UnetsegOpenOptions& options,
                                          const SafetensorsFile* read = nullptr);
// On a CUDA device. Throws Error(settings) where the build has no such engine.
std::unique_ptr<Engine> make_fused_cuda_engine(const UnetsegOpenOptions& options,
                                               const SafetensorsFile* read = nullptr);

// What a trial of one engine gave.
struct EngineTrial {
  std::string name;
  std::string refused;            // why it cannot run; empty where it can
  double milliseconds = 0;        // of an inference, the least of a few
  double largest_difference = 0;  // of any probability from plain LibTorch's in float32
  bool passed = false;            // ran, and differs no more than it may
  bool chosen = false;            // by UNETSEG_ENGINE_AUTO
  UnetsegPrecision precision = UNETSEG_PRECISION_AUTO;  // what it was made for
  std::unique_ptr<Engine> engine;                       // null where it cannot run
};

// Of any probability, against LibTorch's in float32: far below what moves a border, far above
// rounding. In a narrower format an engine may differ by twice as much more as LibTorch does.
constexpr double kEngineTolerance = 1e-3;

// What fp16 on a GPU, or bf16 on a CPU that multiplies it, may change in a probability where
// UNETSEG_PRECISION_AUTO takes it; else that is fp32. Untrained weights lost 0.036 by fp16 on an
// H200.
constexpr double kMostLostByAuto = 0.1;

// Loads and runs every engine of the device on the same pictures, in each format that the options
// allow. Any thread. Throws as make_engine() does where even LibTorch cannot run.
std::vector<EngineTrial> try_engines(const UnetsegOpenOptions& options);

}  // namespace unetseg
