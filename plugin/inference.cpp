// SPDX-License-Identifier: MIT
#include "plugin/inference.h"

#include <algorithm>
#include <numeric>

#include "plugin/backend_loader.h"
#include "plugin/errors.h"
#include "plugin/pointers.h"
#include "plugin/weights_path.h"

namespace unetseg {
namespace {

// The first inference makes threads and buffers; how long it takes says nothing about the others.
constexpr int kWarmUps = 3;

// How long an inference is waited for before it is left behind: this, or many times what it took
// while warming up.
constexpr guint64 kPatience = 5 * GST_SECOND;
constexpr guint64 kPatienceInWarmUps = 10;

}  // namespace

std::string Inference::probe(const std::string& device, std::string* notice) {
  gchar *resolved = nullptr, *note = nullptr;
  GError* error = nullptr;
  if (!load_backend()->probe(device.c_str(), &resolved, &note, &error))
    throw failure_from_backend(error);
  const StringPtr owned_resolved(resolved), owned_note(note);
  *notice = note == nullptr ? "" : note;
  return resolved;
}

Inference::Inference(const ModelSettings& settings)
    : settings_(settings),
      file_(weights_path(settings.model_file)),
      stamp_(stamp_of(file_)),
      backend_(load_backend()) {
  try {
    worker_.run([this] {
      open();
      warm_up();
    });
  } catch (...) {
    if (session_ != nullptr) worker_.run([this] { backend_->close(session_); });
    throw;
  }
}

Inference::~Inference() {
  if (is_left_)
    backend_->close(session_);  // on the worker's thread
  else
    worker_.run([this] { backend_->close(session_); });
}

bool Inference::drain() {
  is_stuck_ = !worker_.drain(in_time(std::max(kPatience, kPatienceInWarmUps * warm_up_time_)));
  return !is_stuck_;
}

bool Inference::end(std::unique_ptr<Inference> model) {
  if (!model->is_stuck_ && model->drain()) return true;
  Inference* left = model.release();
  left->is_left_ = true;
  left->worker_.leave([left] { delete left; });
  return false;
}

void Inference::open() {
  UnetsegOpenOptions options = {};
  options.model_file = file_.c_str();
  options.device = settings_.device.c_str();
  options.precision = settings_.precision;
  options.engine = settings_.engine;
  options.threads = settings_.threads;
  options.n_slots = slots();
  GError* error = nullptr;
  session_ = backend_->open(&options, &error);
  if (session_ == nullptr) throw failure_from_backend(error);
  if (info().takes_cuda_frames) cuda_ = CudaDevice::find(info().device);
}

void Inference::warm_up() {
  const guint slot = 0;
  timed_inference(&slot, 1, UNETSEG_TTA_NONE);
  for (int i = 1; i < kWarmUps; ++i)
    warm_up_time_ = std::max(warm_up_time_, timed_inference(&slot, 1, UNETSEG_TTA_NONE));
  if (settings_.batch_size == 1) return;
  // The first of a size makes buffers too, and on a GPU a graph.
  guint slots[kMostInABatch];
  std::iota(slots, slots + settings_.batch_size, 0u);
  timed_inference(slots, settings_.batch_size, UNETSEG_TTA_NONE);
}

guint64 Inference::timed_inference(const guint* slots, guint n, UnetsegTta tta) {
  const gint64 begin = g_get_monotonic_time();
  GError* error = nullptr;
  if (!backend_->infer(session_, slots, n, tta, &error)) throw failure_from_backend(error);
  return static_cast<guint64>(g_get_monotonic_time() - begin) * 1000;
}

void Inference::sample(guint slot, const UnetsegFrame& frame, UnetsegFit fit) {
  GError* error = nullptr;
  if (!backend_->sample(session_, slot, &frame, fit, &error)) throw failure_from_backend(error);
}

Waited Inference::start(const guint* slots, guint n, UnetsegTta tta, Deadline deadline) {
  const Waited waited = worker_.wait_until_idle(deadline);
  if (waited != Waited::done) return waited;
  std::copy(slots, slots + n, job_slots_);
  job_size_ = n;
  job_tta_ = tta;
  const auto job = [this] { last_time_ = timed_inference(job_slots_, job_size_, job_tta_); };
  return worker_.post(job) ? Waited::done : Waited::flushing;
}

Waited Inference::finish(guint64* nanoseconds, Deadline deadline) {
  const Waited waited = worker_.wait(deadline);
  if (waited == Waited::done) *nanoseconds = last_time_;
  return waited;
}

void Inference::track(guint from, guint to, UnetsegMotion* motion) {
  GError* error = nullptr;
  if (!backend_->track(session_, from, to, motion, &error)) throw failure_from_backend(error);
}

void Inference::smooth(guint slot, guint previous, const UnetsegMotion* motion, double weight) {
  GError* error = nullptr;
  if (!backend_->smooth(session_, slot, previous, motion, weight, &error))
    throw failure_from_backend(error);
}

void Inference::draw(guint slot, const UnetsegFrame& frame, const UnetsegMaskOptions& mask,
                     const UnetsegStyle& style) {
  GError* error = nullptr;
  if (!backend_->draw(session_, slot, &frame, &mask, &style, &error))
    throw failure_from_backend(error);
}

UnetsegMeasurement Inference::measure(guint slot, gint width, gint height,
                                      const UnetsegMaskOptions& mask) {
  UnetsegMeasurement measurement;
  GError* error = nullptr;
  if (!backend_->measure(session_, slot, width, height, &mask, &measurement, &error))
    throw failure_from_backend(error);
  return measurement;
}

}  // namespace unetseg
