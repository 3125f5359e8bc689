// SPDX-License-Identifier: MIT
// What the weights of a run say about themselves.
#pragma once

#include "model/storage/model_card.h"
#include "trainer/train/config.h"
#include "trainer/train/progress_state.h"

namespace unetseg::trainer {

// Probability from which a pixel is lesion for networks trained by `config`. The seed's loss works
// on raw outputs, of which it took those above 0.5.
double threshold_of(const Config& config);

// `training` and `validation`: numbers of images.
ModelCard card_of_run(const Config& config, const ProgressState& state, std::size_t training,
                      std::size_t validation, const std::string& data_sha256);

}  // namespace unetseg::trainer
