// SPDX-License-Identifier: MIT
// A wider network that computes what a narrower one does, to go on training from (Net2Net, Chen et
// al. 2016, arXiv 1511.05641).
#pragma once

#include <cstdint>

#include "model/network/network.h"

namespace unetseg::trainer {

// Parameters of `improved-unet` of base width `to` from those of base width `from`, `to` >= `from`:
// new channels are copies of old ones, and what reads a channel divides its weights among the
// copies. Convolutions get `noise`, a share of their own size, drawn by `seed`, so that the copies
// part in training. `parameters` have the layout of `from`, on the CPU.
Parameters widened(const Parameters& parameters, int from, int to, std::uint64_t seed,
                   double noise = 0.01);

}  // namespace unetseg::trainer
