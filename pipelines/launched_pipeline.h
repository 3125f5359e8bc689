// SPDX-License-Identifier: MIT
// A pipeline from a description as gst-launch-1.0 takes it, and why it failed where it did.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

struct SampleDeleter {
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
};
using Sample = std::unique_ptr<GstSample, SampleDeleter>;

// Stopped and freed with the object. One thread at a time.
class LaunchedPipeline {
 public:
  explicit LaunchedPipeline(const std::string& description);
  ~LaunchedPipeline();
  LaunchedPipeline(const LaunchedPipeline&) = delete;
  LaunchedPipeline& operator=(const LaunchedPipeline&) = delete;

  // Owned by the pipeline, which outlives every use. Nothing where the description was unusable.
  GstElement* element(const char* name) const;
  bool play();
  // Waits for an appsink's next sample; nothing where it ends or an element fails before.
  Sample pull(const char* name);
  // Why it failed: an element's error, or what made the description unusable.
  std::string error();

 private:
  // Whether an element has posted an error since the last call.
  bool has_failed();

  GstElement* pipeline_ = nullptr;
  std::string error_;
};
