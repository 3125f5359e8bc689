// SPDX-License-Identifier: MIT
#include "plugin/models.h"

#include <utility>

#include "plugin/debug.h"
#include "plugin/pointers.h"

namespace unetseg {

void Models::open(const ModelSettings& settings) {
  cancel();
  if (is_current(settings)) return;
  std::shared_ptr<Inference> outdated;  // let go of without the lock
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    outdated.swap(current_);
  }
  outdated.reset();
  auto opened = owned(std::make_unique<Inference>(settings));
  const std::lock_guard<std::mutex> lock(mutex_);
  opened->set_flushing(flushing_);
  current_ = std::move(opened);
}

// Neither the settings nor the file have changed since.
bool Models::is_current(const ModelSettings& settings) {
  const std::shared_ptr<Inference> model = current();
  return model && model->settings() == settings && model->is_up_to_date();
}

bool Models::close() {
  cancel();
  GThread* thread;
  std::shared_ptr<Inference> last;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    last.swap(current_);
    thread = std::exchange(thread_, nullptr);
    quit_ = true;
  }
  changed_.notify_all();
  if (thread != nullptr) g_thread_join(thread);
  last.reset();
  const std::lock_guard<std::mutex> lock(mutex_);
  quit_ = false;
  return !std::exchange(left_one_behind_, false);
}

void Models::give_up() {
  std::shared_ptr<Inference> stuck;  // let go of without the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  stuck.swap(current_);
}

void Models::cancel() {
  std::shared_ptr<Inference> unused;  // let go of without the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  unused = forget_requests();
}

// Under the lock. What is not wanted any more, to be let go of without it.
std::shared_ptr<Inference> Models::forget_requests() {
  ++requests_;
  wanted_.reset();
  loading_.reset();
  asked_again_ = false;
  is_ready_ = false;
  return std::move(next_);
}

void Models::request(const ModelSettings& settings) {
  const auto entry = [](gpointer self) -> gpointer {
    static_cast<Models*>(self)->loop();
    return nullptr;
  };
  if (is_current(settings)) return cancel();
  std::shared_ptr<Inference> unused;  // let go of without the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  if (quit_ || wanted_ == settings) return;
  if (loading_ == settings) {  // its file may be another since that began
    asked_again_ = true;
    return;
  }
  GError* error = nullptr;
  if (thread_ == nullptr) thread_ = g_thread_try_new("unetseg-load", entry, this, &error);
  if (thread_ == nullptr) {
    const ErrorPtr owned(error);
    throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                  "There is no thread to load a model with: close other programs", owned->message};
  }
  unused = forget_requests();
  wanted_ = settings;
  changed_.notify_all();
}

std::shared_ptr<Inference> Models::current() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return current_;
}

std::shared_ptr<Inference> Models::take_next() {
  if (!is_ready_) return nullptr;
  std::shared_ptr<Inference> before;  // let go of without the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!next_) return nullptr;
  is_ready_ = false;
  next_->set_flushing(flushing_);
  before = std::exchange(current_, std::move(next_));
  return current_;
}

void Models::set_flushing(bool flushing) {
  const std::lock_guard<std::mutex> lock(mutex_);
  flushing_ = flushing;
  if (current_) current_->set_flushing(flushing);
}

void Models::loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return wanted_ || !let_go_.empty() || quit_; });
    if (!let_go_.empty()) {
      const std::vector<Inference*> let_go = std::exchange(let_go_, {});
      lock.unlock();
      for (Inference* model : let_go) end(model);
      lock.lock();
    } else if (wanted_) {
      const ModelSettings settings = *std::exchange(wanted_, std::nullopt);
      const guint64 request = requests_;
      loading_ = settings;
      lock.unlock();
      std::shared_ptr<Inference> loaded = load(settings, request);
      const bool is_up_to_date = loaded && loaded->is_up_to_date();
      lock.lock();
      if (request == requests_) {
        loading_.reset();
        if (std::exchange(asked_again_, false) && !is_up_to_date) {
          wanted_ = settings;
        } else {
          is_ready_ = loaded != nullptr;
          next_.swap(loaded);
        }
      }
      lock.unlock();  // what came too late is let go of without the lock
      loaded.reset();
      lock.lock();
    } else {
      return;
    }
  }
}

// Null where it cannot be loaded, which is reported unless something else is wanted by now.
std::shared_ptr<Inference> Models::load(const ModelSettings& settings, guint64 request) {
  try {
    return owned(std::make_unique<Inference>(settings));
  } catch (...) {
    const Failure failure = failure_from_exception();
    if (is_latest_request(request)) on_failure_(settings, failure);
    return nullptr;
  }
}

bool Models::is_latest_request(guint64 request) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return request == requests_;
}

std::shared_ptr<Inference> Models::owned(std::unique_ptr<Inference> model) {
  return std::shared_ptr<Inference>(model.release(), [this](Inference* m) { dispose(m); });
}

void Models::dispose(Inference* model) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (thread_ != nullptr) {
      let_go_.push_back(model);
      changed_.notify_all();
      return;
    }
  }
  end(model);
}

void Models::end(Inference* model) {
  const bool is_known = model->is_stuck();
  if (Inference::end(std::unique_ptr<Inference>(model)) || is_known) return;
  GST_WARNING("an inference does not return, its model is left behind");
  const std::lock_guard<std::mutex> lock(mutex_);
  left_one_behind_ = true;
}

}  // namespace unetseg
