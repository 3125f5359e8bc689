// SPDX-License-Identifier: MIT
#include "trainer/train/loss.h"

namespace unetseg::trainer {

namespace {

constexpr double kFewOf = 0.01;  // of the pixels: so many found in vain cost a half
constexpr double kInVain = 0.2;  // of what a missed lesion costs

}  // namespace

at::Tensor dice_bce_loss(const at::Tensor& logits, const at::Tensor& target) {
  const at::Tensor p = at::sigmoid(logits).flatten(1);
  const at::Tensor t = target.ge(0.5).to(logits.scalar_type()).flatten(1);
  const at::Tensor lesion = t.sum(1);
  const at::Tensor found = p.sum(1);
  const at::Tensor dice = (2 * (p * t).sum(1) + 1) / (found + lesion + 1);
  const at::Tensor found_in_vain =
      kInVain * found / (found + kFewOf * static_cast<double>(p.size(1)));
  const at::Tensor dice_loss = at::where(lesion.gt(0), 1 - dice, found_in_vain).mean();
  return dice_loss + at::binary_cross_entropy_with_logits(logits, target);
}

at::Tensor seed_dice_loss(const at::Tensor& outputs, const at::Tensor& target) {
  const at::Tensor o = outputs.flatten(1), t = target.flatten(1);
  const at::Tensor ratio = ((o * t).sum(1) + 1) / ((o * o).sum(1) + (t * t).sum(1) + 1);
  return (1 - ratio).mean();
}

at::Tensor segmentation_loss(const std::string& name, bool deep_supervision, const Logits& logits,
                             const at::Tensor& target) {
  const auto loss = name == "seed-dice" ? seed_dice_loss : dice_bce_loss;
  const auto type = target.scalar_type();
  const at::Tensor full = loss(logits.full.to(type), target);
  if (!deep_supervision) return full;
  const at::Tensor half_target = at::avg_pool2d(target, {2, 2});
  const at::Tensor half = loss(logits.half.to(type), half_target);
  const at::Tensor quarter = loss(logits.quarter.to(type), at::avg_pool2d(half_target, {2, 2}));
  return (4 * full + 2 * half + quarter) / 7;
}

}  // namespace unetseg::trainer
