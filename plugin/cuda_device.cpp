// SPDX-License-Identifier: MIT
#include "plugin/cuda_device.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "plugin/debug.h"
#include "plugin/errors.h"

namespace unetseg {
namespace {

constexpr guint kOnDevice = 2;  // CU_MEMORYTYPE_DEVICE

// Makes a context the thread's current one for as long as the object lives.
class Current {
 public:
  Current(const CudaLibrary& library, GstCudaContextPtr context)
      : library_(library), pushed_(library.context_push(context)) {}
  ~Current() {
    if (pushed_) library_.context_pop(nullptr);
  }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

 private:
  const CudaLibrary& library_;
  const bool pushed_;
};

// A pointer that is null counts as none: devices are counted from 1 here.
void release_primary(gpointer number) {
  cuda_library()->device_primary_ctx_release(GPOINTER_TO_INT(number) - 1);
}

// Null where there is none. The primary context is kept until the result is freed, which memory
// that outlives the element can put off.
GstCudaContextPtr wrap_primary_context(const CudaLibrary& library, int index) {
  int device = 0;
  gpointer handle = nullptr;
  if (library.device_get(&device, index) != 0 ||
      library.device_primary_ctx_retain(&handle, device) != 0)
    return nullptr;
  GstCudaContextPtr context = library.context_new_wrapped(handle, device);
  if (context == nullptr)
    library.device_primary_ctx_release(device);
  else
    g_object_set_data_full(G_OBJECT(context), "unetseg-primary-context",
                           GINT_TO_POINTER(device + 1), release_primary);
  return context;
}

CudaPlace place(const UnetsegFrame& frame, guint plane, gint64 row) {
  CudaPlace place = {};
  place.type = kOnDevice;
  place.device = reinterpret_cast<guint64>(frame.plane[plane] + row * frame.stride[plane]);
  place.pitch = static_cast<gsize>(std::abs(frame.stride[plane]));
  return place;
}

}  // namespace

std::shared_ptr<CudaDevice> CudaDevice::find(const std::string& device) {
  static const std::string kScheme = "cuda:";
  static std::mutex mutex;
  static std::map<int, std::weak_ptr<CudaDevice>> devices;
  if (device.compare(0, kScheme.size(), kScheme) != 0) return nullptr;
  const CudaLibrary* library = cuda_library();
  if (library == nullptr) return nullptr;
  const int index = std::stoi(device.substr(kScheme.size()));
  const std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<CudaDevice> known = devices[index].lock();
  if (known) return known;
  GstCudaContextPtr context = wrap_primary_context(*library, index);
  if (context == nullptr) {
    GST_INFO("frames stay in system memory: there is no context of %s", device.c_str());
    return nullptr;
  }
  known.reset(new CudaDevice(*library, context));
  devices[index] = known;
  return known;
}

CudaDevice::CudaDevice(const CudaLibrary& library, GstCudaContextPtr context)
    : library_(library), context_(context), published_(library.context_new_cuda_context(context)) {}

CudaDevice::~CudaDevice() {
  gst_context_unref(published_);
  gst_object_unref(context_);
}

void CudaDevice::publish(GstElement* element) const {
  gst_element_post_message(
      element, gst_message_new_have_context(GST_OBJECT(element), gst_context_ref(published_)));
}

bool CudaDevice::answer(GstQuery* query) const {
  const gchar* type = nullptr;
  if (!gst_query_parse_context_type(query, &type) || std::strcmp(type, kCudaContextType) != 0)
    return false;
  gst_query_set_context(query, published_);
  return true;
}

bool CudaDevice::holds(GstBuffer* buffer) const {
  if (gst_buffer_n_memory(buffer) != 1) return false;
  GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  if (!library_.is_cuda_memory(memory)) return false;
  const GstCudaContextPtr context = reinterpret_cast<GstCudaMemoryHead*>(memory)->context;
  return context == context_ ||
         library_.context_get_handle(context) == library_.context_get_handle(context_);
}

gpointer CudaDevice::stream_of(GstBuffer* buffer) const {
  if (library_.memory_get_stream == nullptr) return nullptr;
  GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  GstCudaStreamPtr stream =
      library_.memory_get_stream(reinterpret_cast<GstCudaMemoryHead*>(memory));
  return stream == nullptr ? nullptr : library_.stream_get_handle(stream);
}

PoolPtr CudaDevice::new_pool() const {
  return PoolPtr(library_.buffer_pool_new(context_));
}

void CudaDevice::copy(const UnetsegFrame& from, const UnetsegFrame& to,
                      const FrameGeometry& geometry) const {
  const Current current(library_, context_);
  int result = 0;
  for (guint p = 0; p < geometry.planes; ++p) {
    // Rows that lie bottom up go one by one: the driver knows no negative pitch.
    const bool is_upright = from.stride[p] >= 0 && to.stride[p] >= 0;
    const gint64 step = is_upright ? geometry.rows[p] : 1;
    for (gint64 y = 0; y < geometry.rows[p] && result == 0; y += step) {
      const CudaRowsCopy rows = {place(from, p, y), place(to, p, y),
                                 static_cast<gsize>(geometry.row_bytes[p]),
                                 static_cast<gsize>(step)};
      result = library_.memcpy_2d_async(&rows, from.cuda_stream);
    }
  }
  if (result == 0) result = library_.stream_synchronize(from.cuda_stream);
  if (result != 0)
    throw Failure{GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
                  "The GPU cannot copy a frame: restart the program, or set device=cpu",
                  "CUDA error " + std::to_string(result)};
}

void CudaDevice::synchronize(gpointer stream) const {
  const Current current(library_, context_);
  const int result = library_.stream_synchronize(stream);
  if (result != 0) GST_WARNING("CUDA error %d while waiting for the GPU", result);
}

}  // namespace unetseg
