// SPDX-License-Identifier: MIT
#include "trainer/commands/version.h"

#include <torch/csrc/api/include/torch/version.h>

#include "trainer/commands/build.h"

namespace unetseg::trainer {

std::string program_version() {
  return "unetseg-trainer " UNETSEG_VERSION ", commit " UNETSEG_COMMIT ", LibTorch " TORCH_VERSION;
}

}  // namespace unetseg::trainer
