// SPDX-License-Identifier: MIT
// The element's properties as applications see them: types, ranges, defaults and texts.
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
      {static_cast<gint>(Output::cutout),
       "RGBA, BGRA, ARGB or ABGR: the frame's colours, with the probability of lesion as alpha",
       "cutout"},
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

GType precision_type() {
  static const GEnumValue values[] = {
      {UNETSEG_PRECISION_AUTO,
       "The fastest that keeps the masks: fp16 on a GPU, bf16 on a CPU that has it, else fp32",
       "auto"},
      {UNETSEG_PRECISION_FP32, "32-bit floating point", "fp32"},
      {UNETSEG_PRECISION_BF16,
       "16-bit brain floating point; slow on CPUs without AVX512_BF16 or AMX", "bf16"},
      {UNETSEG_PRECISION_FP16, "16-bit floating point; on a GPU", "fp16"},
      {UNETSEG_PRECISION_INT8, "8-bit integers; not available yet", "int8"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstUnetsegPrecision", values);
  return type;
}

GType fit_type() {
  static const GEnumValue values[] = {
      {UNETSEG_FIT_MODEL, "As the weights were trained", "weights"},
      {UNETSEG_FIT_STRETCH, "Stretched to the network's shape", "stretch"},
      {UNETSEG_FIT_LETTERBOX, "The whole frame, with black beside it", "letterbox"},
      {UNETSEG_FIT_CROP, "The frame's middle; no lesion is found outside of it", "crop"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstUnetsegFit", values);
  return type;
}

GType tta_type() {
  static const GEnumValue values[] = {
      {UNETSEG_TTA_NONE, "The frame alone", "none"},
      {UNETSEG_TTA_FLIPS, "The frame and its mirror images, 4 copies", "flips"},
      {UNETSEG_TTA_D4, "Those turned by a quarter as well, 8 copies", "d4"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstUnetsegTta", values);
  return type;
}

GType switch_type() {
  static const GEnumValue values[] = {{UNETSEG_SWITCH_MODEL, "As the weights say", "auto"},
                                      {UNETSEG_SWITCH_ON, "Always", "on"},
                                      {UNETSEG_SWITCH_OFF, "Never", "off"},
                                      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstUnetsegSwitch", values);
  return type;
}

GType engine_type() {
  static const GEnumValue values[] = {
      {UNETSEG_ENGINE_AUTO, "The fastest that computes the same as LibTorch on this machine",
       "auto"},
      {UNETSEG_ENGINE_LIBTORCH, "LibTorch's operators, for every network, device and precision",
       "libtorch"},
      {UNETSEG_ENGINE_FUSED_CPU, "unetseg's kernels, for the improved U-Net on the CPU",
       "fused-cpu"},
      {UNETSEG_ENGINE_FUSED_CUDA,
       "unetseg's kernels around cuDNN's convolutions, for the improved U-Net on a GPU",
       "fused-cuda"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstUnetsegEngine", values);
  return type;
}

constexpr auto kFlags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
constexpr auto kAtAnyTime = static_cast<GParamFlags>(kFlags | GST_PARAM_MUTABLE_PLAYING);
constexpr auto kReadOnly = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

void install_model_properties(GObjectClass* object_class) {
  const ModelSettings& defaults = kDefaults.model;
  g_object_class_install_property(
      object_class, kModelFile,
      g_param_spec_string("model-file", "Model file",
                          "Weights of the network: a safetensors file, or 'fast' or 'best' for "
                          "those that come with unetseg (a file of that name: ./fast). Changed "
                          "while running, it is loaded aside and takes over between two frames; "
                          "where it cannot be loaded a warning says why and the old one stays",
                          defaults.model_file.c_str(), kAtAnyTime));
  g_object_class_install_property(
      object_class, kDevice,
      g_param_spec_string("device", "Device",
                          "Where the network runs: 'cpu', 'cuda', 'cuda:N' for the GPU numbered N, "
                          "or 'auto' for a GPU where one can be used and the CPU elsewhere. "
                          "Changed while running, it takes over as a model file does",
                          defaults.device.c_str(), kAtAnyTime));
  g_object_class_install_property(
      object_class, kPrecision,
      g_param_spec_enum("precision", "Precision",
                        "Number format of the network's arithmetic. Changed while running, it "
                        "takes over as a model file does",
                        precision_type(), static_cast<gint>(defaults.precision), kAtAnyTime));
  g_object_class_install_property(
      object_class, kEngine,
      g_param_spec_enum("engine", "Engine",
                        "What runs the network; 'auto' tries on this machine, when weights are "
                        "first loaded. model-info tells which runs. Changed while running, it "
                        "takes over as a model file does",
                        engine_type(), static_cast<gint>(defaults.engine), kAtAnyTime));
  g_object_class_install_property(
      object_class, kThreads,
      g_param_spec_uint("threads", "Threads",
                        "Threads for inference on the CPU, 0 for one on each core. Elements of one "
                        "process take turns where theirs would outnumber the cores. Changed while "
                        "running, it takes over as a model file does",
                        0, 1024, defaults.threads, kAtAnyTime));
  g_object_class_install_property(
      object_class, kBatchSize,
      g_param_spec_uint("batch-size", "Batch size",
                        "Frames for one inference, in every-frame mode: more throughput on a GPU "
                        "for more latency, which is reported. 1 in a live pipeline",
                        1, kMostInABatch, defaults.batch_size, kAtAnyTime));
}

void install_mask_properties(GObjectClass* object_class) {
  const FrameSettings& defaults = kDefaults.frame;
  g_object_class_install_property(
      object_class, kFit,
      g_param_spec_enum("fit", "Fit",
                        "How a frame becomes the network's input, after its pixel aspect ratio",
                        fit_type(), static_cast<gint>(defaults.fit), kAtAnyTime));
  g_object_class_install_property(
      object_class, kTta,
      g_param_spec_enum("tta", "Test-time augmentation",
                        "Probabilities are the mean over so many mirrored and turned copies of "
                        "the frame: somewhat better masks, for as many times the work",
                        tta_type(), static_cast<gint>(defaults.tta), kAtAnyTime));
  g_object_class_install_property(
      object_class, kThreshold,
      g_param_spec_double("threshold", "Threshold",
                          "Probability from which a pixel is lesion; below 0: the model's own", -1,
                          1, defaults.threshold, kAtAnyTime));
  g_object_class_install_property(
      object_class, kSmoothing,
      g_param_spec_double("smoothing", "Smoothing",
                          "Weight of the probabilities before in those of a frame, against "
                          "flicker; starts anew after a seek, a gap in the stream, new caps or "
                          "another scene. 1 keeps the first",
                          0, 1, defaults.smoothing, kAtAnyTime));
  g_object_class_install_property(
      object_class, kLargestOnly,
      g_param_spec_enum("largest-only", "Largest only", "Keep the largest region of a mask alone",
                        switch_type(), static_cast<gint>(defaults.largest_only), kAtAnyTime));
  g_object_class_install_property(
      object_class, kFillHoles,
      g_param_spec_enum("fill-holes", "Fill holes", "Fill the holes of a mask's regions",
                        switch_type(), static_cast<gint>(defaults.fill_holes), kAtAnyTime));
  g_object_class_install_property(
      object_class, kMinArea,
      g_param_spec_double("min-area", "Min area",
                          "Drop regions of a mask that are smaller than this fraction of the "
                          "frame; below 0: the model's own",
                          -1, 1, defaults.min_area, kAtAnyTime));
  g_object_class_install_property(
      object_class, kMinConfidence,
      g_param_spec_double("min-confidence", "Min confidence",
                          "Show no mask of which the network is less sure than this, from 0 (all) "
                          "to 1; below 0: the model's own",
                          -1, 1, defaults.min_confidence, kAtAnyTime));
}

void install_look_properties(GObjectClass* object_class) {
  const FrameSettings& defaults = kDefaults.frame;
  g_object_class_install_property(
      object_class, kOutput,
      g_param_spec_enum("output", "Output",
                        "What is pushed for each frame. Changed while running, it takes effect "
                        "with the next frame, unless what comes after cannot take it",
                        output_type(), static_cast<gint>(defaults.output), kAtAnyTime));
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
      object_class, kMotionCompensation,
      g_param_spec_boolean(
          "motion-compensation", "Motion compensation",
          "In latest mode a mask follows the camera's movement since its frame, and is "
          "dropped where another scene begins",
          defaults.motion_compensation, kAtAnyTime));
  g_object_class_install_property(
      object_class, kInferenceTimeout,
      g_param_spec_uint64("inference-timeout", "Inference timeout",
                          "Nanoseconds after which an inference is given up on, 0 for never", 0,
                          G_MAXUINT64, defaults.inference_timeout, kAtAnyTime));
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
      object_class, kOnError,
      g_param_spec_enum("on-error", "On error",
                        "What to do about a frame that cannot be segmented; 30 in a row always "
                        "fail",
                        on_error_type(), static_cast<gint>(defaults.on_error), kAtAnyTime));
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
      object_class, kModelInfo,
      g_param_spec_boxed("model-info", "Model info",
                         "The model that is loaded: file, name, sha256, architecture, engine, "
                         "precision, base-width, input-width, input-height, threshold; from PAUSED "
                         "on",
                         GST_TYPE_STRUCTURE, kReadOnly));
  g_object_class_install_property(
      object_class, kStats,
      g_param_spec_boxed("stats", "Statistics",
                         "Since the start: frames (= inferred + held + gaps + faulty), skipped, "
                         "inferences, scene-cuts; in nanoseconds: inference-time-median, -p95 and "
                         "-p99, mask-age, mask-age-max; in use: live, mode, batch-size",
                         GST_TYPE_STRUCTURE, kReadOnly));
}

}  // namespace

void install_properties(GObjectClass* object_class) {
  install_model_properties(object_class);
  install_pace_properties(object_class);
  install_mask_properties(object_class);
  install_look_properties(object_class);
  install_result_properties(object_class);
  install_read_only_properties(object_class);
  for (const GType type : {output_type(), mode_type(), on_error_type(), engine_type(),
                           precision_type(), fit_type(), tta_type(), switch_type()})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}

}  // namespace unetseg
