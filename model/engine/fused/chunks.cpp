// SPDX-License-Identifier: MIT
#include "model/engine/fused/chunks.h"

#include <algorithm>

namespace unetseg::fused {
namespace {

// Enough pixels to be worth a ticket, few enough to leave work for every thread.
int rows_of(int height, int width, int multiple) {
  constexpr int kPixels = 512;
  const int rows = std::max(1, kPixels / width);
  return std::min(pieces(height, multiple) * multiple, pieces(rows, multiple) * multiple);
}

std::size_t padded_rows(const Layer& layer, int rows) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(layer.in_width + 2) *
         static_cast<std::size_t>(layer.in_channels);
}

// Transformed input and products.
std::size_t tiled_floats(const Layer& layer, int tile_rows) {
  const TilingShape& shape = layer.method.shape();
  const int tiles = tile_rows * tiles_across(layer);
  return static_cast<std::size_t>(shape.numbers * shape.numbers) *
             number_step(tiles, layer.in_channels) +
         static_cast<std::size_t>(shape.products * shape.products) *
             number_step(tiles, layer.out_channels);
}

}  // namespace

int pieces(int whole, int size) {
  return (whole + size - 1) / size;
}

int chunk_rows(const Layer& layer) {
  return rows_of(layer.height, layer.width, layer.method.tiled ? layer.method.shape().out : 1);
}

int tiles_down(const Layer& layer) {
  return pieces(layer.height, layer.method.shape().out);
}

int tiles_across(const Layer& layer) {
  return pieces(layer.width, layer.method.shape().out);
}

int moment_parts(const Layer& layer) {
  if (!layer.method.shared) return pieces(layer.height, chunk_rows(layer));
  return layer.method.tiled ? tiles_down(layer) : 1;
}

std::size_t number_step(int tiles, int channels) {
  return whole_lines(static_cast<std::size_t>(tiles) * static_cast<std::size_t>(channels)) + 16;
}

std::size_t shared_floats(const Layer& layer) {
  if (!layer.method.shared) return 0;
  return layer.method.tiled ? tiled_floats(layer, tiles_down(layer))
                            : padded_rows(layer, layer.in_height + 2);
}

std::size_t own_floats(const Layer& layer) {
  if (layer.method.shared) return 0;
  const int rows = chunk_rows(layer);
  return layer.method.tiled ? tiled_floats(layer, rows / layer.method.shape().out)
                            : padded_rows(layer, (rows - 1) * layer.stride + layer.kernel);
}

}  // namespace unetseg::fused
