// SPDX-License-Identifier: MIT
// The properties that an application sets: their types, defaults, ranges and texts in one place.
#pragma once

#include <gst/gst.h>

#include <string>

namespace unetseg {

enum class Output { overlay, mask, probability, none };

// Whether the frames themselves leave by the source pad, and not masks in their place.
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
  double threshold = -1;
  guint color = 0xff00c8ff;  // light blue, a hue that skin and lesions do not have
  double opacity = 0.25;
  guint contour_color = 0xff00c8ff;
  guint contour_width = 3;
  OnError on_error = OnError::automatic;
  Mode mode = Mode::automatic;
  guint inference_interval = 1;
  gint64 max_mask_age = -1;  // nanoseconds; below 0 is automatic, 0 no limit
  bool qos = true;
  bool post_messages = false;
  double pixel_size = 0;  // mm; 0 where it is not known
};

// What holds from one start to the next.
struct StartSettings {
  std::string model_file = "fast";
  std::string device = "auto";
  guint threads = 0;
  Output output = Output::overlay;
};

struct Settings {
  StartSettings start;
  FrameSettings frame;
};

// All properties of the element; those from `first_read_only` on are not settings.
enum Property : guint {
  kModelFile = 1,
  kDevice,
  kThreads,
  kOutput,
  kThreshold,
  kColor,
  kOpacity,
  kContourColor,
  kContourWidth,
  kOnError,
  kMode,
  kInferenceInterval,
  kMaxMaskAge,
  kQos,
  kPostMessages,
  kPixelSize,
  kDeviceInUse,
  kEngine,
  kModelInfo,
  kStats,
};

// What the read-only property `engine` shows.
enum class EngineKind { none, libtorch, other };

void install_properties(GObjectClass* object_class);

// False where `id` is not a setting. The caller holds the lock that guards `settings`.
bool set_setting(Settings* settings, guint id, const GValue* value);
bool get_setting(const Settings& settings, guint id, GValue* value);

}  // namespace unetseg
