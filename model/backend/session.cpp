// SPDX-License-Identifier: MIT
#include "model/backend/session.h"

#include <algorithm>

#include "model/error.h"
#include "model/motion/moved_map.h"
#include "model/motion/units.h"

namespace unetseg {
namespace {

constexpr guint kMostSlots = 64;
constexpr UnetsegMotion kAtRest = {{1, 0, 0, 0, 1, 0}, 1, FALSE};

std::size_t pixels(const ModelCard& card) {
  return static_cast<std::size_t>(card.input_width) * static_cast<std::size_t>(card.input_height);
}

Framing whole_input(const ModelCard& card) {
  return {{}, {}, 0, 0, card.input_width, card.input_height, {}};
}

bool chosen(UnetsegSwitch choice, bool models) {
  return choice == UNETSEG_SWITCH_MODEL ? models : choice == UNETSEG_SWITCH_ON;
}

// The caller of the C table broke its contract; no user can cure it.
[[noreturn]] void misused(const std::string& how) {
  throw Error(Fault::failed, "unetseg's backend was misused: please report this", how);
}

std::unique_ptr<Engine> checked_engine(const UnetsegOpenOptions& options) {
  if (options.n_slots < 1 || options.n_slots > kMostSlots)
    misused(std::to_string(options.n_slots) + " slots");
  if (options.model_file == nullptr || options.device == nullptr) misused("no model or device");
  return make_engine(options);
}

// The shape of an input as what it shows is seen.
Extent extent_of(const UnetsegFrame& frame, const Units& input) {
  const double wider =
      frame.par_n > 0 && frame.par_d > 0 ? static_cast<double>(frame.par_n) / frame.par_d : 1;
  const double width = frame.width * wider / input.scale_x, height = frame.height / input.scale_y;
  return {width / std::min(width, height), height / std::min(width, height)};
}

// Of the map that keep_shown() leaves.
MapMovement movement_of(const Framing& framing, const UnetsegMotion& motion) {
  return MapMovement(in_units(motion, map_units(framing)), framing.width, framing.height);
}

}  // namespace

Session::Slot::Slot(const ModelCard& card)
    : sampler(card.input_width, card.input_height, card.normalisation),
      framing(whole_input(card)),
      sampled(3 * pixels(card)),
      probabilities(pixels(card)),
      cleaned(pixels(card)),
      moved(pixels(card)),
      picture(card.input_width, card.input_height) {}

Session::Session(const UnetsegOpenOptions& options)
    : engine_(checked_engine(options)),
      tracker_(engine_->card().input_width, engine_->card().input_height) {
  device_ = engine_->device();
  engine_name_ = engine_->name();
  precision_ = engine_->precision();
  notice_ = engine_->notice();
  const ModelCard& card = engine_->card();
  info_ = {card.architecture.c_str(), engine_name_.c_str(), device_.c_str(),   precision_.c_str(),
           notice_.c_str(),           card.sha256.c_str(),  card.name.c_str(), card.base_width,
           card.input_width,          card.input_height,    card.threshold,    FALSE};
  if (device_.rfind("cuda", 0) == 0) open_gpu();
  for (guint i = 0; i < options.n_slots; ++i) slots_.push_back(std::make_unique<Slot>(card));
  symmetries_ = std::make_unique<Symmetries>(card.input_width, card.input_height);
  inputs_.reserve(slots_.size());
  inputs_on_gpu_.reserve(slots_.size());
  outputs_.reserve(slots_.size());
}

// Frames in system memory do without: only those in the GPU's are refused where this fails.
void Session::open_gpu() {
  const ModelCard& card = engine_->card();
  try {
    gpu_frames_ = std::make_unique<GpuFrames>(make_gpu(device_), card.input_width,
                                              card.input_height, card.normalisation);
    info_.takes_cuda_frames = TRUE;
  } catch (const Error& error) {
    if (error.fault() == Fault::no_space) throw;
    no_gpu_frames_ = error;
  }
}

GpuFrames& Session::gpu_frames() {
  if (no_gpu_frames_) throw *no_gpu_frames_;
  if (!gpu_frames_) misused("a frame in the memory of another device");
  return *gpu_frames_;
}

Session::Slot& Session::slot_at(guint index) {
  if (index >= slots_.size()) misused("slot " + std::to_string(index));
  return *slots_[index];
}

void Session::sample(guint slot, const UnetsegFrame& frame, UnetsegFit fit) {
  Slot& to = slot_at(slot);
  if (fit == UNETSEG_FIT_MODEL) fit = engine_->card().fit;
  to.has_picture = false;
  to.on_gpu = frame.memory == UNETSEG_MEMORY_CUDA;
  if (to.on_gpu) {
    GpuFrames& gpu = gpu_frames();
    if (!to.gpu_picture) to.gpu_picture = gpu.make_picture();
    to.framing = gpu.sampler().sample(frame, fit, *to.gpu_picture);
  } else {
    to.framing = to.sampler.sample(frame, to.sampled.data(), fit);
  }
  to.extent = extent_of(frame, to.units());
}

void Session::infer(const guint* slots, guint n, UnetsegTta tta) {
  if (n == 0 || n > slots_.size()) misused("a batch of " + std::to_string(n));
  outputs_.clear();
  for (guint i = 0; i < n; ++i) {
    Slot& slot = slot_at(slots[i]);
    outputs_.push_back(slot.probabilities.data());
    slot.cleaned_by.reset();
    slot.moved_by.reset();
  }
  run(slots, n, tta);
  for (guint i = 0; i < n; ++i)
    keep_shown(slot_at(slots[i]).framing, engine_->card().input_width, outputs_[i]);
}

bool Session::are_on_gpu(const guint* slots, guint n) {
  return std::all_of(slots, slots + n, [this](guint slot) { return slot_at(slot).on_gpu; });
}

// Pictures that were sampled on the engine's device stay there, unless copies of them are wanted.
void Session::run(const guint* slots, guint n, UnetsegTta tta) {
  const int count = static_cast<int>(n);
  DeviceInference* const on_device = engine_->on_device();
  if (on_device != nullptr && tta == UNETSEG_TTA_NONE && are_on_gpu(slots, n)) {
    inputs_on_gpu_.clear();
    for (guint i = 0; i < n; ++i) inputs_on_gpu_.push_back(slot_at(slots[i]).input_on_gpu());
    on_device->run(inputs_on_gpu_.data(), outputs_.data(), count);
  } else {
    inputs_.clear();
    for (guint i = 0; i < n; ++i) inputs_.push_back(slot_at(slots[i]).input());
    symmetries_->run(*engine_, tta, inputs_.data(), outputs_.data(), count);
  }
}

// Made for the slots that are tracked, when they first are.
const Picture& Session::picture_of(Slot& slot) {
  if (!slot.has_picture)
    slot.picture.take(slot.input(), engine_->card().normalisation, slot.extent);
  slot.has_picture = true;
  return slot.picture;
}

void Session::track(guint from, guint to, UnetsegMotion* motion) {
  motion->confidence = 0;
  motion->other_scene = FALSE;
  if (!(slot_at(from).framing == slot_at(to).framing)) return;
  const Units units = slot_at(from).units();
  const Picture& before = picture_of(slot_at(from));
  const Picture& after = picture_of(slot_at(to));
  const Extent& extent = before.extent();
  UnetsegMotion seen = in_units(*motion, units);
  const Movement movement = tracker_.track(before, after, similarity_from(seen.m, extent));
  if (movement.confidence > 0) {
    to_matrix(movement.motion, extent, seen.m);
    *motion = in_units(seen, units.inverse());
  }
  motion->confidence = movement.confidence;
  motion->other_scene = movement.other_scene;
}

void Session::smooth(guint slot, guint previous, const UnetsegMotion* motion, double weight) {
  Slot& to = slot_at(slot);
  const Slot& from = slot_at(previous);
  if (!(to.framing == from.framing)) return;
  movement_of(from.framing, motion != nullptr ? *motion : kAtRest)
      .mix(from.view(from.probabilities), weight, to.probabilities.data());
  to.cleaned_by.reset();
  to.moved_by.reset();
}

Session::Rules Session::resolved(const UnetsegMaskOptions& mask) const {
  const ModelCard& card = engine_->card();
  return {mask.threshold < 0 ? card.threshold : mask.threshold,
          {chosen(mask.largest_only, card.clean_up.largest_only),
           chosen(mask.fill_holes, card.clean_up.fill_holes),
           mask.min_area < 0 ? card.clean_up.min_area : mask.min_area,
           mask.min_confidence < 0 ? card.clean_up.min_confidence : mask.min_confidence}};
}

// Cleaned once for all that is drawn and measured. The slot's own probabilities stay as the network
// gave them.
ProbabilityView Session::cleaned(Slot& slot, const Rules& rules) {
  if (!rules.clean_up.asks_for_anything()) return slot.view(slot.probabilities);
  if (!slot.cleaned_by || !(*slot.cleaned_by == rules)) {
    slot.cleaned_by.reset();  // until it is done
    slot.cleaned = slot.probabilities;
    cleaner_.clean(slot.cleaned.data(), slot.framing.width, slot.framing.height, rules.threshold,
                   of_part(rules.clean_up, slot.framing.part));
    slot.cleaned_by = rules;
  }
  return slot.view(slot.cleaned);
}

// What frames show after the picture has moved. Moved once for all that is drawn and measured.
ProbabilityView Session::shown(Slot& slot, const Rules& rules, const UnetsegMotion* motion) {
  const ProbabilityView map = cleaned(slot, rules);
  if (motion == nullptr) return map;
  const MovedBy wanted = {rules, *motion};
  if (!slot.moved_by || !(*slot.moved_by == wanted)) {
    slot.moved_by.reset();  // until it is done
    movement_of(slot.framing, *motion).move(map, slot.moved.data());
    slot.moved_by = wanted;
  }
  return slot.view(slot.moved);
}

void Session::draw(guint slot, const UnetsegFrame& frame, const UnetsegMaskOptions& mask,
                   const UnetsegStyle& style) {
  const Rules rules = resolved(mask);
  const ProbabilityView map = shown(slot_at(slot), rules, mask.motion);
  if (frame.memory == UNETSEG_MEMORY_CUDA)
    gpu_frames().painter().draw(map, rules.threshold, frame, style);
  else
    painter_.draw(map, rules.threshold, frame, style);
}

UnetsegMeasurement Session::measure(guint slot, int width, int height,
                                    const UnetsegMaskOptions& mask) {
  if (width < 1 || height < 1)
    misused("a frame of " + std::to_string(width) + " x " + std::to_string(height));
  Slot& from = slot_at(slot);
  const Rules rules = resolved(mask);
  const ProbabilityView map = shown(from, rules, mask.motion);
  return measurer_.measure(map, cleaned(from, rules).data, from.probabilities.data(), width, height,
                           rules.threshold);
}

}  // namespace unetseg
