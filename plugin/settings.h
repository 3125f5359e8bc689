// SPDX-License-Identifier: MIT
// The properties that an application sets: their types, defaults, ranges and texts in one place.
#pragma once

#include <gst/gst.h>

#include <string>

#include "model/backend/backend.h"

namespace unetseg {

enum class Output { overlay, mask, probability, cutout, none };

// Whether the frames themselves leave by the source pad, in their own format, and not masks or
// cutouts in their place.
constexpr bool passes_frames(Output output) {
  return output == Output::overlay || output == Output::none;
}

enum class Mode {
  automatic,    // latest in a live pipeline, every-frame in any other
  every_frame,  // each frame waits for its own mask
  latest,       // no frame waits: the newest finished mask is shown
};
enum class OnError { automatic, pass, fail };

// What a frame needs to know. Plain values: taking a copy for each frame allocates nothing.
struct FrameSettings {
  Output output = Output::overlay;
  UnetsegFit fit = UNETSEG_FIT_MODEL;
  UnetsegTta tta = UNETSEG_TTA_NONE;
  double threshold = -1;
  double smoothing = 0;  // weight of the probabilities before, 0..1
  UnetsegSwitch largest_only = UNETSEG_SWITCH_MODEL;
  UnetsegSwitch fill_holes = UNETSEG_SWITCH_MODEL;
  double min_area = -1;        // fraction of the frame; below 0: the model's own
  double min_confidence = -1;  // 0..1; below 0: the model's own
  guint color = 0xff00c8ff;    // light blue, a hue that skin and lesions do not have
  double opacity = 0.25;
  guint contour_color = 0xff00c8ff;
  guint contour_width = 3;
  OnError on_error = OnError::automatic;
  Mode mode = Mode::automatic;
  guint inference_interval = 1;
  gint64 max_mask_age = -1;  // nanoseconds; below 0 is automatic, 0 no limit
  bool motion_compensation = true;
  guint64 inference_timeout = 0;  // nanoseconds; 0: none
  bool qos = true;
  bool post_messages = false;
  double pixel_size = 0;  // mm; 0 where it is not known
};

// Frames that one inference can be given.
constexpr guint kMostInABatch = 32;

// What a model is loaded with: a change loads it anew.
struct ModelSettings {
  std::string model_file = "fast";
  std::string device = "auto";
  UnetsegPrecision precision = UNETSEG_PRECISION_AUTO;
  UnetsegEngine engine = UNETSEG_ENGINE_AUTO;
  guint threads = 0;
  guint batch_size = 1;  // frames

  bool operator==(const ModelSettings& other) const {
    return model_file == other.model_file && device == other.device &&
           precision == other.precision && engine == other.engine && threads == other.threads &&
           batch_size == other.batch_size;
  }
};

struct Settings {
  ModelSettings model;
  FrameSettings frame;
};

// All properties of the element; those from `kDeviceInUse` on are not settings.
enum Property : guint {
  kModelFile = 1,
  kDevice,
  kPrecision,
  kEngine,
  kThreads,
  kOutput,
  kMode,
  kInferenceInterval,
  kMaxMaskAge,
  kMotionCompensation,
  kBatchSize,
  kInferenceTimeout,
  kQos,
  kFit,
  kTta,
  kThreshold,
  kSmoothing,
  kLargestOnly,
  kFillHoles,
  kMinArea,
  kMinConfidence,
  kColor,
  kOpacity,
  kContourColor,
  kContourWidth,
  kOnError,
  kPostMessages,
  kPixelSize,
  kDeviceInUse,
  kModelInfo,
  kStats,
};

// Property specifications; see property_specs.cpp.
void install_properties(GObjectClass* object_class);

// False where `id` is not a setting. The caller holds the lock that guards `settings`.
bool set_setting(Settings* settings, guint id, const GValue* value);
bool get_setting(const Settings& settings, guint id, GValue* value);
// Whether it is one of ModelSettings.
bool is_of_model(guint id);

}  // namespace unetseg
