// SPDX-License-Identifier: MIT
#include "model/network/training/stream.h"

namespace unetseg::training {

bool has_streams() {
  return false;
}

void* current_stream() {
  return nullptr;
}

}  // namespace unetseg::training
