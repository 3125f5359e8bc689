// SPDX-License-Identifier: MIT
// A decoded picture as the sampler takes it.
#pragma once

#include "model/backend/backend.h"
#include "trainer/data/image_files.h"

namespace unetseg::trainer {

// A view, which borrows: RGB, or GRAY8 for one channel.
UnetsegFrame frame_of(const Image& image);

}  // namespace unetseg::trainer
