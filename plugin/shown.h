// SPDX-License-Identifier: MIT
// The mask that a frame shows.
#pragma once

#include <optional>

#include "plugin/inference.h"

namespace unetseg {

// A slot's probabilities, moved as the picture has moved since they were inferred.
struct ShownMask {
  Inference* model;  // borrowed
  guint slot;
  std::optional<UnetsegMotion> motion;

  UnetsegMaskOptions options(const FrameSettings& settings) const {
    return {settings.threshold, settings.largest_only,   settings.fill_holes,
            settings.min_area,  settings.min_confidence, motion ? &*motion : nullptr};
  }
};

// None where a frame has no mask.
using Shown = std::optional<ShownMask>;

}  // namespace unetseg
