// SPDX-License-Identifier: MIT
// Everything needed to go on exactly, in one safetensors file, written so that a crash at any point
// leaves `last` or `prev` whole.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "trainer/train/config.h"
#include "trainer/train/progress_state.h"

namespace unetseg::trainer {

// The tensors are 1-D float, all of the network's total size; they may live on any device and are
// copied by save and by load.
struct Checkpoint {
  Config config;
  std::string data_sha256;  // of the training and validation sets
  ProgressState progress;
  std::int64_t optimizer_steps = 0;
  at::Tensor values, first_moment, second_moment, average;
};

// Writes `folder`/last.safetensors; what was there becomes prev.safetensors. When it returns, the
// checkpoint outlives a power failure; broken off at any point, one of this checkpoint and the one
// before it can be loaded. Error(write), (no_space).
void save_checkpoint(const std::string& folder, const Checkpoint& checkpoint);

// Reads `last`. Where it is missing or damaged (then *warning says so) `next`, which is there where
// saving was broken off, or `prev`. Throws Error(not_found) where there is none of them, otherwise
// the error of the oldest file.
Checkpoint load_checkpoint(const std::string& folder, std::string* warning);

}  // namespace unetseg::trainer
