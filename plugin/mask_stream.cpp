// SPDX-License-Identifier: MIT
#include "plugin/mask_stream.h"

#include "plugin/caps.h"

namespace unetseg {

EventPtr mask_stream_start(GstEvent* event) {
  const gchar* id = nullptr;
  gst_event_parse_stream_start(event, &id);
  const StringPtr mask_id(g_strconcat(id, "/mask", nullptr));
  EventPtr start(gst_event_new_stream_start(mask_id.get()));
  gst_event_set_seqnum(start.get(), gst_event_get_seqnum(event));
  GstStreamFlags flags;
  gst_event_parse_stream_flags(event, &flags);
  gst_event_set_stream_flags(start.get(), flags);
  guint group = 0;
  if (gst_event_parse_group_id(event, &group)) gst_event_set_group_id(start.get(), group);
  return start;
}

namespace {

EventPtr mask_caps(GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const CapsPtr masks(source_caps_for(caps, Output::mask, FrameMemory::system_or_cuda));
  return EventPtr(gst_event_new_caps(masks.get()));
}

// What a pad that comes late has missed.
gboolean give_sticky_event(GstPad*, GstEvent** event, gpointer pad) {
  EventPtr mine;
  switch (GST_EVENT_TYPE(*event)) {
    case GST_EVENT_STREAM_START:
      mine = mask_stream_start(*event);
      break;
    case GST_EVENT_CAPS:
      mine = mask_caps(*event);
      break;
    case GST_EVENT_SEGMENT:
    case GST_EVENT_TAG:
      mine.reset(gst_event_ref(*event));
      break;
    default:
      return TRUE;
  }
  gst_pad_store_sticky_event(GST_PAD(pad), mine.get());
  return TRUE;
}

}  // namespace

void store_mask_events(GstPad* sink, GstPad* pad) {
  gst_pad_sticky_events_foreach(sink, give_sticky_event, pad);
}

}  // namespace unetseg
