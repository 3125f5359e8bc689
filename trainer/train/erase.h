// SPDX-License-Identifier: MIT
// Skin as it might be without its lesion.
#pragma once

#include <ATen/ATen.h>

namespace unetseg::trainer {

// The lesion and what surrounds it, filled smoothly from all sides (pull-push: Gortler et al. 1996,
// The Lumigraph) under the fine texture of another part of the picture. `images`: N x 3 x H x W,
// `lesion`: N x 1 x H x W, share of the pixel; both float on any device. Each sample is a function
// of itself alone; one of nothing but lesion becomes black.
at::Tensor without_lesion(const at::Tensor& images, const at::Tensor& lesion);

}  // namespace unetseg::trainer
