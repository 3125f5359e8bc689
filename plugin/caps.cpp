// SPDX-License-Identifier: MIT
#include "plugin/caps.h"

#include "plugin/pointers.h"

namespace unetseg {
namespace {

GstCaps* within(GstCaps* caps, const char* limits) {
  const CapsPtr all(gst_caps_from_string(limits));
  return gst_caps_intersect_full(caps, all.get(), GST_CAPS_INTERSECT_FIRST);
}

// What frames may come in as.
const char* frames_in(FrameMemory memory, Output output) {
  return memory == FrameMemory::system || output == Output::cutout ? UNETSEG_SYSTEM_CAPS
                                                                   : UNETSEG_CAPS;
}

// What a pad can have for the formats that are opposite of it.
struct FormatChoice {
  const char* caps;   // their formats, in order of preference, and their memory
  bool prefers_same;  // those that are opposite too come first
  bool keeps_rgb;     // what is said about RGB's colours holds on the other side as well
};
constexpr FormatChoice kMasks = {GST_VIDEO_CAPS_MAKE("GRAY8"), false, false};
constexpr FormatChoice kCutouts = {GST_VIDEO_CAPS_MAKE("{ " UNETSEG_ALPHA " }"), true, true};
constexpr FormatChoice kFramesOfMasks = {UNETSEG_SYSTEM_CAPS, false, false};
constexpr FormatChoice kCudaFramesOfMasks = {UNETSEG_CUDA_CAPS, false, false};
constexpr FormatChoice kFramesOfCutouts = {UNETSEG_SYSTEM_CAPS, true, false};

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

// Size, rate and aspect ratio stay; format and memory do not, nor what goes with the format.
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
                                   gst_caps_features_copy(gst_caps_get_features(all.get(), 0)));
  }
  return gst_caps_simplify(changed);
}

}  // namespace

GstCaps* source_caps_for(GstCaps* caps, Output output, FrameMemory memory) {
  CapsPtr frames(within(caps, frames_in(memory, output)));
  if (passes_frames(output)) return frames.release();
  return with_formats(frames.get(), output == Output::cutout ? kCutouts : kMasks);
}

GstCaps* sink_caps_for(GstCaps* caps, Output output, FrameMemory memory) {
  if (passes_frames(output)) return within(caps, frames_in(memory, output));
  const bool cuts_out = output == Output::cutout;
  const CapsPtr given(within(caps, cuts_out ? kCutouts.caps : kMasks.caps));
  CapsPtr frames(with_formats(given.get(), cuts_out ? kFramesOfCutouts : kFramesOfMasks));
  if (memory == FrameMemory::system_or_cuda && !cuts_out)
    frames.reset(gst_caps_merge(with_formats(given.get(), kCudaFramesOfMasks), frames.release()));
  return within(frames.get(), UNETSEG_CAPS);
}

bool read_sink_caps(GstCaps* caps, Output output, FrameMemory memory, GstVideoInfo* info) {
  const CapsPtr all(gst_caps_from_string(frames_in(memory, output)));
  return gst_caps_is_fixed(caps) && gst_caps_is_subset(caps, all.get()) &&
         gst_video_info_from_caps(info, caps) &&
         // The views lie in buffers of their own.
         GST_VIDEO_INFO_MULTIVIEW_MODE(info) != GST_VIDEO_MULTIVIEW_MODE_SEPARATED;
}

bool are_in_cuda_memory(GstCaps* caps) {
  return gst_caps_features_contains(gst_caps_get_features(caps, 0), UNETSEG_CUDA_MEMORY_FEATURE);
}

}  // namespace unetseg
