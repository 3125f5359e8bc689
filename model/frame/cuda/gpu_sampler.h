// SPDX-License-Identifier: MIT
// The Sampler of frames that lie in a GPU's memory.
#pragma once

#include <memory>
#include <mutex>

#include "model/frame/cuda/staging.h"
#include "model/frame/sampler.h"

namespace unetseg {

// A network's input in the GPU's memory, one for each slot. The GPU must live longer.
class GpuPicture {
 public:
  explicit GpuPicture(Gpu& gpu) : gpu_(gpu), planar_(gpu) {}
  // As Sampler::sample() writes them, once ready() has come to pass. The GPU's memory.
  const float* on_gpu() const { return reinterpret_cast<const float*>(planar_.device()); }
  void* ready() const { return planar_.used(); }  // a CUevent
  // The same in the processor's memory. Fetches them where that is asked for first, and waits until
  // they are there. Any thread; not while it is sampled into.
  const float* planar();

 private:
  friend class GpuSampler;
  // Where a picture of so many bytes may be sampled to.
  float* make_room(std::size_t bytes);
  // After what writes it was put into `stream`.
  void sampled(void* stream) { planar_.in_use(stream); }

  Gpu& gpu_;
  Staging planar_;
  std::size_t bytes_ = 0;
  std::mutex fetching_;
  bool is_fetched_ = false;
};

// Scales frames as a Sampler of this size does, to 1e-5 of a normalised value: only sums are
// rounded in another order. One thread at a time. The GPU must live longer.
//
// Tables for a source geometry are made when it or the framing changes, which waits for the GPU;
// apart from that, a call puts a kernel into the frame's stream and returns. A picture
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
