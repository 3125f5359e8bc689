// SPDX-License-Identifier: MIT
// A GPU without a GPU, under the file names of NVIDIA's driver and of GStreamer's CUDA library: a
// test that links to both runs the plugin's own code against them. All work is done at once; what
// was asked for is noted.
#pragma once

#include <glib.h>

#include <cstdint>

// Device memory is the process's own, at addresses that the processor faults at.
constexpr std::uintptr_t kDeviceBit = std::uintptr_t{1} << 62;
inline guint8* to_device(guint8* address) {
  return reinterpret_cast<guint8*>(reinterpret_cast<std::uintptr_t>(address) | kDeviceBit);
}
inline guint8* from_device(guint8* address) {
  return reinterpret_cast<guint8*>(reinterpret_cast<std::uintptr_t>(address) & ~kDeviceBit);
}

extern "C" {
// Notes a step of work and the stream it was put into.
void fake_cuda_note(const char* what, gpointer stream);
// The notes since the last call, as "sample@7 draw@7"; free with g_free().
gchar* fake_cuda_take_notes(void);
// The context that is current on this thread, or null; returns the one before.
gpointer fake_cuda_make_current(gpointer handle);
// Primary contexts that are retained and not released.
int fake_cuda_primary_contexts(void);
// Copies fail with this from now on; 0: they do not.
void fake_cuda_fail_copies(int error);
}
