// SPDX-License-Identifier: MIT
#include "model/engine/fused/steps.h"

#include <algorithm>
#include <cmath>

#include "model/engine/fused/chunks.h"
#include "model/error.h"

namespace unetseg::fused {
namespace {

using Offset = std::ptrdiff_t;

struct Rows {
  int first, count;
};

Rows rows_of(int chunk, int rows, int height) {
  const int first = chunk * rows;
  return {first, std::min(rows, height - first)};
}

// A kernel's taps over padded rows.
struct Taps {
  Offset offsets[9];
  int count = 0;
};

// One layer's step, as the functions below need it.
class LayerSteps {
 public:
  LayerSteps(const PackedNetwork& network, const Memory& memory, const Frame& frame, int index)
      : kernels_(network.kernels),
        layer_(network.layers[static_cast<std::size_t>(index)]),
        memory_(memory),
        frame_(frame),
        index_(static_cast<std::size_t>(index)) {}

  std::vector<Stage> stages() const {
    const int bands = pieces(layer_.height, chunk_rows(layer_));
    if (!layer_.method.shared)
      return {
          stage(bands, layer_.method.tiled ? &LayerSteps::tiled_rows : &LayerSteps::direct_rows)};
    if (!layer_.method.tiled)
      return {stage(layer_.in_height + 2, &LayerSteps::load_shared),
              stage(pieces(layer_.out_channels, block()), &LayerSteps::convolve_shared)};
    return {stage(tiles_down(layer_), &LayerSteps::transform_shared),
            stage(products(), &LayerSteps::multiply_shared),
            stage(tiles_down(layer_), &LayerSteps::invert_shared)};
  }

  // Combines the parts' moments into what activates the layer (Chan, Golub and LeVeque, 1979).
  void normalise() const {
    constexpr double kEpsilon = 1e-5;  // of InstanceNorm
    const int parts = moment_parts(layer_);
    const double pixels = static_cast<double>(layer_.height) * layer_.width;
    for (int c = 0; c < layer_.out_channels; ++c) {
      double count = 0, mean = 0, squares = 0;
      for (int part = 0; part < parts; ++part) {
        const Moments moments = memory_.moments(layer_, part);
        const double n = pixels_of(part), sum = static_cast<double>(moments.sum[c]);
        const double own_mean = static_cast<double>(moments.shift[c]) + sum / n;
        const double own_squares = static_cast<double>(moments.square[c]) - sum * sum / n;
        const double apart = own_mean - mean;
        squares += own_squares + apart * apart * count * n / (count + n);
        mean += apart * n / (count + n);
        count += n;
      }
      const double variance = std::max(0.0, squares) / pixels;
      const double scale =
          static_cast<double>(layer_.gamma.data()[c]) / std::sqrt(variance + kEpsilon);
      memory_.scale[index_][c] = static_cast<float>(scale);
      memory_.offset[index_][c] =
          static_cast<float>(static_cast<double>(layer_.beta.data()[c]) - mean * scale);
    }
  }

 private:
  using Work = void (LayerSteps::*)(int chunk, unsigned thread) const;
  Stage stage(int chunks, Work work) const {
    const LayerSteps self = *this;
    return {chunks, [self, work](int chunk, unsigned thread) { (self.*work)(chunk, thread); }, {}};
  }

  int block() const { return kBlockRegisters * kernels_.lanes; }
  float* out() const { return memory_.raw[index_]; }

  double pixels_of(int part) const {
    if (layer_.method.shared && !layer_.method.tiled)
      return static_cast<double>(layer_.height) * layer_.width;
    const int rows = layer_.method.shared ? layer_.method.shape().out : chunk_rows(layer_);
    return static_cast<double>(rows_of(part, rows, layer_.height).count) * layer_.width;
  }

  // ---- Activated, padded rows

  Offset padded_pixel() const { return layer_.in_channels; }
  Offset padded_row() const { return Offset{layer_.in_width + 2} * layer_.in_channels; }

  // Rows first .. first + count - 1 of the input with a pixel of zeros on each side; rows outside
  // the picture are zero.
  void load(int first, int count, float* out) const {
    const auto pixel = static_cast<std::size_t>(layer_.in_channels);
    const auto row = static_cast<std::size_t>(padded_row());
    for (int i = 0; i < count; ++i, out += row) {
      const int y = first + i;
      if (y < 0 || y >= layer_.in_height) {
        std::fill_n(out, row, 0.0f);
        continue;
      }
      std::fill_n(out, pixel, 0.0f);
      std::fill_n(out + row - pixel, pixel, 0.0f);
      for (const Input& input : layer_.inputs) load_input(input, y, out + pixel + input.at);
    }
  }

  void load_input(const Input& input, int y, float* out) const {
    const Offset first = Offset{y} * layer_.in_width;
    if (input.first != kPicture)
      return kernels_.activate(memory_.term(input), first, layer_.in_width, out,
                               layer_.in_channels);
    const Offset plane = Offset{layer_.in_height} * layer_.in_width;
    const float* from = frame_.picture + first;
    for (int x = 0; x < layer_.in_width; ++x, ++from, out += layer_.in_channels)
      for (int c = 0; c < input.channels; ++c) out[c] = from[c * plane];
  }

  // ---- Direct convolution. `in`: padded rows, the first of which is the first that output row
  // `first_row` sees.

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
    job.out = out() + first_row * job.out_row_step + first_channel;
    job.rows = rows;
    job.width = layer_.width;
    job.moments = {moments.shift + first_channel, moments.sum + first_channel,
                   moments.square + first_channel};
    kernels_.direct(job);
  }

  void direct_rows(int chunk, unsigned thread) const {
    const Rows rows = rows_of(chunk, chunk_rows(layer_), layer_.height);
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
    const float* in = memory_.shared[index_];
    const Moments moments = memory_.moments(layer_, 0);
    convolve(in + (layer_.kernel == 1 ? padded_row() : 0), 0, layer_.height, first, channels,
             moments);
  }

  // ---- Tiles

  const TilingShape& shape() const { return layer_.method.shape(); }
  const TilingKernels& tiling() const { return kernels_.tilings[layer_.method.tiling]; }
  int numbers() const { return shape().numbers * shape().numbers; }
  int products() const { return shape().products * shape().products; }

  // Number that a product is made from: of Up's six, the third and fourth share one.
  int number_of(int product) const {
    const auto along = [&](int p) { return p - (layer_.method.tiling == kUp && p > 2); };
    return along(product / shape().products) * shape().numbers + along(product % shape().products);
  }

  // Some rows of tiles on their way: transformed input, then products.
  struct Tiles {
    int first, count;  // tile rows
    float* numbers;
    std::size_t number_step;
    float* products;
    std::size_t product_step;
  };

  Tiles tiles_in(float* memory, int first, int count) const {
    const int tiles = count * tiles_across(layer_);
    const std::size_t step = number_step(tiles, layer_.in_channels);
    return {first,
            count,
            memory,
            step,
            memory + static_cast<std::size_t>(numbers()) * step,
            number_step(tiles, layer_.out_channels)};
  }

  // `from`: the first of the tile rows that is to be done, counted in `tiles`.
  void transform(const Tiles& tiles, int from, int count) const {
    const Offset at = Offset{from} * tiles_across(layer_) * layer_.in_channels;
    const TileRows rows = {layer_.in_height, layer_.in_width, tiles.first + from, count,
                           tiles_across(layer_)};
    for (const Input& input : layer_.inputs)
      tiling().input({memory_.term(input), rows, tiles.numbers + at + input.at,
                      static_cast<Offset>(tiles.number_step), layer_.in_channels});
  }

  void multiply(const Tiles& tiles, int product) const {
    const Offset matrix = Offset{layer_.in_channels} * layer_.out_channels;
    kernels_.multiply(
        {tiles.numbers + static_cast<std::size_t>(number_of(product)) * tiles.number_step,
         layer_.in_channels, tiles.count * tiles_across(layer_), layer_.in_channels,
         layer_.weights.data() + product * matrix, layer_.out_channels,
         tiles.products + static_cast<std::size_t>(product) * tiles.product_step,
         layer_.out_channels});
  }

  void invert(const Tiles& tiles, int from, int count, const Moments& moments) const {
    const Offset at = Offset{from} * tiles_across(layer_) * layer_.out_channels;
    const TileRows rows = {layer_.height, layer_.width, tiles.first + from, count,
                           tiles_across(layer_)};
    tiling().output({tiles.products + at, static_cast<Offset>(tiles.product_step),
                     layer_.out_channels, rows, layer_.out_channels, out(), moments});
  }

  void tiled_rows(int chunk, unsigned thread) const {
    const int per_chunk = chunk_rows(layer_) / shape().out;
    const Rows rows = rows_of(chunk, per_chunk, tiles_down(layer_));
    const Tiles tiles = tiles_in(memory_.own[thread], rows.first, rows.count);
    transform(tiles, 0, rows.count);
    for (int product = 0; product < products(); ++product) multiply(tiles, product);
    invert(tiles, 0, rows.count, memory_.moments(layer_, chunk));
  }

  Tiles all_tiles() const { return tiles_in(memory_.shared[index_], 0, tiles_down(layer_)); }

  void transform_shared(int chunk, unsigned) const { transform(all_tiles(), chunk, 1); }
  void multiply_shared(int chunk, unsigned) const { multiply(all_tiles(), chunk); }
  void invert_shared(int chunk, unsigned) const {
    invert(all_tiles(), chunk, 1, memory_.moments(layer_, chunk));
  }

  const Kernels& kernels_;
  const Layer& layer_;
  const Memory& memory_;
  const Frame& frame_;
  const std::size_t index_;
};

// Logits and probabilities of four rows, from the heads at three sizes.
class HeadStep {
 public:
  HeadStep(const PackedNetwork& network, const Memory& memory, const Frame& frame)
      : network_(network), memory_(memory), frame_(frame) {}

  Stage stage() const {
    const HeadStep self = *this;
    return {
        network_.height / 4, [self](int chunk, unsigned thread) { self.rows(chunk, thread); }, {}};
  }

 private:
  void head_row(std::size_t which, int y, float* out) const {
    const Head& head = network_.heads[which];
    network_.kernels.head({memory_.term({head.node, kNoNode, head.channels, 0}),
                           head.weights.data(), head.bias, Offset{y} * head.width, head.width,
                           out});
  }

  static void add_enlarged(const float* small, int width, float* out) {
    for (int x = 0; x < width; ++x) out[x] += small[x / 2];
  }

  void rows(int chunk, unsigned thread) const {
    const int width = network_.width;
    float* quarter = memory_.own[thread];
    float* half = quarter + width;
    float* full = half + width;
    head_row(2, chunk, quarter);
    for (int i = 0; i < 4; ++i) {
      const int y = 4 * chunk + i;
      if (i % 2 == 0) {
        head_row(1, y / 2, half);
        add_enlarged(quarter, width / 2, half);
      }
      head_row(0, y, full);
      add_enlarged(half, width, full);
      if (!network_.kernels.sigmoid(full, width, frame_.probabilities + Offset{y} * width))
        throw Error(Fault::bad_result,
                    "the network gave a value that is not finite: the frame is left without a "
                    "mask");
    }
  }

  const PackedNetwork& network_;
  const Memory& memory_;
  const Frame& frame_;
};

}  // namespace

std::vector<Stage> make_steps(const PackedNetwork& network, const Memory& memory,
                              const Frame& frame) {
  std::vector<Stage> steps;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const LayerSteps layer(network, memory, frame, static_cast<int>(i));
    for (Stage& stage : layer.stages()) steps.push_back(std::move(stage));
    steps.back().finish = [layer] { layer.normalise(); };
  }
  steps.push_back(HeadStep(network, memory, frame).stage());
  return steps;
}

}  // namespace unetseg::fused
