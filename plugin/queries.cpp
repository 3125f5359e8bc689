// SPDX-License-Identifier: MIT
#include "plugin/queries.h"

#include <gst/video/video.h>

#include "plugin/pointers.h"

namespace unetseg {
namespace {

// `there` makes what the pad opposite may see of this pad's caps, `back` the other way round.
using SeenThrough = GstCaps* (*)(GstCaps* caps, Output output, FrameMemory memory);

void answer_caps(GstQuery* query, GstPad* opposite, Output output, FrameMemory memory,
                 SeenThrough there, SeenThrough back) {
  GstCaps* filter = nullptr;
  gst_query_parse_caps(query, &filter);
  const CapsPtr peer_filter(filter == nullptr ? nullptr : there(filter, output, memory));
  const CapsPtr peer(gst_pad_peer_query_caps(opposite, peer_filter.get()));
  CapsPtr caps(back(peer.get(), output, memory));
  if (filter != nullptr)
    caps.reset(gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST));
  gst_query_set_caps_result(query, caps.get());
}

}  // namespace

void answer_sink_caps(GstQuery* query, GstPad* opposite, Output output, FrameMemory memory) {
  answer_caps(query, opposite, output, memory, source_caps_for, sink_caps_for);
}

void answer_source_caps(GstQuery* query, GstPad* opposite, Output output, FrameMemory memory) {
  answer_caps(query, opposite, output, memory, sink_caps_for, source_caps_for);
}

void answer_accept_caps(GstQuery* query, Output output, FrameMemory memory) {
  GstCaps* caps = nullptr;
  gst_query_parse_accept_caps(query, &caps);
  GstVideoInfo info;
  gst_query_set_accept_caps_result(query, read_sink_caps(caps, output, memory, &info));
}

bool offer_cuda_buffers(GstQuery* query, const CudaDevice& device) {
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  GstVideoInfo info;
  if (caps == nullptr || !are_in_cuda_memory(caps) || !gst_video_info_from_caps(&info, caps) ||
      gst_query_get_n_allocation_pools(query) > 0)
    return false;
  const PoolPtr pool = device.new_pool();
  guint size = static_cast<guint>(GST_VIDEO_INFO_SIZE(&info));
  GstStructure* config = gst_buffer_pool_get_config(pool.get());
  gst_buffer_pool_config_set_params(config, caps, size, 0, 0);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (!gst_buffer_pool_set_config(pool.get(), config)) return false;
  // Rows are as far apart as the device wants them, which the pool has found out.
  config = gst_buffer_pool_get_config(pool.get());
  gst_buffer_pool_config_get_params(config, nullptr, &size, nullptr, nullptr);
  gst_structure_free(config);
  gst_query_add_allocation_pool(query, pool.get(), size, 0, 0);
  return true;
}

void ask_for_whole_frames(GstQuery* query) {
  guint index = 0;
  while (gst_query_find_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, &index))
    gst_query_remove_nth_allocation_meta(query, index);
}

void ask_for_buffers(GstQuery* query, guint batch) {
  const guint n = gst_query_get_n_allocation_pools(query);
  for (guint i = 0; i < n; ++i) {
    GstBufferPool* pool = nullptr;
    guint size = 0, least = 0, most = 0;
    gst_query_parse_nth_allocation_pool(query, i, &pool, &size, &least, &most);
    const PoolPtr owned(pool);
    const guint wanted = least + batch;
    // A pool that cannot grow so far is of no use.
    const bool suffices = most == 0 || most >= wanted;
    gst_query_set_nth_allocation_pool(query, i, suffices ? pool : nullptr, size, wanted,
                                      suffices ? most : 0);
  }
  GstCaps* caps = nullptr;
  GstVideoInfo info;
  gst_query_parse_allocation(query, &caps, nullptr);
  if (n == 0 && caps != nullptr && gst_video_info_from_caps(&info, caps))
    gst_query_add_allocation_pool(query, nullptr, static_cast<guint>(GST_VIDEO_INFO_SIZE(&info)),
                                  batch + 1, 0);
}

}  // namespace unetseg
