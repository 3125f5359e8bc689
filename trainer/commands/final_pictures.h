// SPDX-License-Identifier: MIT
// What is drawn once, when a run has come to its end.
#pragma once

#include <string>

#include "trainer/train/run.h"

namespace unetseg::trainer {

// panels/worst.png: the validation images that `run` scored worst in its last epoch. After the
// seed's recipe also the seed's own plots: loss.png, dice.png and predictions.png. `validation` is
// what the run was scored on. Throws Error(write).
void write_final_pictures(const std::string& folder, const TrainingRun& run,
                          const DecodedSet& validation);

}  // namespace unetseg::trainer
