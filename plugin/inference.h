// SPDX-License-Identifier: MIT
// A loaded model: a backend session, and the thread that works for it.
#pragma once

#include <memory>
#include <string>

#include "model/backend/backend.h"
#include "plugin/cuda_device.h"
#include "plugin/file_stamp.h"
#include "plugin/settings.h"
#include "plugin/worker.h"

namespace unetseg {

// Loaded and warmed up as long as it lives. Functions throw Failure. start(), is_running(),
// finish() and whatever takes a slot belong to the streaming thread; set_flushing() to any; drain()
// and end() to one while there is no streaming thread.
class Inference {
 public:
  // Asks the backend module for `device`. Returns where that is; `notice` receives why "auto" does
  // not mean a GPU that is there, or nothing.
  static std::string probe(const std::string& device, std::string* notice);

  // Loads the model and warms it up, on its worker. Flushing at first.
  explicit Inference(const ModelSettings& settings);
  // Waits for the inference that may be running. See end().
  ~Inference();
  Inference(const Inference&) = delete;
  Inference& operator=(const Inference&) = delete;

  const ModelSettings& settings() const { return settings_; }  // what it was loaded with
  const std::string& file() const { return file_; }
  // False: the file has changed, or has another in its place, since the model was read from it.
  bool is_up_to_date() const { return stamp_of(file_) == stamp_; }
  const UnetsegModelInfo& info() const { return *backend_->info(session_); }
  // Whose memory it can read frames from, and draw on frames in; null where that is system memory
  // alone.
  const std::shared_ptr<CudaDevice>& cuda() const { return cuda_; }
  // Nanoseconds that an inference took while warming up, the slowest but for the first.
  guint64 warm_up_time() const { return warm_up_time_; }

  // Frames are in slots, numbered from 0: sampled into one, inferred there, drawn from there. While
  // some slots are inferred, the others are free for sampling and drawing. There is one for each
  // frame of a batch, one for the mask that is shown, and one to spare.
  guint slots() const { return settings_.batch_size + 2; }

  void sample(guint slot, const UnetsegFrame& frame, UnetsegFit fit);
  // Begins to infer `n` sampled slots, up to a batch, after the inference that may be running. It
  // has begun if this answers `done`.
  Waited start(const guint* slots, guint n, UnetsegTta tta, Deadline deadline = {});
  bool is_running() { return worker_.is_busy(); }
  // Waits for the inference that was started last, and throws what it threw; `nanoseconds` receives
  // how long it took. Unless this answers `done` it may still be running.
  Waited finish(guint64* nanoseconds, Deadline deadline = {});

  // As in the backend's table.
  void track(guint from, guint to, UnetsegMotion* motion);
  void smooth(guint slot, guint previous, const UnetsegMotion* motion, double weight);
  void draw(guint slot, const UnetsegFrame& frame, const UnetsegMaskOptions& mask,
            const UnetsegStyle& style);
  UnetsegMeasurement measure(guint slot, gint width, gint height, const UnetsegMaskOptions& mask);

  // While flushing nothing waits for an inference that is running.
  void set_flushing(bool flushing) { worker_.set_flushing(flushing); }
  // Waits until no inference is running any more. False: it took too long, and counts as one that
  // never returns.
  bool drain();
  bool is_stuck() const { return is_stuck_; }  // drain() has said so

  // Frees `model`, which nobody may use any more. False: its inference does not return. It is left
  // behind then with all that it works on, and frees itself if it ever does return.
  static bool end(std::unique_ptr<Inference> model);

 private:
  void open();
  void warm_up();
  guint64 timed_inference(const guint* slots, guint n, UnetsegTta tta);

  const ModelSettings settings_;
  const std::string file_;
  const FileStamp stamp_;  // taken before it was read
  const UnetsegBackend* backend_;
  UnetsegSession* session_ = nullptr;
  std::shared_ptr<CudaDevice> cuda_;
  guint64 warm_up_time_ = 0;
  // What the worker is asked for and answers; written while it is idle, read when it is done.
  guint job_slots_[kMostInABatch] = {};
  guint job_size_ = 0;
  UnetsegTta job_tta_ = UNETSEG_TTA_NONE;
  guint64 last_time_ = 0;  // nanoseconds that the last inference took
  bool is_stuck_ = false;  // an inference was waited for in vain
  bool is_left_ = false;   // nobody waits any more: the worker's thread owns this
  Worker worker_;
};

}  // namespace unetseg
