// SPDX-License-Identifier: MIT
#include "model/engine/fused/kernel_templates.h"
#include "model/engine/fused/variants.h"

namespace unetseg::fused {

const Kernels generic_kernels = kernel_table<4, 16>("generic");

}  // namespace unetseg::fused
