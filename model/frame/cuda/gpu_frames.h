// SPDX-License-Identifier: MIT
// Sampling and drawing for frames that lie in a GPU's memory: what a session has of a GPU.
#pragma once

#include <memory>

#include "model/frame/cuda/gpu_painter.h"
#include "model/frame/cuda/gpu_sampler.h"
#include "model/frame/cuda/kernel_check.h"

namespace unetseg {

class GpuFrames {
 public:
  // For an input of this size. Throws as check_kernels() does.
  GpuFrames(std::unique_ptr<Gpu> gpu, int width, int height, const Normalisation& normalisation)
      : gpu_(std::move(gpu)), sampler_(*gpu_, width, height, normalisation), painter_(*gpu_) {
    check_kernels(*gpu_);
  }

  std::unique_ptr<GpuPicture> make_picture() { return std::make_unique<GpuPicture>(*gpu_); }
  GpuSampler& sampler() { return sampler_; }
  GpuPainter& painter() { return painter_; }

 private:
  std::unique_ptr<Gpu> gpu_;
  GpuSampler sampler_;
  GpuPainter painter_;
};

}  // namespace unetseg
