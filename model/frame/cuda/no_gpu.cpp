// SPDX-License-Identifier: MIT
// A build without nvcc has no kernels.
#include "model/error.h"
#include "model/frame/cuda/gpu.h"

namespace unetseg {

std::unique_ptr<Gpu> make_gpu(const std::string&) {
  throw Error(Fault::settings,
              "This build of unetseg cannot read frames in the GPU's memory: put cudadownload in "
              "front of it, or build it where nvcc is in PATH");
}

}  // namespace unetseg
