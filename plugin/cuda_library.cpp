// SPDX-License-Identifier: MIT
#include "plugin/cuda_library.h"

#include <gmodule.h>

#include "plugin/debug.h"

namespace unetseg {
namespace {

// Null: it is not there.
GModule* open(const char* file) {
  GModule* module = g_module_open(file, static_cast<GModuleFlags>(G_MODULE_BIND_LOCAL));
  if (module == nullptr)
    GST_INFO("frames stay in system memory: %s", g_module_error());
  else
    g_module_make_resident(module);  // types that it has registered cannot be taken back
  return module;
}

template <typename Function>
bool find(GModule* module, const char* name, Function* function) {
  gpointer symbol = nullptr;
  const bool found = g_module_symbol(module, name, &symbol) && symbol != nullptr;
  *function = found ? reinterpret_cast<Function>(symbol) : nullptr;
  return found;
}

bool find_all(GModule* gst, GModule* driver, CudaLibrary* library) {
  const bool has_streams = find(gst, "gst_cuda_memory_get_stream", &library->memory_get_stream) &&
                           find(gst, "gst_cuda_stream_get_handle", &library->stream_get_handle);
  if (!has_streams) library->memory_get_stream = nullptr;
  return find(gst, "gst_cuda_load_library", &library->load_library) &&
         find(gst, "gst_cuda_memory_init_once", &library->memory_init_once) &&
         find(gst, "gst_cuda_context_new_wrapped", &library->context_new_wrapped) &&
         find(gst, "gst_cuda_context_get_handle", &library->context_get_handle) &&
         find(gst, "gst_cuda_context_push", &library->context_push) &&
         find(gst, "gst_cuda_context_pop", &library->context_pop) &&
         find(gst, "gst_context_new_cuda_context", &library->context_new_cuda_context) &&
         find(gst, "gst_is_cuda_memory", &library->is_cuda_memory) &&
         find(gst, "gst_cuda_buffer_pool_new", &library->buffer_pool_new) &&
         find(driver, "cuInit", &library->init) &&
         find(driver, "cuDeviceGet", &library->device_get) &&
         find(driver, "cuDevicePrimaryCtxRetain", &library->device_primary_ctx_retain) &&
         find(driver, "cuDevicePrimaryCtxRelease_v2", &library->device_primary_ctx_release) &&
         find(driver, "cuMemcpy2DAsync_v2", &library->memcpy_2d_async) &&
         find(driver, "cuStreamSynchronize", &library->stream_synchronize);
}

const CudaLibrary* open_library() {
  GModule* driver = open("libcuda.so.1");
  GModule* gst = driver == nullptr ? nullptr : open("libgstcuda-1.0.so.0");
  if (gst == nullptr) return nullptr;
  static CudaLibrary library;
  if (!find_all(gst, driver, &library) || !library.load_library() || library.init(0) != 0) {
    GST_INFO("frames stay in system memory: GStreamer's CUDA library or the driver is too old");
    return nullptr;
  }
  library.memory_init_once();
  return &library;
}

}  // namespace

const CudaLibrary* cuda_library() {
  static const CudaLibrary* const library = open_library();
  return library;
}

}  // namespace unetseg
