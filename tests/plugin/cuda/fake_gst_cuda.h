// SPDX-License-Identifier: MIT
// What the library that plays GStreamer's CUDA library shows to a test.
#pragma once

#include <gst/gst.h>

extern "C" {
// Memory of `size` bytes in a GstCudaContext, each `value`, last written to in `stream`.
GstMemory* fake_cuda_memory_new(GstObject* context, gsize size, guint8 value, gpointer stream);
// What is in it, for the processor.
guint8* fake_cuda_memory_bytes(GstMemory* memory);

// Of the library itself, for a test that plays an element of GStreamer.
GstObject* gst_cuda_context_new_wrapped(gpointer handle, int device);
gpointer gst_cuda_context_get_handle(GstObject* context);
gboolean gst_is_cuda_memory(GstMemory* memory);
}
