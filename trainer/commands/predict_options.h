// SPDX-License-Identifier: MIT
// The options that `evaluate` and `predict` share.
#pragma once

#include "trainer/predict/predictor.h"

namespace CLI {
class App;
}

namespace unetseg::trainer {

void add_predictor_options(CLI::App& verb, PredictorOptions* options, bool weights_required);

}  // namespace unetseg::trainer
