// SPDX-License-Identifier: MIT
// Trained networks that another learns from: what they find is mixed into the truth.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "model/network/network.h"
#include "model/storage/model_card.h"
#include "trainer/train/augment.h"
#include "trainer/train/config.h"

namespace unetseg::trainer {

// Reads the files of config.teacher and returns their tensors' SHA-256, in that order. Throws
// Error(settings) where one cannot teach this run (its outputs are no probabilities, or it takes
// pictures otherwise), and as read_safetensors() does.
std::vector<std::string> teacher_hashes(const Config& config);

// The mean of what config.teacher's networks find, each at its own input size. Any number of
// threads at the same time.
class Teacher {
 public:
  // On config.device, in its precision and memory format. Throws as teacher_hashes() does.
  explicit Teacher(const Config& config);

  // B x 1 x H x W, float: `batch.target`, with config.teacher_weight of what the networks find in
  // `batch.images` where a sample shows a lesion. Where it shows none the truth stays as it is,
  // for what a teacher finds in vain is not to be learnt. Up to a weight of a half the truth alone
  // decides which pixels are lesion, at 0.5.
  at::Tensor softened(const Batch& batch) const;

 private:
  struct Member {
    ModelCard card;
    std::unique_ptr<Network> network;
    at::Tensor mean, stddev;  // 1 x 3 x 1 x 1
  };
  at::Tensor probabilities(const Member& member, const at::Tensor& images) const;

  double weight_;
  int symmetries_;  // how many copies of a picture each network looks at
  at::ScalarType type_;
  at::MemoryFormat format_;
  std::vector<Member> members_;
};

}  // namespace unetseg::trainer
