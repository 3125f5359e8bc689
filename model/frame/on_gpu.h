// SPDX-License-Identifier: MIT
// Functions whose one source the C++ compiler compiles for the processor and nvcc for the GPU.
#pragma once

#if defined(__CUDACC__)
#define UNETSEG_ON_GPU __device__
#else
#define UNETSEG_ON_GPU
#endif
