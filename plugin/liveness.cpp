// SPDX-License-Identifier: MIT
#include "plugin/liveness.h"

#include "plugin/debug.h"
#include "plugin/pointers.h"

namespace unetseg {

void Liveness::learn(GstPad* sink) {
  if (state_ != State::unknown) return;
  const QueryPtr query(gst_query_new_latency());
  if (!gst_pad_peer_query(sink, query.get())) return;
  gboolean live = FALSE;
  gst_query_parse_latency(query.get(), &live, nullptr, nullptr);
  state_ = live ? State::live : State::not_live;
  GST_INFO_OBJECT(sink, "the pipeline is %s", live ? "live" : "not live");
}

void Liveness::learn_if_due(GstPad* sink) {
  if (is_due_.exchange(false)) learn(sink);
}

}  // namespace unetseg
