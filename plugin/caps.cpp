// SPDX-License-Identifier: MIT
#include "plugin/caps.h"

#include "plugin/pointers.h"

namespace unetseg {
namespace {

GstCaps* within(GstCaps* caps, const char* limits) {
  const CapsPtr all(gst_caps_from_string(limits));
  return gst_caps_intersect_full(caps, all.get(), GST_CAPS_INTERSECT_FIRST);
}

// What a pad can have for the formats that are opposite of it.
struct FormatChoice {
  const char* caps;   // their formats, in order of preference
  bool prefers_same;  // those that are opposite too come first
  bool keeps_rgb;     // what is said about RGB's colours holds on the other side as well
};
constexpr FormatChoice kMasks = {GST_VIDEO_CAPS_MAKE("GRAY8"), false, false};
constexpr FormatChoice kCutouts = {GST_VIDEO_CAPS_MAKE("{ " UNETSEG_ALPHA " }"), true, true};
constexpr FormatChoice kFramesOfMasks = {UNETSEG_CAPS, false, false};
constexpr FormatChoice kFramesOfCutouts = {UNETSEG_CAPS, true, false};

const GValue* formats_of(GstCaps* caps) {
  return gst_structure_get_value(gst_caps_get_structure(caps, 0), "format");
}

// `formats` and `all` are one format or a list of them.
void set_formats(GstStructure* structure, const GValue* formats, const GValue* all) {
  GValue same = G_VALUE_INIT, others = G_VALUE_INIT, ordered = G_VALUE_INIT;
  const bool has_same = gst_value_intersect(&same, formats, all);
  const bool has_others = gst_value_subtract(&others, all, formats);
  if (has_same && has_others) {
    gst_value_list_merge(&ordered, &same, &others);
    gst_structure_take_value(structure, "format", &ordered);
  } else {
    gst_structure_set_value(structure, "format", has_same ? &same : &others);
  }
  if (has_same) g_value_unset(&same);
  if (has_others) g_value_unset(&others);
}

bool is_rgb(const GValue* formats) {
  const CapsPtr rgb(gst_caps_from_string(GST_VIDEO_CAPS_MAKE("{ " UNETSEG_RGB " }")));
  return gst_value_is_subset(formats, formats_of(rgb.get()));
}

// Size, rate and aspect ratio stay; the format does not, nor what goes with it.
GstCaps* with_formats(GstCaps* caps, const FormatChoice& choice) {
  const CapsPtr all(gst_caps_from_string(choice.caps));
  GstCaps* changed = gst_caps_new_empty();
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    const GstStructure* before = gst_caps_get_structure(caps, i);
    const GValue* formats = gst_structure_get_value(before, "format");
    GstStructure* structure = gst_structure_copy(before);
    if (choice.prefers_same)
      set_formats(structure, formats, formats_of(all.get()));
    else
      gst_structure_set_value(structure, "format", formats_of(all.get()));
    if (!choice.keeps_rgb || !is_rgb(formats))
      gst_structure_remove_fields(structure, "colorimetry", "chroma-site", nullptr);
    gst_caps_append_structure_full(changed, structure,
                                   gst_caps_features_copy(gst_caps_get_features(caps, i)));
  }
  return gst_caps_simplify(changed);
}

}  // namespace

GstCaps* source_caps_for(GstCaps* caps, Output output) {
  if (passes_frames(output)) return within(caps, UNETSEG_CAPS);
  const CapsPtr frames(within(caps, UNETSEG_CAPS));
  return with_formats(frames.get(), output == Output::cutout ? kCutouts : kMasks);
}

GstCaps* sink_caps_for(GstCaps* caps, Output output) {
  if (passes_frames(output)) return within(caps, UNETSEG_CAPS);
  const bool cuts_out = output == Output::cutout;
  const CapsPtr given(within(caps, cuts_out ? kCutouts.caps : kMasks.caps));
  const CapsPtr frames(with_formats(given.get(), cuts_out ? kFramesOfCutouts : kFramesOfMasks));
  return within(frames.get(), UNETSEG_CAPS);
}

bool read_sink_caps(GstCaps* caps, GstVideoInfo* info) {
  const CapsPtr all(gst_caps_from_string(UNETSEG_CAPS));
  return gst_caps_is_fixed(caps) && gst_caps_is_subset(caps, all.get()) &&
         gst_video_info_from_caps(info, caps) &&
         // The views lie in buffers of their own.
         GST_VIDEO_INFO_MULTIVIEW_MODE(info) != GST_VIDEO_MULTIVIEW_MODE_SEPARATED;
}

}  // namespace unetseg
