// SPDX-License-Identifier: MIT
// What one block of threads does for the heads: a square of the picture, of all levels.
#pragma once

#include "model/engine/cuda/conv/conv_block.h"

namespace unetseg::cuda {

constexpr int kHeads = 3;
constexpr int kMostHeadChannels = 1024;  // of all heads

template <typename T, typename Machine>
class HeadsBlock {
 public:
  static constexpr int kSide = 8;  // of the square, at level 0
  // Threads that share a pixel of a level, each with some of its channels.
  static UNETSEG_ON_BOTH constexpr int sharers(int level) { return level < 2 ? 4 : 8; }
  static UNETSEG_ON_BOTH constexpr int pixels(int level) {
    return (kSide >> level) * (kSide >> level);
  }
  static constexpr int kMostParts = kSide * kSide * 4;

  struct Shared {
    ScaleShift norms[kMostHeadChannels];
    float weights[kMostHeadChannels];
    float parts[kHeads][kMostParts];
  };

  UNETSEG_ON_BOTH HeadsBlock(const HeadsJob& its_job, const BlockPlace& place, Shared* its_shared,
                             const Machine& its_machine)
      : job(its_job),
        image(place.z),
        top(place.y * kSide),
        left(place.x * kSide),
        shared(its_shared),
        machine(its_machine) {}

  UNETSEG_ON_BOTH void run() const {
    machine.touch(job);
    machine.each([&](int thread) {
      each_channel(thread, [&](int head, int channel, int place) {
        shared->weights[place] = job.weights[head][channel];
      });
      machine.wait_for_those_before();
      machine.let_the_next_begin();
      each_channel(thread, [&](int head, int channel, int place) {
        shared->norms[place] = norm_of(machine, job.maps[head], image, channel);
      });
    });
    machine.each([&](int thread) {
      int before = 0;
      UNETSEG_UNROLL(3)
      for (int level = 0; level < kHeads; ++level) {
        // Coarse levels have few pixels: other threads for each.
        const int item = (thread + level * (kConvThreads / 4)) % kConvThreads;
        if (item < pixels(level) * sharers(level))
          shared->parts[level][item] = part(level, item, before);
        before += job.maps[level].channels;
      }
    });
    machine.each([&](int thread) {
      if (thread < pixels(0)) write(thread);
    });
  }

 private:
  struct alignas(16) Vector {
    T values[kVector];
  };

  // Heads' channels one after the other; different threads for each, if there are enough.
  template <typename Step>
  UNETSEG_ON_BOTH void each_channel(int thread, Step step) const {
    int before = 0;
    UNETSEG_UNROLL(1)
    for (int head = 0; head < kHeads; ++head) {
      UNETSEG_UNROLL(1)
      for (int channel = (thread - before) & (kConvThreads - 1); channel < job.maps[head].channels;
           channel += kConvThreads)
        step(head, channel, before + channel);
      before += job.maps[head].channels;
    }
  }

  // Of a pixel's sum, what one of its sharers adds; its level's channels begin at `before`.
  UNETSEG_ON_BOTH float part(int level, int item, int before) const {
    const NodeMap& map = job.maps[level];
    const int side = kSide >> level, pixel = item / sharers(level), sharer = item % sharers(level);
    const int y = (top >> level) + pixel / side, x = (left >> level) + pixel % side;
    const T* from =
        static_cast<const T*>(map.values) +
        static_cast<std::size_t>((image * (job.height >> level) + y) * (job.width >> level) + x) *
            map.channels;
    float sum = 0;
    for (int channel = sharer * kVector; channel < map.channels;
         channel += sharers(level) * kVector) {
      const Vector vector = machine.template load_vector<Vector>(from + channel);
      for (int i = 0; i < kVector; ++i)
        sum += activated(to_float(vector.values[i]), shared->norms[before + channel + i]) *
               shared->weights[before + channel + i];
    }
    return sum;
  }

  UNETSEG_ON_BOTH void write(int thread) const {
    const int y = thread / kSide, x = thread % kSide;
    float logit = job.bias;
    UNETSEG_UNROLL(3)
    for (int level = 0; level < kHeads; ++level) {
      const int pixel = (y >> level) * (kSide >> level) + (x >> level);
      for (int i = 0; i < sharers(level); ++i)
        logit += shared->parts[level][pixel * sharers(level) + i];
    }
    // Infinity minus itself is NaN, anything else 0.
    job.out[(static_cast<std::size_t>(image) * job.height + top + y) * job.width + left + x] =
        1 / (1 + expf(-logit)) + (logit - logit);
  }

  const HeadsJob& job;
  const int image, top, left;
  Shared* const shared;
  const Machine& machine;
};

template <typename T, typename Machine>
BlockPlace grid_of(const HeadsJob& job) {
  constexpr int kSide = HeadsBlock<T, Machine>::kSide;
  return {job.width / kSide, job.height / kSide, job.images};
}

}  // namespace unetseg::cuda
