// SPDX-License-Identifier: MIT
// The failure of a training run whose numbers blew up.
#pragma once

#include <stdexcept>

namespace unetseg::trainer {

// NaN or infinity three steps in a row; the last good checkpoint is kept. Exit code 5.
class Diverged : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace unetseg::trainer
