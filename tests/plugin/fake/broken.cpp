// SPDX-License-Identifier: MIT
// A module of another unetseg: right symbol, a table that does not fit. Calling into it crashes.
#include <gmodule.h>

#include "model/backend/backend.h"

extern "C" G_MODULE_EXPORT const UnetsegBackend* unetseg_backend_get(void) {
  static const UnetsegBackend table = {BROKEN_ABI, BROKEN_SIZE, nullptr, nullptr, nullptr,
                                       nullptr,    nullptr,     nullptr, nullptr, nullptr};
  return &table;
}
