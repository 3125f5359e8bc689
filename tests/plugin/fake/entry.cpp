// SPDX-License-Identifier: MIT
// What the fake module exports: the real table, whose sampler and painter are shown frames of the
// fake GPU as the processor sees them.
#include <gmodule.h>

#include <cstring>

#include "model/backend/table.h"
#include "tests/plugin/cuda/fake_cuda.h"

namespace {

using unetseg::backend_table;

// On a GPU it takes frames there, unless the environment's UNETSEG_FAKE_GPU_FRAMES is 0.
UnetsegSession* open(const UnetsegOpenOptions* options, GError** error) {
  UnetsegSession* session = backend_table().open(options, error);
  if (session == nullptr) return nullptr;
  auto* info = const_cast<UnetsegModelInfo*>(backend_table().info(session));  // the session's own
  info->takes_cuda_frames = std::strncmp(info->device, "cuda", 4) == 0 &&
                            g_strcmp0(g_getenv("UNETSEG_FAKE_GPU_FRAMES"), "0") != 0;
  return session;
}

// False: this is no frame that the session may be given.
bool show(UnetsegSession* session, const char* what, UnetsegFrame* frame, GError** error) {
  if (frame->memory == UNETSEG_MEMORY_SYSTEM) return true;
  gpointer note = nullptr;
  GModule* program = g_module_open(nullptr, static_cast<GModuleFlags>(0));
  const bool has_gpu = g_module_symbol(program, "fake_cuda_note", &note);
  g_module_close(program);
  if (!has_gpu || !backend_table().info(session)->takes_cuda_frames) {
    g_set_error(error, UNETSEG_BACKEND_ERROR, UNETSEG_BACKEND_ERROR_FAILED,
                "A frame in the memory of a GPU that the session does not take");
    return false;
  }
  reinterpret_cast<decltype(&fake_cuda_note)>(note)(what, frame->cuda_stream);
  frame->memory = UNETSEG_MEMORY_SYSTEM;
  for (guint8*& plane : frame->plane)
    if (plane != nullptr) plane = from_device(plane);
  return true;
}

gboolean sample(UnetsegSession* session, guint slot, const UnetsegFrame* frame, UnetsegFit fit,
                GError** error) {
  UnetsegFrame shown = *frame;
  return show(session, "sample", &shown, error) &&
         backend_table().sample(session, slot, &shown, fit, error);
}

gboolean draw(UnetsegSession* session, guint slot, const UnetsegFrame* frame,
              const UnetsegMaskOptions* mask, const UnetsegStyle* style, GError** error) {
  UnetsegFrame shown = *frame;
  return show(session, "draw", &shown, error) &&
         backend_table().draw(session, slot, &shown, mask, style, error);
}

UnetsegBackend make_table() {
  UnetsegBackend table = backend_table();
  table.open = open;
  table.sample = sample;
  table.draw = draw;
  return table;
}

}  // namespace

extern "C" G_MODULE_EXPORT const UnetsegBackend* unetseg_backend_get(void) {
  static const UnetsegBackend table = make_table();
  return &table;
}
