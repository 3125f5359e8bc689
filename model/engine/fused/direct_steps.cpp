// SPDX-License-Identifier: MIT
// Layers that are computed as sums over taps, in float32.
#include <algorithm>

#include "model/engine/fused/chunks.h"
#include "model/engine/fused/layer_steps.h"

namespace unetseg::fused {
namespace {

// A kernel's taps over padded rows.
struct Taps {
  Offset offsets[9];
  int count = 0;
};

class DirectSteps : private LayerSteps {
 public:
  explicit DirectSteps(const LayerSteps& layer) : LayerSteps(layer) {}

  std::vector<Stage> stages() const {
    if (!layer_.method.shared)
      return {stage(*this, pieces(layer_.height, chunk_rows(layer_)), &DirectSteps::rows)};
    return {stage(*this, layer_.in_height + 2, &DirectSteps::load_shared),
            stage(*this, pieces(layer_.out_channels, block()), &DirectSteps::convolve_shared)};
  }

 private:
  int block() const { return kBlockRegisters * kernels_.lanes; }

  // `in`: padded rows, the first of which is the first that output row `first_row` sees.
  void convolve(const float* in, int first_row, int rows, int first_channel, int channels,
                const Moments& moments) const {
    // A 1x1 kernel sees the pixel itself: one to the right of the padding.
    const Offset left = layer_.kernel == 1 ? padded_pixel() : 0;
    Taps taps;
    for (int y = 0; y < layer_.kernel; ++y)
      for (int x = 0; x < layer_.kernel; ++x)
        taps.offsets[taps.count++] = y * padded_row() + x * padded_pixel() + left;
    DirectJob job{};
    job.in = in;
    job.in_row_step = layer_.stride * padded_row();
    job.in_pixel_step = layer_.stride * padded_pixel();
    job.taps = taps.offsets;
    job.n_taps = taps.count;
    job.channels = layer_.in_channels;
    job.weights = layer_.weights.data() + Offset{first_channel} * taps.count * layer_.in_channels;
    job.out_channels = channels;
    job.out_pixel_step = layer_.out_channels;
    job.out_row_step = Offset{layer_.width} * layer_.out_channels;
    job.out = memory_.raw[index_] + first_row * job.out_row_step + first_channel;
    job.rows = rows;
    job.width = layer_.width;
    job.moments = moments.from(first_channel);
    kernels_.direct(job);
  }

  void rows(int chunk, unsigned thread) const {
    const RowRange rows = rows_of(chunk, chunk_rows(layer_), layer_.height);
    float* band = memory_.own[thread];
    load(rows.first * layer_.stride - layer_.kernel / 2,
         (rows.count - 1) * layer_.stride + layer_.kernel, band);
    convolve(band, rows.first, rows.count, 0, layer_.out_channels, memory_.moments(layer_, chunk));
  }

  void load_shared(int chunk, unsigned) const {
    load(chunk - 1, 1, memory_.shared[index_] + chunk * padded_row());
  }

  void convolve_shared(int chunk, unsigned) const {
    const int first = chunk * block();
    const int channels = std::min(block(), layer_.out_channels - first);
    const float* in = memory_.shared[index_] + (layer_.kernel == 1 ? padded_row() : 0);
    convolve(in, 0, layer_.height, first, channels, memory_.moments(layer_, 0));
  }
};

}  // namespace

std::vector<Stage> direct_stages(const LayerSteps& layer) {
  return DirectSteps(layer).stages();
}

}  // namespace unetseg::fused
