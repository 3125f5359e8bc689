// SPDX-License-Identifier: MIT
// Whether a GPU's kernels compute what the processor does.
#pragma once

#include "model/frame/cuda/gpu.h"

namespace unetseg {

// Samples and draws a small frame on both. Throws Error(failed) where they differ by more than
// rounding, and as Gpu does.
void check_kernels(Gpu& gpu);

}  // namespace unetseg
