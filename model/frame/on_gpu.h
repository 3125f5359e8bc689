// SPDX-License-Identifier: MIT
// Functions whose one source the C++ compiler compiles for the processor and nvcc for the GPU.
#pragma once

#if defined(__CUDACC__)
#define UNETSEG_ON_GPU __device__
// Before a loop whose loads should be under way together.
#define UNETSEG_UNROLL_ON_GPU _Pragma("unroll 8")
#else
#define UNETSEG_ON_GPU
#define UNETSEG_UNROLL_ON_GPU
#endif
