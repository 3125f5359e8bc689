// SPDX-License-Identifier: MIT
// Finds and opens the backend module, the only way to the network and its libraries.
#pragma once

#include "model/backend/backend.h"

namespace unetseg {

// The module's table, of the ABI that this plugin was built with. The module is bound locally and
// stays in the process for good. Throws Failure (LIBRARY): SETTINGS for a relative
// UNETSEG_MODULE_DIR, INIT for a module that is missing, cannot be loaded, or is of another ABI,
// and for a LibTorch of the application's own.
const UnetsegBackend* load_backend();

}  // namespace unetseg
