// SPDX-License-Identifier: MIT
// The functions of a backend module, over sessions.
#pragma once

#include "model/backend/backend.h"

namespace unetseg {

const UnetsegBackend& backend_table();

}  // namespace unetseg
