// SPDX-License-Identifier: MIT
// Layers that are computed tile by tile, after Winograd, in float32.
#include "model/engine/fused/chunks.h"
#include "model/engine/fused/layer_steps.h"

namespace unetseg::fused {
namespace {

class TiledSteps : private LayerSteps {
 public:
  explicit TiledSteps(const LayerSteps& layer) : LayerSteps(layer) {}

  std::vector<Stage> stages() const {
    if (!layer_.method.shared)
      return {stage(*this, pieces(layer_.height, chunk_rows(layer_)), &TiledSteps::rows)};
    return {stage(*this, tiles_down(layer_), &TiledSteps::transform_shared),
            stage(*this, products(), &TiledSteps::multiply_shared),
            stage(*this, tiles_down(layer_), &TiledSteps::invert_shared)};
  }

 private:
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
      tiling().input({memory_.term<float>(input), rows, tiles.numbers + at + input.at,
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
                     layer_.out_channels, rows, layer_.out_channels, memory_.raw[index_], moments});
  }

  void rows(int chunk, unsigned thread) const {
    const int per_chunk = chunk_rows(layer_) / shape().out;
    const RowRange rows = rows_of(chunk, per_chunk, tiles_down(layer_));
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
};

}  // namespace

std::vector<Stage> tiled_stages(const LayerSteps& layer) {
  return TiledSteps(layer).stages();
}

}  // namespace unetseg::fused
