// SPDX-License-Identifier: MIT
#include "tests/plugin/failing_memory.h"

#include <dlfcn.h>

G_DEFINE_TYPE(TestPool, test_pool, GST_TYPE_VIDEO_BUFFER_POOL)
G_DEFINE_TYPE(TestAllocator, test_allocator, GST_TYPE_ALLOCATOR)

static gboolean pool_set_config(GstBufferPool* pool, GstStructure* config) {
  const gboolean set = GST_BUFFER_POOL_CLASS(test_pool_parent_class)->set_config(pool, config);
  return set && TEST_POOL(pool)->fault != PoolFault::configure;
}

static gboolean pool_start(GstBufferPool* pool) {
  return TEST_POOL(pool)->fault != PoolFault::start &&
         GST_BUFFER_POOL_CLASS(test_pool_parent_class)->start(pool);
}

static GstFlowReturn pool_acquire(GstBufferPool* pool, GstBuffer** buffer,
                                  GstBufferPoolAcquireParams* params) {
  if (TEST_POOL(pool)->fault == PoolFault::acquire) return GST_FLOW_ERROR;
  ++TEST_POOL(pool)->acquired;
  return GST_BUFFER_POOL_CLASS(test_pool_parent_class)->acquire_buffer(pool, buffer, params);
}

static void test_pool_class_init(TestPoolClass* klass) {
  GstBufferPoolClass* pool = GST_BUFFER_POOL_CLASS(klass);
  pool->set_config = pool_set_config;
  pool->start = pool_start;
  pool->acquire_buffer = pool_acquire;
}

static void test_pool_init(TestPool* self) {
  self->fault = PoolFault::none;
  self->acquired = 0;
}

static GstMemory* allocator_alloc(GstAllocator* allocator, gsize size,
                                  GstAllocationParams* params) {
  return TEST_ALLOCATOR(allocator)->fails ? nullptr : gst_allocator_alloc(nullptr, size, params);
}

static void test_allocator_class_init(TestAllocatorClass* klass) {
  GST_ALLOCATOR_CLASS(klass)->alloc = allocator_alloc;
}

static void test_allocator_init(TestAllocator* self) {
  self->fails = FALSE;
}

namespace {

std::atomic<PoolFault> own_pools{PoolFault::none};

}  // namespace

OwnPoolsFail::OwnPoolsFail(PoolFault fault) {
  own_pools = fault;
}

OwnPoolsFail::~OwnPoolsFail() {
  own_pools = PoolFault::none;
}

// In place of GStreamer's: what the program itself defines is found first.
extern "C" GstBufferPool* gst_video_buffer_pool_new(void) {
  if (own_pools != PoolFault::none) {
    auto* pool = TEST_POOL(gst_object_ref_sink(g_object_new(TEST_TYPE_POOL, nullptr)));
    pool->fault = own_pools;
    return GST_BUFFER_POOL(pool);
  }
  return reinterpret_cast<GstBufferPool* (*)()>(dlsym(RTLD_NEXT, "gst_video_buffer_pool_new"))();
}
