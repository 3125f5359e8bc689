// SPDX-License-Identifier: MIT
// What applications read about a loaded model.
#pragma once

#include "plugin/inference.h"
#include "plugin/pointers.h"
#include "plugin/settings.h"

namespace unetseg {

// The read-only property `model-info`.
StructurePtr describe_model(const Inference& model);

// The read-only property `engine` of a model that was described so; null: there is none.
EngineKind engine_of(const GstStructure* model_info);

}  // namespace unetseg
