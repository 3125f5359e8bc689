// SPDX-License-Identifier: MIT
#include "model/engine/number_type.h"

#include "model/engine/cuda/conv/jobs.h"
#include "model/error.h"

namespace unetseg {

namespace {

// Of this build's knowledge: without our kernels for GPUs that do, nobody is asked.
bool multiplies_fp16(const at::Device& device) {
  const cuda::ConvKernels* kernels = cuda::device_conv_kernels();
  cuda::ConvLimits limits;
  return device.is_cuda() && kernels != nullptr && kernels->limits(device.index(), &limits);
}

}  // namespace

at::ScalarType number_type_of(UnetsegPrecision precision, const at::Device& device) {
  switch (precision) {
    case UNETSEG_PRECISION_AUTO:
      return multiplies_fp16(device) ? at::kHalf : at::kFloat;
    case UNETSEG_PRECISION_FP32:
      return at::kFloat;
    case UNETSEG_PRECISION_BF16:
      return at::kBFloat16;
    case UNETSEG_PRECISION_FP16:
      if (device.is_cuda()) return at::kHalf;
      throw Error(Fault::settings,
                  "precision=fp16 is not available on the CPU: use auto, fp32 or bf16, or a GPU");
    default:
      throw Error(Fault::settings,
                  "precision=int8 is not available with this engine: use auto or fp32");
  }
}

const char* precision_name(at::ScalarType type) {
  return type == at::kBFloat16 ? "bf16" : type == at::kHalf ? "fp16" : "fp32";
}

}  // namespace unetseg
