// SPDX-License-Identifier: MIT
// The Sampler of frames that lie in a GPU's memory.
#pragma once

#include <memory>
#include <vector>

#include "model/frame/cuda/staging.h"
#include "model/frame/sampler.h"

namespace unetseg {

// A network's input on its way from the GPU, one for each slot.
class GpuPicture {
 public:
  explicit GpuPicture(Gpu& gpu) : planar_(gpu) {}
  // As Sampler::sample() writes them. Waits until they are there. Any thread.
  const float* planar() const {
    planar_.wait();
    return reinterpret_cast<const float*>(planar_.host());
  }

 private:
  friend class GpuSampler;
  Staging planar_;
};

// Scales frames as a Sampler of this size does, to 1e-5 of a normalised value: only sums are
// rounded in another order. One thread at a time. The GPU must live longer.
//
// Tables for a source geometry are made when it or the framing changes, which waits for the GPU;
// apart from that, a call puts a kernel and a copy into the frame's stream and returns. A picture
// that is used again is waited for.
class GpuSampler {
 public:
  GpuSampler(Gpu& gpu, int width, int height, const Normalisation& normalisation = {});

  // Throws as Sampler::sample() and Gpu do; what is in `picture` then means nothing.
  Framing sample(const UnetsegFrame& frame, UnetsegFit fit, GpuPicture& picture);

 private:
  // For one of the two shifts of samples: 0 and 1.
  struct Tables {
    const Span *across, *down;  // the GPU's
    float scale_across, scale_down;
    int longest;  // samples below a column of the output
  };

  void make_tables(const UnetsegFrame& frame, const Framing& framing);
  void describe(const UnetsegFrame& frame, const Framing& framing, const Tables (&tables)[2]);

  Gpu& gpu_;
  int width_, height_;
  Normalisation normalisation_;
  bool has_tables_ = false;
  UnetsegFrame geometry_{};  // what the tables are for
  Framing framing_{};
  Staging tables_;
  SamplingJob job_{};  // for that geometry; what each frame has of its own is filled in with it
};

}  // namespace unetseg
