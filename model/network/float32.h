// SPDX-License-Identifier: MIT
// What float32 means on a GPU.
#pragma once

#include <ATen/Context.h>

namespace unetseg {

// By default LibTorch's convolutions in float32 round their factors to 10 bits there (TF32), which
// moves borders. A setting of the whole process.
inline void forbid_tf32() {
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
}

}  // namespace unetseg
