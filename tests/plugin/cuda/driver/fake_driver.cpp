// SPDX-License-Identifier: MIT
// NVIDIA's driver, as far as the plugin calls it.
#include <atomic>
#include <cstring>
#include <mutex>
#include <string>

#include "plugin/cuda_library.h"
#include "tests/plugin/cuda/fake_cuda.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr int kSuccess = 0, kInvalidDevice = 101, kInvalidContext = 201;
constexpr int kDevices = 2;

std::mutex mutex;  // guards the notes
std::string notes;
thread_local gpointer current = nullptr;
std::atomic<int> retained{0}, copy_error{0};

guint8* host_address(const unetseg::CudaPlace& place) {
  return from_device(reinterpret_cast<guint8*>(place.device)) + place.y * place.pitch + place.x;
}

}  // namespace

EXPORT void fake_cuda_note(const char* what, gpointer stream) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (!notes.empty()) notes += ' ';
  notes += std::string(what) + '@' + std::to_string(reinterpret_cast<std::uintptr_t>(stream));
}

EXPORT gchar* fake_cuda_take_notes(void) {
  const std::lock_guard<std::mutex> lock(mutex);
  gchar* taken = g_strdup(notes.c_str());
  notes.clear();
  return taken;
}

EXPORT gpointer fake_cuda_make_current(gpointer handle) {
  gpointer before = current;
  current = handle;
  return before;
}

EXPORT int fake_cuda_primary_contexts(void) {
  return retained;
}

EXPORT void fake_cuda_fail_copies(int error) {
  copy_error = error;
}

EXPORT int cuInit(guint) {
  return kSuccess;
}

EXPORT int cuDeviceGet(int* device, int index) {
  if (index < 0 || index >= kDevices) return kInvalidDevice;
  *device = index;
  return kSuccess;
}

EXPORT int cuDevicePrimaryCtxRetain(gpointer* handle, int device) {
  ++retained;
  *handle = GINT_TO_POINTER(1000 + device);
  return kSuccess;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int) {
  --retained;
  return kSuccess;
}

EXPORT int cuMemcpy2DAsync_v2(const unetseg::CudaRowsCopy* copy, gpointer stream) {
  if (current == nullptr) return kInvalidContext;
  if (copy_error != 0) return copy_error;
  fake_cuda_note("copy", stream);
  for (gsize y = 0; y < copy->rows; ++y)
    std::memcpy(host_address(copy->to) + y * copy->to.pitch,
                host_address(copy->from) + y * copy->from.pitch, copy->row_bytes);
  return kSuccess;
}

EXPORT int cuStreamSynchronize(gpointer stream) {
  if (current == nullptr) return kInvalidContext;
  fake_cuda_note("wait", stream);
  return kSuccess;
}
