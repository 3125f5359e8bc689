// SPDX-License-Identifier: MIT
// GStreamer's CUDA library (gst/cuda, 1.22 and newer) and NVIDIA's driver, as far as frames in GPU
// memory need them. This is the one place that knows their versions.
//
// Neither is linked, and no header of theirs is included. A scan of the plugins would load both,
// and libGL with them, and would refuse the plugin where one is missing; the headers include those
// of the CUDA toolkit, and Debian packs them with all of OpenCV's. So every build has the code, and
// finds out when it runs. Where the headers are, tests/plugin/cuda/test_cuda_declarations.cpp holds what
// is declared here against them.
#pragma once

#include <gst/gst.h>

namespace unetseg {

// GstCudaContext and GstCudaStream, which nobody looks into.
using GstCudaContextPtr = GstObject*;
using GstCudaStreamPtr = GstMiniObject*;

// How GstCudaMemory begins.
struct GstCudaMemoryHead {
  GstMemory memory;
  GstCudaContextPtr context;
};

// A map with it gives an address on the device, one without it a copy in system memory.
constexpr GstMapFlags kMapCuda = static_cast<GstMapFlags>(GST_MAP_FLAG_LAST << 1);  // GST_MAP_CUDA
#define UNETSEG_CUDA_MEMORY_FEATURE "memory:CUDAMemory"
constexpr const char* kCudaContextType = "gst.cuda.context";

// The driver's CUDA_MEMCPY2D: rows from one place to another.
struct CudaPlace {
  gsize x, y;
  guint type;  // 2: device
  const void* host;
  guint64 device;
  gpointer array;
  gsize pitch;
};
struct CudaRowsCopy {
  CudaPlace from, to;
  gsize row_bytes, rows;
};

// Functions that answer an int: the driver's, and 0 is success.
struct CudaLibrary {
  gboolean (*load_library)();
  void (*memory_init_once)();
  GstCudaContextPtr (*context_new_wrapped)(gpointer handle, int device);
  gpointer (*context_get_handle)(GstCudaContextPtr context);
  gboolean (*context_push)(GstCudaContextPtr context);
  gboolean (*context_pop)(gpointer* handle);
  GstContext* (*context_new_cuda_context)(GstCudaContextPtr context);
  gboolean (*is_cuda_memory)(GstMemory* memory);
  GstBufferPool* (*buffer_pool_new)(GstCudaContextPtr context);
  // From 1.24 on; null before.
  GstCudaStreamPtr (*memory_get_stream)(GstCudaMemoryHead* memory);
  gpointer (*stream_get_handle)(GstCudaStreamPtr stream);

  int (*init)(guint flags);
  int (*device_get)(int* device, int index);
  int (*device_primary_ctx_retain)(gpointer* handle, int device);
  int (*device_primary_ctx_release)(int device);
  int (*memcpy_2d_async)(const CudaRowsCopy* copy, gpointer stream);
  int (*stream_synchronize)(gpointer stream);
};

// Opened at the first call, and never closed. Null where GStreamer has no such library here, or the
// machine no driver. Any thread.
const CudaLibrary* cuda_library();

}  // namespace unetseg
