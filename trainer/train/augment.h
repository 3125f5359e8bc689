// SPDX-License-Identifier: MIT
// Batches for training: one warp, one colour change, and what a camera adds, as tensor operations
// on any device.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <mutex>
#include <vector>

#include "trainer/data/decoded_set.h"
#include "trainer/train/augment_plan.h"
#include "trainer/train/jpeg.h"

namespace unetseg::trainer {

struct Batch {
  at::Tensor images;  // B x 3 x H x W, float, 0..1
  at::Tensor target;  // B x 1 x H x W, float: share of the pixel that is lesion
  at::Tensor found;   // likewise, as teachers find it in the picture as it was; undefined without
};

// A decoded training set on a device, giving batches of the network's input size. The decoded size
// may be a multiple of it: then enlarging views show real detail.
class BatchMaker {
 public:
  // `set` is borrowed and must outlive the object.
  BatchMaker(const DecodedSet& set, int width, int height, at::Device device);

  at::Device device() const { return device_; }

  // Samples `indices` as they are, scaled to the input size.
  Batch plain(const std::vector<std::int64_t>& indices) const;

  // Samples `indices` under their plans for (seed, epoch). A GPU draws noise of its own, again a
  // function of these.
  Batch augmented(const std::vector<std::int64_t>& indices, const AugmentationPolicy& policy,
                  std::uint64_t seed, std::uint64_t epoch) const;

 private:
  at::Tensor found_in(const at::Tensor& channels) const;  // undefined without teachers
  at::Tensor gather(const std::vector<std::int64_t>& indices) const;
  std::vector<SamplePlan> plans(const std::vector<std::int64_t>& indices,
                                const AugmentationPolicy& policy, std::uint64_t seed,
                                std::uint64_t epoch) const;

  void erase_lesions(const std::vector<SamplePlan>& plans, at::Tensor* images,
                     at::Tensor* target) const;
  void lay_artefacts(const std::vector<SamplePlan>& plans, at::Tensor* images) const;
  void degrade(const std::vector<SamplePlan>& plans, const std::vector<std::int64_t>& indices,
               std::uint64_t seed, std::uint64_t epoch, at::Tensor* images) const;

  const DecodedSet& set_;
  int width_, height_;
  at::Device device_;
  const JpegCompression jpeg_;
  at::Tensor data_;  // N x 4 or 5 x h x w, uint8: RGB, mask, and what teachers find
  // Layers x 4 x H x W, uint8: premultiplied RGB and opacity; drawn when first asked for, by one of
  // the threads that augment.
  const at::Tensor& artefacts() const;
  mutable std::once_flag artefacts_drawn_;
  mutable at::Tensor artefacts_;
  at::Tensor distance_;  // 1 x 1 x H x W: from the centre, in half heights of the input
};

}  // namespace unetseg::trainer
