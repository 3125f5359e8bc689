// SPDX-License-Identifier: MIT
// What applications read about a loaded model.
#pragma once

#include "plugin/inference.h"
#include "plugin/pointers.h"
#include "plugin/settings.h"

namespace unetseg {

// The read-only property `model-info`.
StructurePtr describe_model(const Inference& model);

}  // namespace unetseg
