// SPDX-License-Identifier: MIT
// segment-folder: a folder of pictures (any names, mixed sizes, PNG, JPEG and BMP) to a folder of
// masks and one of overlays under the same base names, and a table of measurements
// (measurements.csv), through the element as any application sees it.
#include <gst/app/app.h>
#include <gst/gst.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "launched_pipeline.h"
#include "picture_folder.h"
#include "results_folder.h"
#include "whole_picture.h"

namespace {

namespace fs = std::filesystem;

struct Options {
  std::string input, output;
  std::string model = "fast", device = "auto";
  double threshold = -1, pixel_size = 0;
  bool overlays = true;
};

using Bytes = std::vector<std::uint8_t>;

// False: *why says what is the matter.
bool read_file(const fs::path& file, Bytes* bytes, std::string* why) {
  gchar* content = nullptr;
  gsize size = 0;
  GError* error = nullptr;
  if (!g_file_get_contents(file.c_str(), &content, &size, &error)) {
    *why = error->message;
    g_error_free(error);
    return false;
  }
  bytes->assign(content, content + size);
  g_free(content);
  return true;
}

// Decodes one picture to a raw frame; on failure returns nothing and sets *why.
Sample decode(const fs::path& file, std::string* why) {
  Bytes bytes;
  if (!read_file(file, &bytes, why)) return nullptr;
  if (!is_whole(bytes)) {
    *why = "the file ends before its picture does";
    return nullptr;
  }
  // decodebin never takes GStreamer's own decoder of BMP, which has no rank.
  const std::string decoder = is_bmp(bytes) ? "gdkpixbufdec" : "decodebin";
  LaunchedPipeline pipeline("filesrc name=file ! " + decoder +
                            " ! videoconvert ! video/x-raw,format=RGB ! "
                            "appsink name=frame sync=false max-buffers=1");
  if (GstElement* source = pipeline.element("file"))
    g_object_set(source, "location", file.c_str(), nullptr);
  Sample sample;
  if (pipeline.play()) sample = pipeline.pull("frame");
  if (!sample) *why = pipeline.error();
  return sample;
}

// One loaded element, kept for all pictures: sizes may change from one to the next.
class Segmenter {
 public:
  explicit Segmenter(const Options& options)
      : overlays_(options.overlays), pipeline_(description(options)) {
    if (GstElement* element = pipeline_.element("net"))
      g_object_set(element, "model-file", options.model.c_str(), "device", options.device.c_str(),
                   "threshold", options.threshold, "pixel-size", options.pixel_size, nullptr);
  }

  bool start() { return pipeline_.play(); }
  std::string error() { return pipeline_.error(); }

  // The encoded mask and overlay of one frame. False: the pipeline failed, see error().
  bool run(GstSample* frame, Sample* mask, Sample* overlay) {
    GstAppSrc* source = GST_APP_SRC(pipeline_.element("in"));
    GstBuffer* buffer = gst_buffer_copy(gst_sample_get_buffer(frame));
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(frames_++) * GST_SECOND;
    gst_app_src_set_caps(source, gst_sample_get_caps(frame));
    if (gst_app_src_push_buffer(source, buffer) != GST_FLOW_OK) return false;
    *mask = pipeline_.pull("mask");
    if (!*mask) return false;
    if (overlays_) *overlay = pipeline_.pull("overlay");
    return !overlays_ || *overlay;
  }

 private:
  static std::string description(const Options& options) {
    const std::string head = "appsrc name=in format=time ! unetseg name=net mode=every-frame ";
    if (!options.overlays) return head + "output=mask ! pngenc ! appsink name=mask sync=false";
    return head +
           "net. ! queue ! videoconvert ! pngenc ! appsink name=overlay sync=false "
           "net.mask ! queue ! pngenc ! appsink name=mask sync=false";
  }
  bool overlays_;
  std::uint64_t frames_ = 0;
  LaunchedPipeline pipeline_;
};

bool parse(int* argc, char*** argv, Options* options) {
  gchar *model = nullptr, *device = nullptr;
  gboolean no_overlays = FALSE;
  gdouble threshold = -1, pixel_size = 0;
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_STRING, &model, "Weights: a file, fast or best (fast)",
       "FILE"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &device, "auto, cpu, cuda or cuda:N (auto)", "NAME"},
      {"threshold", 't', 0, G_OPTION_ARG_DOUBLE, &threshold,
       "Probability from which a pixel is lesion (the weights' own)", "P"},
      {"pixel-size", 'p', 0, G_OPTION_ARG_DOUBLE, &pixel_size,
       "Side of a pixel in mm, to measure in mm too", "MM"},
      {"no-overlays", 0, 0, G_OPTION_ARG_NONE, &no_overlays, "Write masks alone", nullptr},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};
  GOptionContext* context = g_option_context_new("INPUT OUTPUT - segment a folder of pictures");
  g_option_context_add_main_entries(context, entries, nullptr);
  g_option_context_add_group(context, gst_init_get_option_group());
  GError* error = nullptr;
  bool ok = g_option_context_parse(context, argc, argv, &error);
  if (!ok) {
    std::fprintf(stderr, "error: %s\n", error->message);
    g_error_free(error);
  } else if (*argc != 3) {
    gchar* help = g_option_context_get_help(context, TRUE, nullptr);
    std::fputs(help, stderr);
    g_free(help);
    ok = false;
  } else {
    options->input = (*argv)[1];
    options->output = (*argv)[2];
    if (model != nullptr) options->model = model;
    if (device != nullptr) options->device = device;
    options->threshold = threshold;
    options->pixel_size = pixel_size;
    options->overlays = !no_overlays;
  }
  g_option_context_free(context);
  g_free(model);
  g_free(device);
  return ok;
}

// The ranges of the element, which would take its defaults instead of what is outside. -1 is the
// weights' own threshold, 0 a pixel of unknown size. NaN is in no range.
bool are_in_range(const Options& options) {
  const double threshold = options.threshold, pixel_size = options.pixel_size;
  if (threshold != -1 && !(threshold >= 0 && threshold <= 1)) {
    std::fprintf(stderr, "error: --threshold must be from 0 to 1, not %g\n", threshold);
    return false;
  }
  if (!(pixel_size >= 0 && pixel_size <= 1000)) {
    std::fprintf(stderr, "error: --pixel-size must be from 0 to 1000 mm, not %g\n", pixel_size);
    return false;
  }
  return true;
}

int segment(const Options& options) {
  PictureFolder list;
  std::string wrong;
  if (!list_pictures(options.input, &list, &wrong)) {
    std::fprintf(stderr, "error: %s\n", wrong.c_str());
    return 3;
  }
  const std::vector<fs::path>& files = list.pictures;
  ResultsFolder results(options.output, options.overlays, options.pixel_size > 0);
  if (!results.is_apart_from(options.input)) return 2;
  if (!results.create()) return 4;
  Segmenter segmenter(options);
  if (!segmenter.start()) {
    std::fprintf(stderr, "error: %s\n", segmenter.error().c_str());
    return 4;
  }
  std::size_t done = 0, unreadable = 0;
  gint64 busy = 0;  // microseconds from frame to encoded pictures
  for (const fs::path& file : files) {
    std::string why;
    const Sample frame = decode(file, &why);
    if (!frame) {
      std::fprintf(stderr, "\r%s cannot be read: %s\n", file.c_str(), why.c_str());
      ++unreadable;
      continue;
    }
    Sample mask, overlay;
    const gint64 begin = g_get_monotonic_time();
    if (!segmenter.run(frame.get(), &mask, &overlay)) {
      std::fprintf(stderr, "\nerror: %s: %s\n", file.c_str(), segmenter.error().c_str());
      return 4;
    }
    busy += g_get_monotonic_time() - begin;
    if (!results.add(file, mask.get(), overlay.get())) return 4;
    std::fprintf(stderr, "\r%zu of %zu", ++done, files.size());
  }
  std::fprintf(stderr, "\r%zu of %zu pictures segmented into %s, %.1f ms each\n", done,
               files.size(), options.output.c_str(),
               done == 0 ? 0 : static_cast<double>(busy) / 1000 / static_cast<double>(done));
  if (list.others > 0)
    std::fprintf(stderr, "%zu other file%s skipped\n", list.others, list.others == 1 ? "" : "s");
  if (unreadable > 0)
    std::fprintf(stderr, "error: %zu pictures could not be read, see above\n", unreadable);
  return unreadable > 0 ? 3 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(&argc, &argv, &options) || !are_in_range(options)) return 2;
  return segment(options);
}
