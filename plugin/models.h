// SPDX-License-Identifier: MIT
// The model in use, and the one that is loaded aside to take its place.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "plugin/errors.h"
#include "plugin/inference.h"
#include "plugin/settings.h"

namespace unetseg {

// Models that give way are freed on the thread that loads them, not where they are let go of: that
// takes as long as loading. The thread begins with the first request() and ends with close().
// Functions that load throw Failure.
class Models {
 public:
  // `on_failure` is called on the loading thread with the settings that were asked for, for what
  // could not be loaded.
  using OnFailure = std::function<void(const ModelSettings&, const Failure&)>;
  explicit Models(OnFailure on_failure) : on_failure_(std::move(on_failure)) {}
  ~Models() { close(); }
  Models(const Models&) = delete;
  Models& operator=(const Models&) = delete;

  // While no data flows. A model that was loaded with the same settings is kept as it is, unless
  // its file has changed; after a failure there is none.
  void open(const ModelSettings& settings);
  // False: the inference of a model that gave way, or of the last one, did not return and was left
  // behind.
  bool close();
  // The current model is one that was drained in vain: there is none from now on.
  void give_up();
  // Forgets what was asked for and is not in use.
  void cancel();

  // Any thread. What is asked for last counts. Nothing is loaded where the current model is that,
  // and its file has not changed, or where that is being loaded already.
  void request(const ModelSettings& settings);
  // Any thread; null where there is none.
  std::shared_ptr<Inference> current();
  // Any thread. Takes as long as reading a flag where nothing is ready. Otherwise what was asked
  // for is the current model from now on.
  std::shared_ptr<Inference> take_next();

  // Any thread. Of the current model, and of those that become it.
  void set_flushing(bool flushing);

 private:
  bool is_current(const ModelSettings& settings);
  void loop();
  std::shared_ptr<Inference> load(const ModelSettings& settings, guint64 request);
  bool is_latest_request(guint64 request);
  std::shared_ptr<Inference> forget_requests();
  std::shared_ptr<Inference> owned(std::unique_ptr<Inference> model);
  void dispose(Inference* model);
  void end(Inference* model);

  const OnFailure on_failure_;

  // Guards all below; nothing is called while it is held but set_flushing() of a model.
  std::mutex mutex_;
  std::condition_variable changed_;
  GThread* thread_ = nullptr;
  bool quit_ = false;
  bool left_one_behind_ = false;
  bool flushing_ = true;
  std::optional<ModelSettings> wanted_;   // not begun
  std::optional<ModelSettings> loading_;  // begun for the latest request, and not done
  bool asked_again_ = false;              // for what is being loaded
  guint64 requests_ = 0;                  // a load that an older one began is not wanted any more
  std::shared_ptr<Inference> current_, next_;
  std::vector<Inference*> let_go_;  // to be freed by the thread

  std::atomic<bool> is_ready_{false};  // next_ is set
};

}  // namespace unetseg
