// SPDX-License-Identifier: MIT
// A pool and an allocator of a downstream element that fail as a test says.
#pragma once

#include <gst/video/gstvideopool.h>

#include "tests/plugin/bench.h"

enum class PoolFault { none, configure, start, acquire };

G_BEGIN_DECLS

// Otherwise a video buffer pool that counts the buffers it gives.
#define TEST_TYPE_POOL (test_pool_get_type())
G_DECLARE_FINAL_TYPE(TestPool, test_pool, TEST, POOL, GstVideoBufferPool)
struct _TestPool {
  GstVideoBufferPool parent;
  PoolFault fault;
  gint acquired;
};

// Otherwise GStreamer's system memory.
#define TEST_TYPE_ALLOCATOR (test_allocator_get_type())
G_DECLARE_FINAL_TYPE(TestAllocator, test_allocator, TEST, ALLOCATOR, GstAllocator)
struct _TestAllocator {
  GstAllocator parent;
  gboolean fails;
};

G_END_DECLS

// While it exists, the pools that the element makes for itself are TestPools with this fault.
class OwnPoolsFail {
 public:
  explicit OwnPoolsFail(PoolFault fault);
  ~OwnPoolsFail();
  OwnPoolsFail(const OwnPoolsFail&) = delete;
  OwnPoolsFail& operator=(const OwnPoolsFail&) = delete;
};
