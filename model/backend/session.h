// SPDX-License-Identifier: MIT
// A loaded model and the frames on their way through it: what the backend's C table is a face of.
#pragma once

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/backend/backend.h"
#include "model/engine/engine.h"
#include "model/engine/symmetries.h"
#include "model/error.h"
#include "model/frame/cuda/gpu_frames.h"
#include "model/frame/painter.h"
#include "model/frame/sampler.h"
#include "model/mask/mask.h"
#include "model/measure/measurer.h"
#include "model/motion/picture.h"
#include "model/motion/tracker.h"
#include "model/motion/units.h"

namespace unetseg {

// Every function throws Error. Which threads may call what is written at the functions of
// UnetsegBackend, whose names these carry.
class Session {
 public:
  explicit Session(const UnetsegOpenOptions& options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const UnetsegModelInfo& info() const { return info_; }
  void sample(guint slot, const UnetsegFrame& frame, UnetsegFit fit);
  void infer(const guint* slots, guint n, UnetsegTta tta);
  void track(guint from, guint to, UnetsegMotion* motion);
  void smooth(guint slot, guint previous, const UnetsegMotion* motion, double weight);
  // All modes show probabilities after the clean-up: thresholding a probability picture gives the
  // mask.
  void draw(guint slot, const UnetsegFrame& frame, const UnetsegMaskOptions& mask,
            const UnetsegStyle& style);
  UnetsegMeasurement measure(guint slot, int width, int height, const UnetsegMaskOptions& mask);

 private:
  // What a mask is made with, the model's own values filled in.
  struct Rules {
    double threshold;
    CleanUp clean_up;
    bool operator==(const Rules& other) const {
      return threshold == other.threshold && clean_up == other.clean_up;
    }
  };

  // What a map is moved by, after clean-up by the rules.
  struct MovedBy {
    Rules rules;
    UnetsegMotion motion;
    bool operator==(const MovedBy& other) const {
      return rules == other.rules &&
             std::equal(std::begin(motion.m), std::end(motion.m), other.motion.m);
    }
  };

  // A slot has a sampler of its own, so that sampling into it touches nothing else. At first it
  // holds a black picture before normalisation's shift: inferring it is what a warm-up does.
  struct Slot {
    explicit Slot(const ModelCard& card);
    ProbabilityView view(const std::vector<float>& map) const {
      return {map.data(), framing.width, framing.height, framing.part};
    }
    Units units() const { return input_units(framing, sampler.width(), sampler.height()); }

    // What the network takes. Waits for a GPU that is sampling it.
    const float* input() const { return on_gpu ? gpu_picture->planar() : sampled.data(); }
    // The same on the GPU, where it was sampled there.
    DevicePicture input_on_gpu() const { return {gpu_picture->on_gpu(), gpu_picture->ready()}; }

    Sampler sampler;
    Framing framing;  // of the frame in it
    std::vector<float> sampled;
    std::unique_ptr<GpuPicture> gpu_picture;  // from the first frame in GPU memory on
    bool on_gpu = false;                      // the frame was: `sampled` is not of it
    // Of the input's pixels that show the frame, framing.width x framing.height from the beginning.
    std::vector<float> probabilities;
    std::vector<float> cleaned;       // likewise
    std::optional<Rules> cleaned_by;  // what `cleaned` is for; none: out of date
    std::vector<float> moved;         // `cleaned`, or the probabilities where nothing is cleaned
    std::optional<MovedBy> moved_by;  // likewise
    Extent extent;                    // of the frame that was sampled
    Picture picture;
    bool has_picture = false;  // false: `picture` is not of the input
  };

  Slot& slot_at(guint index);
  bool are_on_gpu(const guint* slots, guint n);
  void run(const guint* slots, guint n, UnetsegTta tta);
  void open_gpu();
  GpuFrames& gpu_frames();
  Rules resolved(const UnetsegMaskOptions& mask) const;
  const Picture& picture_of(Slot& slot);
  ProbabilityView cleaned(Slot& slot, const Rules& rules);
  ProbabilityView shown(Slot& slot, const Rules& rules, const UnetsegMotion* motion);

  std::unique_ptr<Engine> engine_;
  std::string device_, engine_name_, precision_, notice_;  // what info_ points to
  UnetsegModelInfo info_;
  std::unique_ptr<GpuFrames> gpu_frames_;  // outlives the slots
  std::optional<Error> no_gpu_frames_;     // why there are none, on a GPU
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<const float*> inputs_;  // of the batch that is being inferred
  std::vector<DevicePicture> inputs_on_gpu_;
  std::vector<float*> outputs_;
  std::unique_ptr<Symmetries> symmetries_;
  Cleaner cleaner_;
  Tracker tracker_;
  Painter painter_;
  Measurer measurer_;
};

}  // namespace unetseg
