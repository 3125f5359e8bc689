// SPDX-License-Identifier: MIT
// A module of another unetseg: right symbol, a table that does not fit. Calling into it crashes.
#include <gmodule.h>

#include "model/backend/backend.h"

extern "C" G_MODULE_EXPORT const UnetsegBackend* unetseg_backend_get(void) {
  static const UnetsegBackend table = [] {
    UnetsegBackend broken = {};
    broken.abi = BROKEN_ABI;
    broken.struct_size = BROKEN_SIZE;
    return broken;
  }();
  return &table;
}
