// SPDX-License-Identifier: MIT
// unetseg-capture: a camera in a window with the lesion outlined, measurements in the terminal,
// frame and mask saved at Enter. Meant to be copied: the comments say what an application has to
// mind.
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <gst/app/app.h>
#include <gst/video/video.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>

namespace {

struct Options {
  gchar *source = nullptr, *model = nullptr, *device = nullptr, *folder = nullptr;
  gint frames = 0;
  gboolean no_window = FALSE;
};

// Belongs to the main thread. GStreamer's threads come in by keep_frame() and wake() alone, and
// leave at once: what takes longer there holds up the camera.
struct Capture {
  Options options;
  GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
  GstElement *pipeline = nullptr, *masks = nullptr;
  bool has_worked = false;
  guint64 last_frame = G_MAXUINT64;  // that measurements were printed of
  int reported = 0, saved = 0, exit_code = 0;

  std::atomic<bool> is_woken{false};
  std::mutex mutex;  // guards the two below
  bool wants_frame = false;
  GstSample* frame = nullptr;  // waits for its mask
};

void end(Capture& app, int exit_code) {
  app.exit_code = exit_code;
  g_main_loop_quit(app.loop);
}

gboolean play(gpointer app) {
  // What fails says why on the bus.
  gst_element_set_state(static_cast<Capture*>(app)->pipeline, GST_STATE_PLAYING);
  return G_SOURCE_REMOVE;
}

// A camera that has worked was unplugged, and may come back. Other errors would only repeat.
void fail(Capture& app, GstMessage* message) {
  g_autoptr(GError) error = nullptr;
  g_autofree gchar* detail = nullptr;
  gst_message_parse_error(message, &error, &detail);
  std::fprintf(stderr, "error: %s (%s)\n", error->message, detail ? detail : "");
  if (!app.has_worked || !GST_OBJECT_FLAG_IS_SET(GST_MESSAGE_SRC(message), GST_ELEMENT_FLAG_SOURCE))
    return end(app, 1);
  std::fprintf(stderr, "The camera is gone, waiting for it\n");
  gst_element_set_state(app.pipeline, GST_STATE_NULL);  // lets go of the device, ends all threads
  g_clear_pointer(&app.frame, gst_sample_unref);
  app.last_frame = G_MAXUINT64;
  g_timeout_add_seconds(1, play, &app);
}

// A streaming thread, before unetseg, which draws on the frame itself. What is to be kept as the
// camera gave it is copied: a reference would keep one of the camera's few buffers.
GstPadProbeReturn keep_frame(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  Capture& app = *static_cast<Capture*>(data);
  const std::lock_guard<std::mutex> lock(app.mutex);
  if (!app.wants_frame) return GST_PAD_PROBE_OK;
  app.wants_frame = false;
  g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);
  g_autoptr(GstBuffer) copy = gst_buffer_copy_deep(GST_PAD_PROBE_INFO_BUFFER(info));
  app.frame = gst_sample_new(copy, caps, nullptr, nullptr);
  return GST_PAD_PROBE_OK;
}

// At the start: at Enter it would be a picture that is lost.
bool make_folder(const gchar* folder) {
  if (g_mkdir_with_parents(folder, 0777) == 0 && g_access(folder, W_OK) == 0) return true;
  std::fprintf(stderr, "error: %s cannot be saved to: %s\n", folder, g_strerror(errno));
  return false;
}

// Waits for the encoder. With a user interface, gst_video_convert_sample_async() does not.
bool save_png(GstSample* sample, const std::string& file) {
  g_autoptr(GstCaps) png = gst_caps_new_empty_simple("image/png");
  g_autoptr(GError) error = nullptr;
  g_autoptr(GstSample) encoded = gst_video_convert_sample(sample, png, 5 * GST_SECOND, &error);
  GstMapInfo map;
  if (encoded && gst_buffer_map(gst_sample_get_buffer(encoded), &map, GST_MAP_READ)) {
    const auto* bytes = reinterpret_cast<gchar*>(map.data);
    g_file_set_contents(file.c_str(), bytes, static_cast<gssize>(map.size), &error);
    gst_buffer_unmap(gst_sample_get_buffer(encoded), &map);
  }
  if (error) std::fprintf(stderr, "error: %s: %s\n", file.c_str(), error->message);
  return encoded && !error;
}

// The frame that was kept, if this is its mask: the one with its timestamp. Where that was dropped,
// or is none, another frame is kept.
GstSample* frame_of(Capture& app, GstBuffer* mask) {
  const std::lock_guard<std::mutex> lock(app.mutex);
  if (app.frame == nullptr) return nullptr;
  const GstClockTime wanted = GST_BUFFER_PTS(gst_sample_get_buffer(app.frame));
  if (GST_BUFFER_PTS(mask) < wanted) return nullptr;
  g_autoptr(GstSample) frame = g_steal_pointer(&app.frame);
  app.wants_frame =
      GST_BUFFER_PTS(mask) != wanted || GST_BUFFER_FLAG_IS_SET(mask, GST_BUFFER_FLAG_GAP);
  return app.wants_frame ? nullptr : g_steal_pointer(&frame);
}

bool is_there(const std::string& file) {
  return g_file_test(file.c_str(), G_FILE_TEST_EXISTS);
}

void save_with(Capture& app, GstSample* mask) {
  g_autoptr(GstSample) frame = frame_of(app, gst_sample_get_buffer(mask));
  if (frame == nullptr) return;
  const std::string folder = app.options.folder ? app.options.folder : ".";
  std::string number;
  // What an earlier run saved there stays.
  do number = std::to_string(++app.saved) + ".png";
  while (is_there(folder + "/frame-" + number) || is_there(folder + "/mask-" + number));
  if (save_png(frame, folder + "/frame-" + number) && save_png(mask, folder + "/mask-" + number))
    std::printf("saved frame-%s and mask-%s\n", number.c_str(), number.c_str());
}

// Every mask carries what was measured on it. One with the GAP flag is no mask: nothing is known of
// its frame, which is not the same as no lesion. Several frames of a camera show one mask, in turn.
void report(Capture& app, GstBuffer* mask) {
  GstCustomMeta* meta = gst_buffer_get_custom_meta(mask, "unetseg");
  if (meta == nullptr || GST_BUFFER_FLAG_IS_SET(mask, GST_BUFFER_FLAG_GAP)) return;
  guint64 frame = 0;  // that it was inferred from
  gboolean found = FALSE;
  gdouble area = 0, diameter = 0, confidence = 0;
  gst_structure_get(gst_custom_meta_get_structure(meta), "frame", G_TYPE_UINT64, &frame,  //
                    "found", G_TYPE_BOOLEAN, &found, "area", G_TYPE_DOUBLE, &area,        //
                    "diameter", G_TYPE_DOUBLE, &diameter, "confidence", G_TYPE_DOUBLE, &confidence,
                    nullptr);
  if (frame == app.last_frame) return;
  app.last_frame = frame;
  std::printf("frame %" G_GUINT64_FORMAT ": ", frame);
  if (found)
    std::printf("area %.0f px, diameter %.1f px, confidence %.2f\n", area, diameter, confidence);
  else
    std::printf("no lesion\n");
  if (++app.reported == app.options.frames) end(app, 0);
}

// Main thread: the place to update a user interface. The sample owns its buffer, which goes back to
// a pool with it; an application that keeps many copies them.
gboolean take_masks(gpointer data) {
  Capture& app = *static_cast<Capture*>(data);
  app.is_woken = false;
  while (GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(app.masks), 0)) {
    g_autoptr(GstSample) mask = sample;
    app.has_worked = true;
    report(app, gst_sample_get_buffer(mask));
    save_with(app, mask);
  }
  std::fflush(stdout);
  return G_SOURCE_REMOVE;
}

// A streaming thread. The mask stays in the appsink, which bounds what waits for a busy main
// thread.
GstFlowReturn wake(GstAppSink*, gpointer app) {
  if (!static_cast<Capture*>(app)->is_woken.exchange(true)) g_idle_add(take_masks, app);
  return GST_FLOW_OK;
}

gboolean on_message(GstBus*, GstMessage* message, gpointer data) {
  Capture& app = *static_cast<Capture*>(data);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
    take_masks(&app);  // the last one may still wait
    end(app, 0);
  }
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) fail(app, message);
  return G_SOURCE_CONTINUE;
}

gboolean on_key(gint terminal, GIOCondition, gpointer data) {
  Capture& app = *static_cast<Capture*>(data);
  char keys[64];
  if (read(terminal, keys, sizeof keys) <= 0) return G_SOURCE_REMOVE;
  const std::lock_guard<std::mutex> lock(app.mutex);
  app.wants_frame = app.frame == nullptr;
  return G_SOURCE_CONTINUE;
}

gboolean on_interrupt(gpointer app) {
  end(*static_cast<Capture*>(app), 0);
  return G_SOURCE_CONTINUE;
}

const char* what_to_do(const GError* error) {
  if (!g_error_matches(error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT) ||
      std::strstr(error->message, "unetseg") == nullptr)
    return "";
  return ": install it, or run this in the shell that `meson devenv -C build -w \"$PWD\"` opens";
}

// A queue on each branch is a thread on each, so that neither sink waits for the other. The
// window's drops frames, since a camera has about four buffers and needs them back. The appsink
// keeps the newest mask: a busy application misses some, and slows nothing down; to see every mask
// of a file, drop=false.
//
// A camera is live, and unetseg then holds no frame back. An appsrc in its place has to say that it
// is (is-live=true do-timestamp=true format=time), or each frame waits for its own mask.
bool build(Capture& app) {
  const Options& options = app.options;
  const std::string description =
      std::string(options.source ? options.source : "v4l2src") +
      " ! videoconvert ! unetseg name=net  net. ! queue max-size-buffers=2 leaky=downstream !"
      " videoconvert ! " +
      (options.no_window ? "fakesink sync=true" : "autovideosink") +
      "  net.mask ! queue ! appsink name=mask max-buffers=1 drop=true sync=false";
  g_autoptr(GError) error = nullptr;
  app.pipeline = gst_parse_launch(description.c_str(), &error);
  if (error) std::fprintf(stderr, "error: %s%s\n", error->message, what_to_do(error));
  if (error || !GST_IS_BIN(app.pipeline)) return false;

  g_autoptr(GstElement) net = gst_bin_get_by_name(GST_BIN(app.pipeline), "net");
  if (options.model) g_object_set(net, "model-file", options.model, nullptr);
  if (options.device) g_object_set(net, "device", options.device, nullptr);
  g_autoptr(GstPad) sink = gst_element_get_static_pad(net, "sink");
  gst_pad_add_probe(sink, GST_PAD_PROBE_TYPE_BUFFER, keep_frame, &app, nullptr);

  app.masks = gst_bin_get_by_name(GST_BIN(app.pipeline), "mask");
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = wake;
  gst_app_sink_set_callbacks(GST_APP_SINK(app.masks), &callbacks, &app, nullptr);
  g_autoptr(GstBus) bus = gst_element_get_bus(app.pipeline);
  gst_bus_add_watch(bus, on_message, &app);
  g_unix_signal_add(SIGINT, on_interrupt, &app);
  g_unix_fd_add(STDIN_FILENO, G_IO_IN, on_key, &app);
  return true;
}

// No callback comes after this: streaming threads have ended when the pipeline is in NULL.
void take_down(Capture& app) {
  if (app.pipeline) {
    gst_element_set_state(app.pipeline, GST_STATE_NULL);
    g_autoptr(GstBus) bus = gst_element_get_bus(app.pipeline);
    gst_bus_remove_watch(bus);
  }
  while (g_source_remove_by_user_data(&app)) {
  }
  g_clear_pointer(&app.frame, gst_sample_unref);
  gst_clear_object(&app.masks);
  gst_clear_object(&app.pipeline);
  g_main_loop_unref(app.loop);
}

}  // namespace

int main(int argc, char** argv) {
  Capture app;
  Options& options = app.options;
  const GOptionEntry entries[] = {
      {"source", 's', 0, G_OPTION_ARG_STRING, &options.source,
       "Where frames come from, as gst-launch-1.0 takes it (v4l2src)", "ELEMENTS"},
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &options.model, "Weights (fast)", "FILE"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options.device, "auto, cpu or cuda (auto)", "NAME"},
      {"save-to", 'o', 0, G_OPTION_ARG_FILENAME, &options.folder,
       "Where Enter saves frame and mask; made if need be (.)", "FOLDER"},
      {"frames", 'n', 0, G_OPTION_ARG_INT, &options.frames, "End after N inferred frames", "N"},
      {"no-window", 0, 0, G_OPTION_ARG_NONE, &options.no_window, "Show nothing", nullptr},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};
  g_autoptr(GOptionContext) context = g_option_context_new("- segment a camera's picture");
  g_option_context_add_main_entries(context, entries, nullptr);
  g_option_context_add_group(context, gst_init_get_option_group());
  g_autoptr(GError) error = nullptr;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    std::fprintf(stderr, "error: %s\n", error->message);
    return 2;
  }
  if ((options.folder == nullptr || make_folder(options.folder)) && build(app)) {
    play(&app);
    g_main_loop_run(app.loop);
  } else {
    app.exit_code = 2;
  }
  take_down(app);
  gst_deinit();  // not needed but by GStreamer's leaks tracer, which reports now
  return app.exit_code;
}
