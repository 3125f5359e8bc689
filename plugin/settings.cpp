// SPDX-License-Identifier: MIT
#include "plugin/settings.h"

#include <type_traits>

namespace unetseg {
namespace {

// What GObject stores a setting of each type as.
void read(const GValue* value, bool* setting) {
  *setting = g_value_get_boolean(value);
}
void read(const GValue* value, guint* setting) {
  *setting = g_value_get_uint(value);
}
void read(const GValue* value, gint64* setting) {
  *setting = g_value_get_int64(value);
}
void read(const GValue* value, guint64* setting) {
  *setting = g_value_get_uint64(value);
}
void read(const GValue* value, double* setting) {
  *setting = g_value_get_double(value);
}
// No text is the default's.
void read(const GValue* value, std::string* setting) {
  const gchar* text = g_value_get_string(value);
  *setting = text != nullptr ? text : "";
}
template <typename Enum, typename = std::enable_if_t<std::is_enum_v<Enum>>>
void read(const GValue* value, Enum* setting) {
  *setting = static_cast<Enum>(g_value_get_enum(value));
}

void write(bool setting, GValue* value) {
  g_value_set_boolean(value, setting);
}
void write(guint setting, GValue* value) {
  g_value_set_uint(value, setting);
}
void write(gint64 setting, GValue* value) {
  g_value_set_int64(value, setting);
}
void write(guint64 setting, GValue* value) {
  g_value_set_uint64(value, setting);
}
void write(double setting, GValue* value) {
  g_value_set_double(value, setting);
}
void write(const std::string& setting, GValue* value) {
  g_value_set_string(value, setting.c_str());
}
template <typename Enum, typename = std::enable_if_t<std::is_enum_v<Enum>>>
void write(Enum setting, GValue* value) {
  g_value_set_enum(value, static_cast<gint>(setting));
}

// How one property reaches its member of Settings.
struct Access {
  guint id;
  void (*set)(Settings*, const GValue*);
  void (*get)(const Settings&, GValue*);
};

template <auto kGroup, auto kMember>
constexpr Access access(guint id) {
  return {id, [](Settings* s, const GValue* value) { read(value, &(s->*kGroup.*kMember)); },
          [](const Settings& s, GValue* value) { write(s.*kGroup.*kMember, value); }};
}

template <auto kMember>
constexpr Access frame(guint id) {
  return access<&Settings::frame, kMember>(id);
}

template <auto kMember>
constexpr Access model(guint id) {
  return access<&Settings::model, kMember>(id);
}

constexpr Access kSettings[] = {
    model<&ModelSettings::model_file>(kModelFile),
    model<&ModelSettings::device>(kDevice),
    model<&ModelSettings::precision>(kPrecision),
    model<&ModelSettings::engine>(kEngine),
    model<&ModelSettings::threads>(kThreads),
    model<&ModelSettings::batch_size>(kBatchSize),
    frame<&FrameSettings::output>(kOutput),
    frame<&FrameSettings::mode>(kMode),
    frame<&FrameSettings::inference_interval>(kInferenceInterval),
    frame<&FrameSettings::max_mask_age>(kMaxMaskAge),
    frame<&FrameSettings::motion_compensation>(kMotionCompensation),
    frame<&FrameSettings::inference_timeout>(kInferenceTimeout),
    frame<&FrameSettings::qos>(kQos),
    frame<&FrameSettings::fit>(kFit),
    frame<&FrameSettings::tta>(kTta),
    frame<&FrameSettings::threshold>(kThreshold),
    frame<&FrameSettings::smoothing>(kSmoothing),
    frame<&FrameSettings::largest_only>(kLargestOnly),
    frame<&FrameSettings::fill_holes>(kFillHoles),
    frame<&FrameSettings::min_area>(kMinArea),
    frame<&FrameSettings::min_confidence>(kMinConfidence),
    frame<&FrameSettings::color>(kColor),
    frame<&FrameSettings::opacity>(kOpacity),
    frame<&FrameSettings::contour_color>(kContourColor),
    frame<&FrameSettings::contour_width>(kContourWidth),
    frame<&FrameSettings::on_error>(kOnError),
    frame<&FrameSettings::post_messages>(kPostMessages),
    frame<&FrameSettings::pixel_size>(kPixelSize),
};

const Access* find(guint id) {
  for (const Access& setting : kSettings)
    if (setting.id == id) return &setting;
  return nullptr;
}

}  // namespace

bool set_setting(Settings* settings, guint id, const GValue* value) {
  const Access* setting = find(id);
  if (setting == nullptr) return false;
  setting->set(settings, value);
  const ModelSettings defaults;
  if (settings->model.model_file.empty()) settings->model.model_file = defaults.model_file;
  if (settings->model.device.empty()) settings->model.device = defaults.device;
  return true;
}

bool get_setting(const Settings& settings, guint id, GValue* value) {
  const Access* setting = find(id);
  if (setting == nullptr) return false;
  setting->get(settings, value);
  return true;
}

bool is_of_model(guint id) {
  return id == kBatchSize || (id >= kModelFile && id <= kThreads);
}

}  // namespace unetseg
