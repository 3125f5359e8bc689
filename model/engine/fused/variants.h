// SPDX-License-Identifier: MIT
// The tables that are built; only dispatch.cpp and their own files name them.
#pragma once

#include "model/engine/fused/kernels.h"

namespace unetseg::fused {

extern const Kernels plain_kernels;    // loops to read and to check the others by
extern const Kernels generic_kernels;  // whatever the compiler takes for any machine
extern const Kernels avx2_kernels;     // AVX2 and FMA
extern const Kernels avx512_kernels;   // AVX-512 F, VL, DQ, BW

// In bfloat16.
extern const Kernels plain_bf16_kernels;   // loops, on any machine
extern const Kernels avx512_bf16_kernels;  // AVX512_BF16 beside those
extern const Kernels amx_bf16_kernels;     // AMX-TILE and AMX-BF16 beside those

}  // namespace unetseg::fused
