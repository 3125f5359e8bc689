// SPDX-License-Identifier: MIT
#include "model/engine/fused/kernel_templates.h"
#include "model/engine/fused/variants.h"

namespace unetseg::fused {

const Kernels avx2_kernels = KernelSet<8, 16>::table("avx2");

}  // namespace unetseg::fused
