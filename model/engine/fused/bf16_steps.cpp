// SPDX-License-Identifier: MIT
// Layers in bfloat16. An enlarged input is convolved as it is, by one kernel of 2x2 taps for each
// of the four outputs that a pixel becomes.
#include <algorithm>

#include "model/engine/fused/chunks.h"
#include "model/engine/fused/layer_steps.h"

namespace unetseg::fused {
namespace {

class Bf16Steps : private LayerSteps {
 public:
  explicit Bf16Steps(const LayerSteps& layer) : LayerSteps(layer) {}

  std::vector<Stage> stages() const {
    if (!layer_.method.shared)
      return {stage(*this, pieces(layer_.height, chunk_rows(layer_)), &Bf16Steps::rows)};
    return {stage(*this, layer_.in_height + 2, &Bf16Steps::load_shared),
            stage(*this, pieces(layer_.out_channels, kShare), &Bf16Steps::convolve_shared)};
  }

 private:
  static constexpr int kShare = 2 * kBf16Columns;  // output channels of a chunk of shared weights

  // All memory is floats; pairs of values take the place of one.
  static Bf16* values(float* memory) { return reinterpret_cast<Bf16*>(memory); }

  Bf16* out() const { return values(memory_.raw[index_]); }

  // What convolutions read beyond the last of `rows` padded rows.
  void end(Bf16* in, int rows) const { std::fill_n(in + rows * padded_row(), kBf16Step, Bf16{}); }

  // `in`: padded rows, the first of which is the first that output row `first_row` sees.
  void convolve(const Bf16* in, RowRange rows, int first_channel, int channels,
                int first_part) const {
    if (layer_.enlarged) return convolve_enlarged(in, rows, first_channel, channels, first_part);
    Bf16Job job{};
    // A 1x1 kernel sees the pixel itself: one to the right of the padding.
    job.in = in + (layer_.kernel == 1 ? padded_pixel() : 0);
    job.in_row_step = layer_.stride * padded_row();
    job.in_pixel_step = layer_.stride * layer_.at_once * padded_pixel();
    job.out_pixel_step = Offset{layer_.at_once} * layer_.out_channels;
    job.out_row_step = Offset{layer_.width} * layer_.out_channels;
    job.out = out() + rows.first * job.out_row_step + first_channel;
    job.rows = rows.count;
    job.width = layer_.width / layer_.at_once;
    run(job, 0, first_channel, layer_.at_once * channels, first_part);
  }

  void convolve_enlarged(const Bf16* in, RowRange rows, int first_channel, int channels,
                         int first_part) const {
    for (int kernel = 0; kernel < kEnlargedKernels; ++kernel) {
      const int down = kernel / 2, across = kernel % 2;
      const Offset pixel = layer_.out_channels, row = layer_.width * pixel;
      Bf16Job job{};
      job.in = in + down * padded_row() + across * padded_pixel();
      job.in_row_step = padded_row();
      job.in_pixel_step = padded_pixel();
      job.out_pixel_step = 2 * pixel;
      job.out_row_step = 2 * row;
      job.out = out() + (rows.first + down) * row + across * pixel + first_channel;
      job.rows = rows.count / 2;
      job.width = layer_.in_width;
      run(job, kernel, first_channel, channels, first_part + kernel);
    }
  }

  // With the `which`th kernel.
  void run(Bf16Job job, int which, int first_channel, int channels, int part) const {
    job.steps = layer_.bf16_steps.data();
    job.n_steps = static_cast<int>(layer_.bf16_steps.size());
    const Offset column = Offset{job.n_steps} * kBf16Step;
    job.weights =
        layer_.bf16_weights.data() + (Offset{which} * layer_.out_channels + first_channel) * column;
    job.out_channels = channels;
    job.moments = memory_.moments(layer_, part).from(first_channel);
    kernels_.bf16->convolve(job);
  }

  // Input rows that some rows of outputs see.
  RowRange seen(RowRange rows) const {
    if (layer_.enlarged) return {rows.first / 2 - 1, rows.count / 2 + 2};
    return {rows.first * layer_.stride - layer_.kernel / 2,
            (rows.count - 1) * layer_.stride + layer_.kernel};
  }

  void rows(int chunk, unsigned thread) const {
    const RowRange rows = rows_of(chunk, chunk_rows(layer_), layer_.height);
    const RowRange from = seen(rows);
    Bf16* band = values(memory_.own[thread]);
    load(from.first, from.count, band);
    end(band, from.count);
    convolve(band, rows, 0, layer_.out_channels, chunk * parts_in_chunk(layer_));
  }

  void load_shared(int chunk, unsigned) const {
    Bf16* all = values(memory_.shared[index_]);
    load(chunk - 1, 1, all + chunk * padded_row());
    if (chunk == layer_.in_height + 1) end(all, layer_.in_height + 2);
  }

  void convolve_shared(int chunk, unsigned) const {
    const int first = chunk * kShare, channels = std::min(kShare, layer_.out_channels - first);
    const Bf16* in = values(memory_.shared[index_]) + (layer_.kernel == 1 ? padded_row() : 0);
    convolve(in, {0, layer_.height}, first, channels, 0);
  }
};

}  // namespace

std::vector<Stage> bf16_stages(const LayerSteps& layer) {
  return Bf16Steps(layer).stages();
}

}  // namespace unetseg::fused
