// SPDX-License-Identifier: MIT
// The loss of a batch and its gradient, computed in shards that threads work through side by side.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "model/network/network.h"
#include "trainer/train/augment.h"
#include "trainer/train/config.h"
#include "trainer/train/gpu/gradient.h"

namespace unetseg::trainer {

// Samples do not depend on each other in these networks, so a batch need not go through them as
// one: on a CPU each shard is a few samples, small enough for the caches, and one thread takes it
// from augmentation to gradient without waiting for any other. Gradients are added in the shards'
// order. Shards have four samples, so any number of threads up to a quarter of the batch size gives
// the same digits; only beyond it do they get smaller. A GPU takes the batch whole, improved-unet
// with kernels of our own where it lies channels-last.
class BatchGradient {
 public:
  // `batches` is borrowed; `values` is the flat buffer of parameters, whose current contents each
  // call uses.
  BatchGradient(const Config& config, const std::vector<ParameterLayout>& layout,
                const at::Tensor& values, const BatchMaker& batches);

  // Samples as training sees them in `epoch`: with config.teacher_weight of what teachers find in
  // the target of those that show a lesion. Where a sample shows none the truth stays as it is, for
  // what a teacher finds in vain is not to be learnt. Up to a weight of a half the truth alone
  // decides, at 0.5, on pixels that lie wholly inside or outside of its lesion.
  Batch batch(const std::vector<std::int64_t>& indices, std::uint64_t epoch) const;

  // The loss, and its gradient in gradient(). `dropout` is of the whole batch, on the CPU. There
  // LibTorch itself must be set to one thread.
  double compute(const std::vector<std::int64_t>& indices, std::uint64_t epoch,
                 const DropoutMasks& dropout);

  // Flat like `values`. The caller may change it until the next compute().
  const at::Tensor& gradient() const { return shards_.front().gradient; }

  // What computes without waiting for the device; null where nothing can.
  gpu::Gradient* on_device() const { return on_device_.get(); }

 private:
  struct Shard {
    at::Tensor gradient;  // flat
    std::unique_ptr<Network> network;
    double loss = 0;
  };
  void compute_shard(Shard* shard, const std::vector<std::int64_t>& indices, std::uint64_t epoch,
                     const DropoutMasks& dropout, double share) const;

  const Config config_;
  const AugmentationPolicy policy_;
  const BatchMaker& batches_;
  std::int64_t shard_size_;
  std::vector<Shard> shards_;
  std::unique_ptr<gpu::Gradient> on_device_;
};

}  // namespace unetseg::trainer
