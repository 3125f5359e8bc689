// SPDX-License-Identifier: MIT
#include "plugin/settings.h"

namespace unetseg {
namespace {

const Settings kDefaults;

GType output_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Output::overlay), "The frame with the lesion tinted and outlined",
       "overlay"},
      {static_cast<gint>(Output::mask), "GRAY8: 255 where there is lesion, 0 elsewhere", "mask"},
      {static_cast<gint>(Output::probability), "GRAY8: the probability of lesion, 255 for 1",
       "probability"},
      {static_cast<gint>(Output::none), "The frame as it came: measurements alone", "none"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstUnetsegOutput", values);
  return type;
}

GType mode_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Mode::automatic), "latest in a live pipeline, every-frame in any other",
       "auto"},
      {static_cast<gint>(Mode::every_frame), "Each frame waits for its own mask", "every-frame"},
      {static_cast<gint>(Mode::latest), "No frame waits: each gets the newest finished mask",
       "latest"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstUnetsegMode", values);
  return type;
}

GType on_error_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(OnError::automatic), "pass in a live pipeline, fail in any other", "auto"},
      {static_cast<gint>(OnError::pass), "Pass the frame on without a mask, with a warning",
       "pass"},
      {static_cast<gint>(OnError::fail), "Stop with an error", "fail"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstUnetsegOnError", values);
  return type;
}

GType engine_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(EngineKind::none), "No model is loaded", "none"},
      {static_cast<gint>(EngineKind::libtorch), "LibTorch's own operators", "libtorch"},
      {static_cast<gint>(EngineKind::other), "The backend module's own engine", "other"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstUnetsegEngine", values);
  return type;
}

constexpr auto kFlags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
constexpr auto kAtStart = static_cast<GParamFlags>(kFlags | GST_PARAM_MUTABLE_READY);
constexpr auto kAtAnyTime = static_cast<GParamFlags>(kFlags | GST_PARAM_MUTABLE_PLAYING);
constexpr auto kReadOnly = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

void install_start_properties(GObjectClass* object_class) {
  const StartSettings& defaults = kDefaults.start;
  g_object_class_install_property(
      object_class, kModelFile,
      g_param_spec_string("model-file", "Model file",
                          "Weights of the network: a safetensors file, or 'fast' or 'best' for "
                          "those that come with unetseg (a file of that name: ./fast). Changed "
                          "while running, it takes effect at the next start",
                          defaults.model_file.c_str(), kAtStart));
  g_object_class_install_property(
      object_class, kDevice,
      g_param_spec_string("device", "Device",
                          "Where the network runs: 'cpu', 'cuda', 'cuda:N' for the GPU numbered N, "
                          "or 'auto' for a GPU where one can be used and the CPU elsewhere. "
                          "Changed while running, it takes effect at the next start",
                          defaults.device.c_str(), kAtStart));
  g_object_class_install_property(
      object_class, kThreads,
      g_param_spec_uint("threads", "Threads",
                        "Threads for inference on the CPU, 0 for one on each core. Changed while "
                        "running, it takes effect at the next start",
                        0, 1024, defaults.threads, kAtStart));
  g_object_class_install_property(
      object_class, kOutput,
      g_param_spec_enum("output", "Output",
                        "What is pushed for each frame. Changed while running, it takes effect at "
                        "the next start",
                        output_type(), static_cast<gint>(defaults.output), kAtStart));
}

void install_frame_properties(GObjectClass* object_class) {
  const FrameSettings& defaults = kDefaults.frame;
  g_object_class_install_property(
      object_class, kThreshold,
      g_param_spec_double("threshold", "Threshold",
                          "Probability from which a pixel is lesion; below 0: the model's own", -1,
                          1, defaults.threshold, kAtAnyTime));
  g_object_class_install_property(
      object_class, kColor,
      g_param_spec_uint("color", "Colour",
                        "Overlay: the tint of the lesion as 0xAARRGGBB, alpha times opacity", 0,
                        G_MAXUINT32, defaults.color, kAtAnyTime));
  g_object_class_install_property(
      object_class, kOpacity,
      g_param_spec_double("opacity", "Opacity",
                          "Overlay: how strong the tint is, from 0 (none) to 1 (opaque)", 0, 1,
                          defaults.opacity, kAtAnyTime));
  g_object_class_install_property(
      object_class, kContourColor,
      g_param_spec_uint("contour-color", "Contour colour",
                        "Overlay: the lesion's outline as 0xAARRGGBB, whatever the opacity", 0,
                        G_MAXUINT32, defaults.contour_color, kAtAnyTime));
  g_object_class_install_property(
      object_class, kContourWidth,
      g_param_spec_uint("contour-width", "Contour width",
                        "Overlay: width of the outline in pixels of the frame, 0 for none", 0, 64,
                        defaults.contour_width, kAtAnyTime));
  g_object_class_install_property(
      object_class, kOnError,
      g_param_spec_enum("on-error", "On error",
                        "What to do about a frame that cannot be segmented; 30 in a row always "
                        "fail",
                        on_error_type(), static_cast<gint>(defaults.on_error), kAtAnyTime));
}

void install_pace_properties(GObjectClass* object_class) {
  const FrameSettings& defaults = kDefaults.frame;
  g_object_class_install_property(
      object_class, kMode,
      g_param_spec_enum("mode", "Mode", "Whether frames wait for their own masks, or never lag",
                        mode_type(), static_cast<gint>(defaults.mode), kAtAnyTime));
  g_object_class_install_property(
      object_class, kInferenceInterval,
      g_param_spec_uint("inference-interval", "Inference interval",
                        "Infer every Nth frame; the others show the mask before", 1, 1000,
                        defaults.inference_interval, kAtAnyTime));
  g_object_class_install_property(
      object_class, kMaxMaskAge,
      g_param_spec_int64("max-mask-age", "Max mask age",
                         "In latest mode a mask that is older than its frame by more than this "
                         "many nanoseconds is not shown; -1: 500 ms or three inferences, whichever "
                         "is more; 0: no limit",
                         -1, G_MAXINT64, defaults.max_mask_age, kAtAnyTime));
  g_object_class_install_property(
      object_class, kQos,
      g_param_spec_boolean("qos", "QoS",
                           "Frames that come too late for their sink show the mask before, "
                           "overlays only; no frame is ever dropped",
                           defaults.qos, kAtAnyTime));
}

void install_result_properties(GObjectClass* object_class) {
  const FrameSettings& defaults = kDefaults.frame;
  g_object_class_install_property(
      object_class, kPostMessages,
      g_param_spec_boolean("post-messages", "Post messages",
                           "Post an element message 'unetseg' with its lesion's measurements for "
                           "each frame that is inferred",
                           defaults.post_messages, kAtAnyTime));
  g_object_class_install_property(
      object_class, kPixelSize,
      g_param_spec_double("pixel-size", "Pixel size",
                          "Side of a frame's pixel in mm, for measurements in mm beside those in "
                          "pixels; 0: not known. Pixels count as squares",
                          0, 1000, defaults.pixel_size, kAtAnyTime));
}

void install_read_only_properties(GObjectClass* object_class) {
  g_object_class_install_property(
      object_class, kDeviceInUse,
      g_param_spec_string("device-in-use", "Device in use",
                          "Where the network runs, 'cpu' or 'cuda:N'; from READY on", nullptr,
                          kReadOnly));
  g_object_class_install_property(
      object_class, kEngine,
      g_param_spec_enum("engine", "Engine", "What runs the network; from PAUSED on", engine_type(),
                        static_cast<gint>(EngineKind::none), kReadOnly));
  g_object_class_install_property(
      object_class, kModelInfo,
      g_param_spec_boxed("model-info", "Model info",
                         "The model that is loaded: file, name, sha256, architecture, base-width, "
                         "input-width, input-height, threshold; from PAUSED on",
                         GST_TYPE_STRUCTURE, kReadOnly));
  g_object_class_install_property(
      object_class, kStats,
      g_param_spec_boxed("stats", "Statistics",
                         "Since the start: frames (= inferred + held + gaps + faulty), and "
                         "inference-time-median, -p95 and -p99 in nanoseconds",
                         GST_TYPE_STRUCTURE, kReadOnly));
}

std::string text_of(const GValue* value, const std::string& otherwise) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr && *text != '\0' ? text : otherwise;
}

}  // namespace

void install_properties(GObjectClass* object_class) {
  install_start_properties(object_class);
  install_frame_properties(object_class);
  install_pace_properties(object_class);
  install_result_properties(object_class);
  install_read_only_properties(object_class);
  for (const GType type : {output_type(), mode_type(), on_error_type(), engine_type()})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}

bool set_setting(Settings* settings, guint id, const GValue* value) {
  switch (id) {
    case kModelFile:
      settings->start.model_file = text_of(value, kDefaults.start.model_file);
      return true;
    case kDevice:
      settings->start.device = text_of(value, kDefaults.start.device);
      return true;
    case kThreads:
      settings->start.threads = g_value_get_uint(value);
      return true;
    case kOutput:
      settings->start.output = static_cast<Output>(g_value_get_enum(value));
      return true;
    case kThreshold:
      settings->frame.threshold = g_value_get_double(value);
      return true;
    case kColor:
      settings->frame.color = g_value_get_uint(value);
      return true;
    case kOpacity:
      settings->frame.opacity = g_value_get_double(value);
      return true;
    case kContourColor:
      settings->frame.contour_color = g_value_get_uint(value);
      return true;
    case kContourWidth:
      settings->frame.contour_width = g_value_get_uint(value);
      return true;
    case kOnError:
      settings->frame.on_error = static_cast<OnError>(g_value_get_enum(value));
      return true;
    case kMode:
      settings->frame.mode = static_cast<Mode>(g_value_get_enum(value));
      return true;
    case kInferenceInterval:
      settings->frame.inference_interval = g_value_get_uint(value);
      return true;
    case kMaxMaskAge:
      settings->frame.max_mask_age = g_value_get_int64(value);
      return true;
    case kQos:
      settings->frame.qos = g_value_get_boolean(value);
      return true;
    case kPostMessages:
      settings->frame.post_messages = g_value_get_boolean(value);
      return true;
    case kPixelSize:
      settings->frame.pixel_size = g_value_get_double(value);
      return true;
    default:
      return false;
  }
}

bool get_setting(const Settings& settings, guint id, GValue* value) {
  switch (id) {
    case kModelFile:
      g_value_set_string(value, settings.start.model_file.c_str());
      return true;
    case kDevice:
      g_value_set_string(value, settings.start.device.c_str());
      return true;
    case kThreads:
      g_value_set_uint(value, settings.start.threads);
      return true;
    case kOutput:
      g_value_set_enum(value, static_cast<gint>(settings.start.output));
      return true;
    case kThreshold:
      g_value_set_double(value, settings.frame.threshold);
      return true;
    case kColor:
      g_value_set_uint(value, settings.frame.color);
      return true;
    case kOpacity:
      g_value_set_double(value, settings.frame.opacity);
      return true;
    case kContourColor:
      g_value_set_uint(value, settings.frame.contour_color);
      return true;
    case kContourWidth:
      g_value_set_uint(value, settings.frame.contour_width);
      return true;
    case kOnError:
      g_value_set_enum(value, static_cast<gint>(settings.frame.on_error));
      return true;
    case kMode:
      g_value_set_enum(value, static_cast<gint>(settings.frame.mode));
      return true;
    case kInferenceInterval:
      g_value_set_uint(value, settings.frame.inference_interval);
      return true;
    case kMaxMaskAge:
      g_value_set_int64(value, settings.frame.max_mask_age);
      return true;
    case kQos:
      g_value_set_boolean(value, settings.frame.qos);
      return true;
    case kPostMessages:
      g_value_set_boolean(value, settings.frame.post_messages);
      return true;
    case kPixelSize:
      g_value_set_double(value, settings.frame.pixel_size);
      return true;
    default:
      return false;
  }
}

}  // namespace unetseg
