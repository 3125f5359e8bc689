// SPDX-License-Identifier: MIT
// The networks as functions of tensors: parameters in, logits out, differentiable.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/network/layout.h"

namespace unetseg {

// Parameter tensors by name. They may be views into one flat buffer.
using Parameters = std::map<std::string, at::Tensor>;

// The logits of the full picture and, for deep supervision, the cumulative sums that lead to it.
struct Logits {
  at::Tensor full;     // N x 1 x H x W
  at::Tensor half;     // N x 1 x H/2 x W/2: s1 + up2(s2)
  at::Tensor quarter;  // N x 1 x H/4 x W/4: s2
};

// Channel dropout of the five context modules, drawn beforehand so that a step can be repeated: one
// N x C tensor for each level, holding 0 or 1 / (1 - p). Empty: no dropout.
using DropoutMasks = std::vector<at::Tensor>;

// Holds references to its parameters and nothing else; changing them in place changes the network.
// Any number of threads at the same time, as long as nobody changes them.
class Network {
 public:
  virtual ~Network() = default;

  // `images`: N x 3 x H x W of any floating type, H and W multiples of 16 and at least 32, on the
  // parameters' device. Convolutions run in the type of `images`; parameters are cast to it.
  virtual Logits forward(const at::Tensor& images, const DropoutMasks& dropout = {}) const = 0;
};

// Throws Error(settings) listing the first five differences where names or shapes do not fit.
std::unique_ptr<Network> make_network(const std::string& architecture, int base_width,
                                      const Parameters& parameters);

}  // namespace unetseg
