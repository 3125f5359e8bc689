// SPDX-License-Identifier: MIT
// LibTorch's current stream on the current GPU, for what includes no CUDA.
#pragma once

namespace unetseg::training {

// False in a build without the CUDA runtime's headers.
bool has_streams();
void* current_stream();

}  // namespace unetseg::training
