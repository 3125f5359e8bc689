// SPDX-License-Identifier: MIT
#include "model/engine/fused/kernel_templates.h"
#include "model/engine/fused/variants.h"

namespace unetseg::fused {

const Kernels avx2_kernels = kernel_table<8, 16>("avx2");

}  // namespace unetseg::fused
