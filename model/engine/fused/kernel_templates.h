// SPDX-License-Identifier: MIT
// The table of kernels for registers of one kind.
#pragma once

#include "model/engine/fused/pixel_kernels.h"
#include "model/engine/fused/product_kernels.h"
#include "model/engine/fused/tiling_kernels.h"

namespace unetseg::fused {
namespace {

// `Lanes` floats in a register, `Count` registers.
template <int Lanes, int Count>
constexpr Kernels kernel_table(const char* name, const Bf16Kernels* bf16 = nullptr) {
  using R = Registers<Lanes, Count>;
  using Pixels = PixelKernels<R>;
  using Products = ProductKernels<R>;
  using Tilings = TilingKernelsOf<R>;
  return {name,
          Lanes,
          Pixels::template activate<float, float>,
          Products::direct,
          Products::multiply,
          {{Tilings::template input_transform<typename Tilings::F2>,
            Tilings::template output_transform<typename Tilings::F2>},
           {Tilings::template input_transform<typename Tilings::F4>,
            Tilings::template output_transform<typename Tilings::F4>},
           {Tilings::template input_transform<typename Tilings::Up>,
            Tilings::template output_transform<typename Tilings::Up>}},
          Pixels::normalise,
          Pixels::template head<float>,
          Pixels::sigmoid,
          bf16};
}

}  // namespace
}  // namespace unetseg::fused
