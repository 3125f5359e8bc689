// SPDX-License-Identifier: MIT
// A CPU's stand-ins.
#pragma once

#include <utility>

#include "trainer/train/gpu/queue.h"

namespace unetseg::trainer::gpu {

class HostMark final : public Mark {
 public:
  void set() override {}
  void wait() override {}
};

class HostWork final : public CapturedWork {
 public:
  explicit HostWork(std::function<void()> work) : work_(std::move(work)) {}
  void replay() override { work_(); }

 private:
  const std::function<void()> work_;
};

}  // namespace unetseg::trainer::gpu
