// SPDX-License-Identifier: MIT
#include "plugin/caps.h"

#include "plugin/pointers.h"

namespace unetseg {
namespace {

GstCaps* template_caps() {
  return gst_caps_from_string(UNETSEG_CAPS);
}

// Masks have the frame's size, rate and aspect ratio, but neither its format nor what goes with it.
GstCaps* with_format_of(GstCaps* caps, const GValue* format) {
  GstCaps* changed = gst_caps_new_empty();
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    GstStructure* structure = gst_structure_copy(gst_caps_get_structure(caps, i));
    gst_structure_set_value(structure, "format", format);
    gst_structure_remove_fields(structure, "colorimetry", "chroma-site", nullptr);
    gst_caps_append_structure_full(changed, structure,
                                   gst_caps_features_copy(gst_caps_get_features(caps, i)));
  }
  return gst_caps_simplify(changed);
}

GstCaps* within_template(GstCaps* caps) {
  const CapsPtr all(template_caps());
  return gst_caps_intersect_full(caps, all.get(), GST_CAPS_INTERSECT_FIRST);
}

}  // namespace

GstCaps* source_caps_for(GstCaps* caps, Output output) {
  const CapsPtr taken(within_template(caps));
  if (passes_frames(output)) return gst_caps_ref(taken.get());
  GValue grey = G_VALUE_INIT;
  g_value_init(&grey, G_TYPE_STRING);
  g_value_set_static_string(&grey, "GRAY8");
  GstCaps* masks = with_format_of(taken.get(), &grey);
  g_value_unset(&grey);
  return masks;
}

GstCaps* sink_caps_for(GstCaps* caps, Output output) {
  if (passes_frames(output)) return within_template(caps);
  const CapsPtr grey(gst_caps_from_string(GST_VIDEO_CAPS_MAKE("GRAY8")));
  const CapsPtr masks(gst_caps_intersect_full(caps, grey.get(), GST_CAPS_INTERSECT_FIRST));
  const CapsPtr all(template_caps());
  const GstStructure* any = gst_caps_get_structure(all.get(), 0);
  const CapsPtr frames(with_format_of(masks.get(), gst_structure_get_value(any, "format")));
  return within_template(frames.get());
}

bool read_sink_caps(GstCaps* caps, GstVideoInfo* info) {
  const CapsPtr all(template_caps());
  return gst_caps_is_fixed(caps) && gst_caps_is_subset(caps, all.get()) &&
         gst_video_info_from_caps(info, caps) &&
         // The views lie in buffers of their own.
         GST_VIDEO_INFO_MULTIVIEW_MODE(info) != GST_VIDEO_MULTIVIEW_MODE_SEPARATED;
}

}  // namespace unetseg
