// SPDX-License-Identifier: MIT
// Engines and number formats by the names that users give them.
#pragma once

#include <string>

#include "model/backend/backend.h"

namespace unetseg {

// "auto", "libtorch", "fused-cpu" or "fused-cuda". Throws Error(settings).
UnetsegEngine engine_named(const std::string& name);

// "auto", "fp32", "bf16", "fp16" or "int8". Throws Error(settings).
UnetsegPrecision precision_named(const std::string& name);
const char* name_of(UnetsegPrecision precision);

}  // namespace unetseg
