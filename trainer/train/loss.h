// SPDX-License-Identifier: MIT
// Segmentation losses on logits.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "model/network/network.h"

namespace unetseg::trainer {

// Mean over samples of 1 - (2 sum(p t) + 1) / (sum p + sum t + 1) with p = sigmoid(logit) and t the
// target thresholded at 0.5, plus binary cross-entropy against the soft target. The Dice of an
// empty truth would be 1 minus next to nothing whatever is found: in its place a sample without
// lesion has 0.2 sum p / (sum p + 1 % of the pixels), for the mean cross-entropy of a small region
// is nearly nothing. More of it finds less on bare skin, and fewer pale lesions. Both N x 1 x H x
// W, float; target 0..1.
at::Tensor dice_bce_loss(const at::Tensor& logits, const at::Tensor& target);

// The loss that this project began with, on raw outputs: mean over samples of
// 1 - (sum(o t) + 1) / (sum o^2 + sum t^2 + 1). There is no factor 2: its floor is near 0.5.
at::Tensor seed_dice_loss(const at::Tensor& outputs, const at::Tensor& target);

// `name`: "dice+bce" or "seed-dice". With deep supervision the cumulative sums at half and quarter
// size count too, 4/7, 2/7, 1/7, against the averaged target.
at::Tensor segmentation_loss(const std::string& name, bool deep_supervision, const Logits& logits,
                             const at::Tensor& target);

}  // namespace unetseg::trainer
