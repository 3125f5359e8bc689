// SPDX-License-Identifier: MIT
#include "trainer/train/overfit.h"

#include <c10/core/InferenceMode.h>

#include <cmath>
#include <numeric>

#include "trainer/train/batch_gradient.h"
#include "trainer/train/diverged.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/optimizer.h"

namespace unetseg::trainer {
namespace {

constexpr int kWarmUp = 5, kScoreEvery = 5;

double dice_of(const Network& network, const Batch& batch, const std::string& loss) {
  const c10::InferenceMode inference;
  const double cut = loss == "seed-dice" ? 0.5 : 0;  // the seed's loss works on raw outputs
  const at::Tensor found = network.forward(batch.images).full.ge(cut).to(at::kFloat).flatten(1);
  const at::Tensor truth = batch.target.ge(0.5).to(at::kFloat).flatten(1);
  const at::Tensor both = (found * truth).sum(1), sizes = found.sum(1) + truth.sum(1);
  return at::where(sizes.gt(0), 2 * both / sizes.clamp_min(1), at::ones_like(sizes))
      .mean()
      .item<double>();
}

}  // namespace

OverfitState overfit_batch(Config config, const DecodedSet& set,
                           const std::function<void(const OverfitState&)>& tell,
                           const std::atomic<bool>& stop) {
  std::vector<std::int64_t> indices(std::min<std::size_t>(set.size(), kOverfitImages));
  std::iota(indices.begin(), indices.end(), 0);
  config.batch_size = static_cast<int>(indices.size());
  config.augmentation = "none";
  config.weight_decay = 0;
  const at::Device device(config.device);
  const auto layout = network_layout(config.architecture, config.base_width);
  const at::Tensor values = initial_values(config.architecture, layout, config.seed).to(device);
  const auto network =
      make_network(config.architecture, config.base_width, views_of(values, layout));
  const BatchMaker batches(set, config.input_width, config.input_height, device);
  BatchGradient gradient(config, layout, values, batches);
  const auto optimizer = make_optimizer(config, decay_mask(layout).to(device));
  const Batch batch = gradient.batch(indices, 0);

  const std::int64_t most = config.steps > 0 ? config.steps : kOverfitSteps;

  OverfitState state;
  while (state.dice < kOverfitDice && state.step < most && !stop) {
    const double rising = std::min(1.0, static_cast<double>(state.step + 1) / kWarmUp);
    state.loss = gradient.compute(indices, 0, {});
    const double norm = clip_norm(gradient.gradient(), config.clip);
    if (!std::isfinite(state.loss) || !std::isfinite(norm))
      throw Diverged("the loss of one batch is not finite: lower --learning-rate");
    optimizer->step(values, gradient.gradient(), rising * config.learning_rate);
    if (++state.step % kScoreEvery != 0 && state.step < most) continue;
    state.dice = dice_of(*network, batch, config.loss);
    if (tell) tell(state);
  }
  return state;
}

}  // namespace unetseg::trainer
