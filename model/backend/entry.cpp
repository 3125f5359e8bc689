// SPDX-License-Identifier: MIT
// What a backend module exports.
#include <gmodule.h>

#include "model/backend/table.h"

extern "C" G_MODULE_EXPORT const UnetsegBackend* unetseg_backend_get(void) {
  return &unetseg::backend_table();
}
