// SPDX-License-Identifier: MIT
// The element's hold on the network: a backend session, and the thread that works for it.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "model/backend/backend.h"
#include "plugin/worker.h"

namespace unetseg {

// What decides which session is needed.
struct ModelRequest {
  std::string file, device;
  guint threads = 0;
  bool operator==(const ModelRequest& other) const {
    return file == other.file && device == other.device && threads == other.threads;
  }
};

// Functions throw Failure. sample(), start(), is_running(), finish(), draw() and measure()
// belong to the streaming thread and set_flushing() to any; the rest may not run beside them.
class Inference {
 public:
  ~Inference();

  // Opens the backend module and asks it for `device`. Returns where that is; `notice` receives
  // why "auto" does not mean a GPU that is there, or nothing.
  std::string probe(const std::string& device, std::string* notice);

  // Loads the model and warms it up, on the worker. A session that answers the same request is
  // kept as it is. After a failure there is none.
  void open(const ModelRequest& request);
  void close();
  bool is_open() const { return session_ != nullptr; }
  const UnetsegModelInfo& info() const { return *backend_->info(session_); }
  const std::string& model_file() const { return request_.file; }
  // Nanoseconds that an inference took while warming up, the slowest but for the first.
  guint64 warm_up_time() const { return warm_up_time_; }

  // Frames are in slots: sampled into one, inferred there, drawn from there. While one slot is
  // inferred, the others are free for sampling and drawing.
  static constexpr guint kSlots = 3;

  void sample(guint slot, const UnetsegFrame& frame);
  // Begins to infer a sampled slot, after the inference that may be running. False: flushing.
  bool start(guint slot);
  bool is_running() { return worker_->is_busy(); }
  // Waits for the inference that was started last, and throws what it threw; `nanoseconds` receives
  // how long it took. False: flushing, and it may still be running.
  bool finish(guint64* nanoseconds);
  void draw(guint slot, const UnetsegFrame& frame, const UnetsegStyle& style);
  // Of what draw() shows on a frame of this size with this threshold.
  UnetsegMeasurement measure(guint slot, gint width, gint height, gdouble threshold);

  // While flushing nothing waits for an inference that is running.
  void set_flushing(bool flushing);
  // Returns when no inference is running any more.
  void drain();

 private:
  void open_session(const ModelRequest& request);
  void warm_up();
  void replace_worker(std::unique_ptr<Worker> worker);
  guint64 timed_inference(guint slot);

  const UnetsegBackend* backend_ = nullptr;
  UnetsegSession* session_ = nullptr;
  ModelRequest request_;  // what session_ answers
  guint64 warm_up_time_ = 0;
  guint64 last_time_ = 0;  // nanoseconds that the last inference took; read when it is done
  // A flush may come from another thread while the element stops. Guards the pointer, not what it
  // points to; taken before the worker's own lock.
  std::mutex worker_mutex_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace unetseg
