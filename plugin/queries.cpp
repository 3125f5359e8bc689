// SPDX-License-Identifier: MIT
#include "plugin/queries.h"

#include <gst/video/video.h>

#include "plugin/caps.h"
#include "plugin/pointers.h"

namespace unetseg {
namespace {

// `there` makes what the pad opposite may see of this pad's caps, `back` the other way round.
using SeenThrough = GstCaps* (*)(GstCaps* caps, Output output);

void answer_caps(GstQuery* query, GstPad* opposite, Output output, SeenThrough there,
                 SeenThrough back) {
  GstCaps* filter = nullptr;
  gst_query_parse_caps(query, &filter);
  const CapsPtr peer_filter(filter == nullptr ? nullptr : there(filter, output));
  const CapsPtr peer(gst_pad_peer_query_caps(opposite, peer_filter.get()));
  CapsPtr caps(back(peer.get(), output));
  if (filter != nullptr)
    caps.reset(gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST));
  gst_query_set_caps_result(query, caps.get());
}

}  // namespace

void answer_sink_caps(GstQuery* query, GstPad* opposite, Output output) {
  answer_caps(query, opposite, output, source_caps_for, sink_caps_for);
}

void answer_source_caps(GstQuery* query, GstPad* opposite, Output output) {
  answer_caps(query, opposite, output, sink_caps_for, source_caps_for);
}

void answer_accept_caps(GstQuery* query) {
  GstCaps* caps = nullptr;
  gst_query_parse_accept_caps(query, &caps);
  GstVideoInfo info;
  gst_query_set_accept_caps_result(query, read_sink_caps(caps, &info));
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
