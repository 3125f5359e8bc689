// SPDX-License-Identifier: MIT
#include "model/engine/fused/kernel_templates.h"
#include "model/engine/fused/variants.h"

namespace unetseg::fused {

const Kernels avx512_kernels = kernel_table<16, 32>("avx512");

}  // namespace unetseg::fused
