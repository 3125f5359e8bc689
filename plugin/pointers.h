// SPDX-License-Identifier: MIT
// Owning pointers to GLib's and GStreamer's objects.
#pragma once

#include <gst/gst.h>

#include <memory>

namespace unetseg {

// One class with a function for each type, since most of these functions are inline in their
// headers: as template arguments they would give each source file a type of its own.
struct Release {
  void operator()(gchar* text) const { g_free(text); }
  void operator()(GError* error) const { g_error_free(error); }
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(GstEvent* event) const { gst_event_unref(event); }
  void operator()(GstPad* pad) const { gst_object_unref(pad); }
  void operator()(GstQuery* query) const { gst_query_unref(query); }
  void operator()(GstBufferPool* pool) const { gst_object_unref(pool); }
  void operator()(GstAllocator* allocator) const { gst_object_unref(allocator); }
};

using StringPtr = std::unique_ptr<gchar, Release>;
using ErrorPtr = std::unique_ptr<GError, Release>;
using StructurePtr = std::unique_ptr<GstStructure, Release>;
using BufferPtr = std::unique_ptr<GstBuffer, Release>;
using CapsPtr = std::unique_ptr<GstCaps, Release>;
using EventPtr = std::unique_ptr<GstEvent, Release>;
using PadPtr = std::unique_ptr<GstPad, Release>;
using QueryPtr = std::unique_ptr<GstQuery, Release>;
using PoolPtr = std::unique_ptr<GstBufferPool, Release>;
using AllocatorPtr = std::unique_ptr<GstAllocator, Release>;

}  // namespace unetseg
