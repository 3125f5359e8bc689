// SPDX-License-Identifier: MIT
#include "model/network/training/stream.h"

#include <c10/cuda/CUDAStream.h>

namespace unetseg::training {

bool has_streams() {
  return true;
}

void* current_stream() {
  return c10::cuda::getCurrentCUDAStream().stream();
}

}  // namespace unetseg::training
