// SPDX-License-Identifier: MIT
#include "plugin/inference.h"

#include <algorithm>

#include "plugin/backend_loader.h"
#include "plugin/errors.h"
#include "plugin/pointers.h"

namespace unetseg {
namespace {

// The first inference makes threads and buffers; how long it takes says nothing about the others.
constexpr int kWarmUps = 3;

}  // namespace

Inference::~Inference() {
  close();
}

std::string Inference::probe(const std::string& device, std::string* notice) {
  backend_ = load_backend();
  gchar *resolved = nullptr, *note = nullptr;
  GError* error = nullptr;
  if (!backend_->probe(device.c_str(), &resolved, &note, &error)) throw failure_from_backend(error);
  const StringPtr owned_resolved(resolved), owned_note(note);
  *notice = note == nullptr ? "" : note;
  return resolved;
}

void Inference::open(const ModelRequest& request) {
  if (is_open() && request == request_) return;
  close();
  replace_worker(std::make_unique<Worker>());
  try {
    worker_->run([&] {
      open_session(request);
      warm_up();
    });
  } catch (...) {
    close();
    throw;
  }
  request_ = request;
}

void Inference::open_session(const ModelRequest& request) {
  UnetsegOpenOptions options = {};
  options.model_file = request.file.c_str();
  options.device = request.device.c_str();
  options.threads = request.threads;
  options.n_slots = kSlots;
  GError* error = nullptr;
  session_ = backend_->open(&options, &error);
  if (session_ == nullptr) throw failure_from_backend(error);
}

void Inference::warm_up() {
  warm_up_time_ = 0;
  timed_inference(0);
  for (int i = 1; i < kWarmUps; ++i) warm_up_time_ = std::max(warm_up_time_, timed_inference(0));
}

void Inference::close() {
  if (session_ != nullptr) worker_->run([this] { backend_->close(session_); });
  session_ = nullptr;
  replace_worker(nullptr);
}

// The one before is joined without the lock.
void Inference::replace_worker(std::unique_ptr<Worker> worker) {
  const std::lock_guard<std::mutex> lock(worker_mutex_);
  worker_.swap(worker);
}

guint64 Inference::timed_inference(guint slot) {
  const gint64 begin = g_get_monotonic_time();
  GError* error = nullptr;
  if (!backend_->infer(session_, &slot, 1, &error)) throw failure_from_backend(error);
  return static_cast<guint64>(g_get_monotonic_time() - begin) * 1000;
}

void Inference::sample(guint slot, const UnetsegFrame& frame) {
  GError* error = nullptr;
  if (!backend_->sample(session_, slot, &frame, &error)) throw failure_from_backend(error);
}

bool Inference::start(guint slot) {
  return worker_->post([this, slot] { last_time_ = timed_inference(slot); });
}

bool Inference::finish(guint64* nanoseconds) {
  if (!worker_->wait()) return false;
  *nanoseconds = last_time_;
  return true;
}

void Inference::draw(guint slot, const UnetsegFrame& frame, const UnetsegStyle& style) {
  GError* error = nullptr;
  if (!backend_->draw(session_, slot, &frame, &style, &error)) throw failure_from_backend(error);
}

UnetsegMeasurement Inference::measure(guint slot, gint width, gint height, gdouble threshold) {
  UnetsegMeasurement measurement;
  GError* error = nullptr;
  if (!backend_->measure(session_, slot, width, height, threshold, &measurement, &error))
    throw failure_from_backend(error);
  return measurement;
}

void Inference::set_flushing(bool flushing) {
  const std::lock_guard<std::mutex> lock(worker_mutex_);
  if (worker_) worker_->set_flushing(flushing);
}

void Inference::drain() {
  if (worker_) worker_->drain();
}

}  // namespace unetseg
