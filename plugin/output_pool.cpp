// SPDX-License-Identifier: MIT
#include "plugin/output_pool.h"

#include "plugin/errors.h"

namespace unetseg {
namespace {

[[noreturn]] void no_pool(const char* detail) {
  throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                "The memory for output frames cannot be set up: put a videoconvert or a queue "
                "behind unetseg, or choose a smaller frame",
                detail};
}

struct PoolSize {
  guint bytes, min, max;
};

// False: the pool does not want to be configured so.
bool configure_and_activate(GstBufferPool* pool, GstCaps* caps, const PoolSize& size,
                            bool video_meta, GstAllocator* allocator,
                            const GstAllocationParams& params) {
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, caps, size.bytes, size.min, size.max);
  gst_buffer_pool_config_set_allocator(config, allocator, &params);
  if (video_meta) gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  return gst_buffer_pool_set_config(pool, config) && gst_buffer_pool_set_active(pool, TRUE);
}

}  // namespace

void OutputPool::configure(GstPad* source_pad, GstCaps* caps, const GstVideoInfo& info,
                           PoolChoice choice, const CudaDevice* device) {
  stop();
  const QueryPtr query(gst_query_new_allocation(caps, choice == PoolChoice::downstream));
  gst_pad_peer_query(source_pad, query.get());  // unanswered is an answer: nothing is offered
  peer_reads_video_meta_ =
      gst_query_find_allocation_meta(query.get(), GST_VIDEO_META_API_TYPE, nullptr);
  peer_reads_crop_meta_ =
      gst_query_find_allocation_meta(query.get(), GST_VIDEO_CROP_META_API_TYPE, nullptr);

  GstAllocator* allocator = nullptr;
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  PoolSize size = {static_cast<guint>(GST_VIDEO_INFO_SIZE(&info)), 0, 0};
  GstBufferPool* offered = nullptr;
  if (choice == PoolChoice::downstream) {
    if (gst_query_get_n_allocation_params(query.get()) > 0)
      gst_query_parse_nth_allocation_param(query.get(), 0, &allocator, &params);
    if (gst_query_get_n_allocation_pools(query.get()) > 0) {
      PoolSize wanted;
      gst_query_parse_nth_allocation_pool(query.get(), 0, &offered, &wanted.bytes, &wanted.min,
                                          &wanted.max);
      if (offered != nullptr) size = {std::max(size.bytes, wanted.bytes), wanted.min, wanted.max};
    }
  }
  const AllocatorPtr owned_allocator(allocator);
  PoolPtr pool(offered);
  if (pool &&
      configure_and_activate(pool.get(), caps, size, peer_reads_video_meta_, allocator, params)) {
    pool_ = std::move(pool);
    return;
  }
  pool = device != nullptr ? device->new_pool() : PoolPtr(gst_video_buffer_pool_new());
  size = {static_cast<guint>(GST_VIDEO_INFO_SIZE(&info)), 0, 0};
  if (!configure_and_activate(pool.get(), caps, size, device != nullptr, allocator, params))
    no_pool("a video buffer pool could not be activated");
  pool_ = std::move(pool);
}

void OutputPool::stop() {
  if (pool_) gst_buffer_pool_set_active(pool_.get(), FALSE);
  pool_.reset();
}

GstFlowReturn OutputPool::acquire(BufferPtr* buffer) {
  GstBuffer* acquired = nullptr;
  const GstFlowReturn result = gst_buffer_pool_acquire_buffer(pool_.get(), &acquired, nullptr);
  buffer->reset(acquired);
  if (result == GST_FLOW_OK || result == GST_FLOW_FLUSHING) return result;
  throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                "There is no memory for another output frame: close other programs, or choose a "
                "smaller frame",
                gst_flow_get_name(result)};
}

void copy_metadata(GstBuffer* from, GstBuffer* to, bool to_mask) {
  gst_buffer_copy_into(
      to, from, static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS),
      0, static_cast<gsize>(-1));
  static const GQuark memory = g_quark_from_static_string("memory");
  static const GQuark reference = g_quark_from_static_string("memory-reference");
  static const GQuark colour = g_quark_from_static_string(GST_META_TAG_VIDEO_COLORSPACE_STR);
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta(from, &state)) {
    const GType api = meta->info->api;
    if (api == GST_VIDEO_META_API_TYPE || api == GST_VIDEO_CROP_META_API_TYPE ||
        gst_meta_api_type_has_tag(api, memory) || gst_meta_api_type_has_tag(api, reference) ||
        (to_mask && gst_meta_api_type_has_tag(api, colour)) ||
        meta->info->transform_func == nullptr)
      continue;
    GstMetaTransformCopy whole = {FALSE, 0, static_cast<gsize>(-1)};
    meta->info->transform_func(to, meta, from, _gst_meta_transform_copy, &whole);
  }
}

}  // namespace unetseg
