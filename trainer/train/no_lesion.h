// SPDX-License-Identifier: MIT
// Frames to learn from on which there is nothing to be found.
#pragma once

#include "trainer/train/augment_plan.h"
#include "trainer/train/random.h"

namespace unetseg::trainer {

// Makes a plan with geometry, colours and camera one of a frame without lesion: a window of the
// picture's bare skin, the picture with its lesion erased, or no skin at all. A picture without
// room for a window has its lesion erased instead, and one of hardly anything but lesion is
// replaced.
void draw_no_lesion(const AugmentationPolicy& policy, Random& random, double aspect,
                    const MaskView& mask, SamplePlan* plan);

}  // namespace unetseg::trainer
