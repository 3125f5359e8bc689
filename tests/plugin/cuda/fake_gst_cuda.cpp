// SPDX-License-Identifier: MIT
// GStreamer's CUDA library, as far as the plugin calls it, behaving as that of 1.24 does.
#include <gst/video/video.h>

#include <cstring>

#include "plugin/cuda_library.h"
#include "tests/plugin/cuda/fake_cuda.h"
#include "tests/plugin/cuda/fake_gst_cuda.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

using unetseg::kMapCuda;

namespace {

// Rows begin at multiples of it.
constexpr gint kPitch = 64;

struct Context {
  GstObject object;
  gpointer handle;
  guint device;
};
struct ContextClass {
  GstObjectClass parent;
};
G_DEFINE_TYPE(Context, context, GST_TYPE_OBJECT)
void context_class_init(ContextClass*) {}
void context_init(Context*) {}

struct Memory {
  GstMemory memory;
  GstObject* context;
  gpointer stream;
  guint8 *data, *staging;  // on the device, and the processor's copy
  bool needs_download, needs_upload;
};

struct Allocator {
  GstAllocator parent;
};
struct AllocatorClass {
  GstAllocatorClass parent;
};
G_DEFINE_TYPE(Allocator, allocator, GST_TYPE_ALLOCATOR)

void free_memory(GstAllocator*, GstMemory* memory) {
  auto* self = reinterpret_cast<Memory*>(memory);
  g_free(self->data);
  g_free(self->staging);
  gst_object_unref(self->context);
  g_free(self);
}

// Either side is copied to when it is mapped and out of date.
gpointer map_memory(GstMemory* memory, gsize, GstMapFlags flags) {
  auto* self = reinterpret_cast<Memory*>(memory);
  const bool writes = (flags & GST_MAP_WRITE) != 0;
  if ((flags & kMapCuda) != 0) {
    if (self->needs_upload) {
      fake_cuda_note("upload", self->stream);
      std::memcpy(self->data, self->staging, memory->size);
    }
    self->needs_upload = false;
    self->needs_download |= writes;
    return to_device(self->data);
  }
  if (self->staging == nullptr) {
    self->staging = static_cast<guint8*>(g_malloc(memory->size));
    self->needs_download = true;
  }
  if (self->needs_download) {
    fake_cuda_note("download", self->stream);
    std::memcpy(self->staging, self->data, memory->size);
  }
  self->needs_download = false;
  self->needs_upload |= writes;
  return self->staging;
}

void unmap_memory(GstMemory*) {}

void allocator_class_init(AllocatorClass* klass) {
  klass->parent.free = free_memory;
}
void allocator_init(Allocator* self) {
  self->parent.mem_type = "gst.cuda.memory";
  self->parent.mem_map = map_memory;
  self->parent.mem_unmap = unmap_memory;
  GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
  GST_OBJECT_FLAG_SET(self, GST_OBJECT_FLAG_MAY_BE_LEAKED);
}

GstAllocator* shared_allocator() {
  static GstAllocator* const allocator =
      static_cast<GstAllocator*>(gst_object_ref_sink(g_object_new(allocator_get_type(), nullptr)));
  return allocator;
}

struct Pool {
  GstBufferPool parent;
  GstObject* context;
  GstVideoInfo info;  // as its buffers lie
};
struct PoolClass {
  GstBufferPoolClass parent;
};
G_DEFINE_TYPE(Pool, pool, GST_TYPE_BUFFER_POOL)

gboolean configure_pool(GstBufferPool* pool, GstStructure* config) {
  auto* self = reinterpret_cast<Pool*>(pool);
  GstCaps* caps = nullptr;
  guint least = 0, most = 0;
  gst_buffer_pool_config_get_params(config, &caps, nullptr, &least, &most);
  if (!gst_video_info_from_caps(&self->info, caps)) return FALSE;
  GstVideoAlignment alignment;
  gst_video_alignment_reset(&alignment);
  for (guint& mask : alignment.stride_align) mask = kPitch - 1;
  gst_video_info_align(&self->info, &alignment);
  gst_buffer_pool_config_set_params(
      config, caps, static_cast<guint>(GST_VIDEO_INFO_SIZE(&self->info)), least, most);
  return GST_BUFFER_POOL_CLASS(pool_parent_class)->set_config(pool, config);
}

GstFlowReturn new_buffer(GstBufferPool* pool, GstBuffer** buffer, GstBufferPoolAcquireParams*) {
  auto* self = reinterpret_cast<Pool*>(pool);
  GstVideoInfo info = self->info;
  *buffer = gst_buffer_new();
  gst_buffer_append_memory(
      *buffer, fake_cuda_memory_new(self->context, GST_VIDEO_INFO_SIZE(&info), 0, nullptr));
  gst_buffer_add_video_meta_full(*buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&info),
                                 static_cast<guint>(GST_VIDEO_INFO_WIDTH(&info)),
                                 static_cast<guint>(GST_VIDEO_INFO_HEIGHT(&info)),
                                 GST_VIDEO_INFO_N_PLANES(&info), info.offset, info.stride);
  return GST_FLOW_OK;
}

void finalize_pool(GObject* object) {
  gst_object_unref(reinterpret_cast<Pool*>(object)->context);
  G_OBJECT_CLASS(pool_parent_class)->finalize(object);
}

void pool_class_init(PoolClass* klass) {
  klass->parent.set_config = configure_pool;
  klass->parent.alloc_buffer = new_buffer;
  G_OBJECT_CLASS(klass)->finalize = finalize_pool;
}
void pool_init(Pool*) {}

}  // namespace

EXPORT GstMemory* fake_cuda_memory_new(GstObject* context, gsize size, guint8 value,
                                       gpointer stream) {
  auto* self = g_new0(Memory, 1);
  self->context = GST_OBJECT(gst_object_ref(context));
  self->stream = stream;
  self->data = static_cast<guint8*>(g_malloc(size));
  std::memset(self->data, value, size);
  gst_memory_init(&self->memory, static_cast<GstMemoryFlags>(0), shared_allocator(), nullptr, size,
                  0, 0, size);
  return &self->memory;
}

EXPORT guint8* fake_cuda_memory_bytes(GstMemory* memory) {
  return reinterpret_cast<Memory*>(memory)->data;
}

EXPORT gboolean gst_cuda_load_library(void) {
  return TRUE;
}

EXPORT void gst_cuda_memory_init_once(void) {
  shared_allocator();
}

EXPORT GstObject* gst_cuda_context_new_wrapped(gpointer handle, int device) {
  auto* self =
      reinterpret_cast<Context*>(gst_object_ref_sink(g_object_new(context_get_type(), nullptr)));
  self->handle = handle;
  self->device = static_cast<guint>(device);
  return &self->object;
}

EXPORT gpointer gst_cuda_context_get_handle(GstObject* context) {
  return reinterpret_cast<Context*>(context)->handle;
}

// One deep, which is as deep as the plugin goes.
EXPORT gboolean gst_cuda_context_push(GstObject* context) {
  fake_cuda_make_current(reinterpret_cast<Context*>(context)->handle);
  return TRUE;
}

EXPORT gboolean gst_cuda_context_pop(gpointer*) {
  fake_cuda_make_current(nullptr);
  return TRUE;
}

EXPORT GstContext* gst_context_new_cuda_context(GstObject* context) {
  GstContext* published = gst_context_new("gst.cuda.context", TRUE);
  gst_structure_set(gst_context_writable_structure(published), "gst.cuda.context",
                    context_get_type(), context, "cuda-device-id", G_TYPE_UINT,
                    reinterpret_cast<Context*>(context)->device, nullptr);
  return published;
}

EXPORT gboolean gst_is_cuda_memory(GstMemory* memory) {
  return memory->allocator == shared_allocator();
}

EXPORT GstBufferPool* gst_cuda_buffer_pool_new(GstObject* context) {
  auto* self = reinterpret_cast<Pool*>(gst_object_ref_sink(g_object_new(pool_get_type(), nullptr)));
  self->context = GST_OBJECT(gst_object_ref(context));
  return &self->parent;
}

// A stream object is its handle.
EXPORT gpointer gst_cuda_memory_get_stream(GstMemory* memory) {
  return reinterpret_cast<Memory*>(memory)->stream;
}

EXPORT gpointer gst_cuda_stream_get_handle(gpointer stream) {
  return stream;
}
