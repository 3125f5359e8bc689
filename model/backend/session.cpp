// SPDX-License-Identifier: MIT
#include "model/backend/session.h"

#include "model/error.h"

namespace unetseg {
namespace {

constexpr guint kMostSlots = 64;

std::size_t pixels(const ModelCard& card) {
  return static_cast<std::size_t>(card.input_width) * static_cast<std::size_t>(card.input_height);
}

bool asks_for_anything(const CleanUp& clean_up) {
  return clean_up.largest_only || clean_up.fill_holes || clean_up.min_area > 0;
}

// The caller of the C table broke its contract; no user can cure it.
[[noreturn]] void misused(const std::string& how) {
  throw Error(Fault::failed, "unetseg's backend was misused: please report this", how);
}

}  // namespace

Session::Slot::Slot(const ModelCard& card)
    : sampler(card.input_width, card.input_height, card.normalisation),
      input(3 * pixels(card)),
      probabilities(pixels(card)),
      cleaned(asks_for_anything(card.clean_up) ? pixels(card) : 0) {}

Session::Session(const UnetsegOpenOptions& options) {
  if (options.n_slots < 1 || options.n_slots > kMostSlots)
    misused(std::to_string(options.n_slots) + " slots");
  if (options.model_file == nullptr || options.device == nullptr) misused("no model or device");
  engine_ = make_engine(options);
  device_ = engine_->device();
  engine_name_ = engine_->name();
  const ModelCard& card = engine_->card();
  info_ = {card.architecture.c_str(), engine_name_.c_str(), device_.c_str(),
           card.sha256.c_str(),       card.name.c_str(),    card.base_width,
           card.input_width,          card.input_height,    card.threshold};
  for (guint i = 0; i < options.n_slots; ++i) slots_.push_back(std::make_unique<Slot>(card));
  inputs_.reserve(slots_.size());
  outputs_.reserve(slots_.size());
}

Session::Slot& Session::slot_at(guint index) {
  if (index >= slots_.size()) misused("slot " + std::to_string(index));
  return *slots_[index];
}

void Session::sample(guint slot, const UnetsegFrame& frame) {
  Slot& to = slot_at(slot);
  to.sampler.sample(frame, to.input.data());
}

void Session::infer(const guint* slots, guint n) {
  if (n == 0 || n > slots_.size()) misused("a batch of " + std::to_string(n));
  inputs_.clear();
  outputs_.clear();
  for (guint i = 0; i < n; ++i) {
    Slot& slot = slot_at(slots[i]);
    inputs_.push_back(slot.input.data());
    outputs_.push_back(slot.probabilities.data());
    slot.cleaned_at.reset();
  }
  engine_->run(inputs_.data(), outputs_.data(), static_cast<int>(n));
}

// Cleaned once for all that is drawn and measured. The slot's own probabilities stay as the network
// gave them.
ProbabilityView Session::cleaned(Slot& slot, double threshold) {
  const ModelCard& card = engine_->card();
  if (!asks_for_anything(card.clean_up))
    return {slot.probabilities.data(), card.input_width, card.input_height};
  if (slot.cleaned_at != threshold) {
    slot.cleaned_at.reset();  // until it is done
    slot.cleaned = slot.probabilities;
    cleaner_.clean(slot.cleaned.data(), card.input_width, card.input_height, threshold,
                   card.clean_up);
    slot.cleaned_at = threshold;
  }
  return {slot.cleaned.data(), card.input_width, card.input_height};
}

double Session::resolved(double threshold) const {
  return threshold < 0 ? engine_->card().threshold : threshold;
}

void Session::draw(guint slot, const UnetsegFrame& frame, const UnetsegStyle& style) {
  UnetsegStyle resolved_style = style;
  resolved_style.threshold = resolved(style.threshold);
  painter_.draw(cleaned(slot_at(slot), resolved_style.threshold), frame, resolved_style);
}

UnetsegMeasurement Session::measure(guint slot, int width, int height, double threshold) {
  if (width < 1 || height < 1)
    misused("a frame of " + std::to_string(width) + " x " + std::to_string(height));
  Slot& from = slot_at(slot);
  const double level = resolved(threshold);
  return measurer_.measure(cleaned(from, level), from.probabilities.data(), width, height, level);
}

}  // namespace unetseg
