// SPDX-License-Identifier: MIT
#include "model/engine/fused/chunks.h"

#include <algorithm>

namespace unetseg::fused {
namespace {

// Enough pixels to be worth a ticket, few enough to leave work for every thread.
int rows_in_chunk(int height, int width, int multiple, int pixels) {
  const int rows = std::max(1, pixels / width);
  return std::min(pieces(height, multiple) * multiple, pieces(rows, multiple) * multiple);
}

// Floats that hold `rows` activated rows with a pixel of padding on each side; in bfloat16 with
// room for a step beyond.
std::size_t padded_rows(const Layer& layer, int rows) {
  const std::size_t values = static_cast<std::size_t>(rows) *
                             static_cast<std::size_t>(layer.in_width + 2) *
                             static_cast<std::size_t>(layer.in_channels);
  return layer.method.way == Way::kBf16 ? (values + kBf16Step + 1) / 2 : values;
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
  // In bfloat16 pixels take so little time that large chunks pay, whose neighbours' rows are few;
  // but a picture is cut in four.
  constexpr int kPixels = 512, kBf16Pixels = 2048, kBf16Chunks = 4;
  switch (layer.method.way) {
    case Way::kTiled:
      return rows_in_chunk(layer.height, layer.width, layer.method.shape().out, kPixels);
    case Way::kBf16:
      return rows_in_chunk(layer.height, layer.width, layer.enlarged ? 2 : 1,
                           std::min(kBf16Pixels, layer.height * layer.width / kBf16Chunks));
    default:
      return rows_in_chunk(layer.height, layer.width, 1, kPixels);
  }
}

RowRange rows_of(int chunk, int rows, int height) {
  const int first = chunk * rows;
  return {first, std::min(rows, height - first)};
}

int tiles_down(const Layer& layer) {
  return pieces(layer.height, layer.method.shape().out);
}

int tiles_across(const Layer& layer) {
  return pieces(layer.width, layer.method.shape().out);
}

namespace {

// Rows of outputs whose moments are taken together.
int part_rows(const Layer& layer) {
  if (!layer.method.shared) return chunk_rows(layer);
  return layer.method.way == Way::kTiled ? layer.method.shape().out : layer.height;
}

}  // namespace

int parts_in_chunk(const Layer& layer) {
  if (layer.method.way != Way::kBf16) return 1;
  return layer.enlarged ? kEnlargedKernels : layer.at_once;
}

int moment_parts(const Layer& layer) {
  return pieces(layer.height, part_rows(layer)) * parts_in_chunk(layer);
}

int part_pixels(const Layer& layer, int part) {
  const int parts = parts_in_chunk(layer);
  return rows_of(part / parts, part_rows(layer), layer.height).count * layer.width / parts;
}

std::size_t number_step(int tiles, int channels) {
  return whole_lines(static_cast<std::size_t>(tiles) * static_cast<std::size_t>(channels)) + 16;
}

std::size_t raw_floats(const Layer& layer) {
  const std::size_t values = static_cast<std::size_t>(layer.height) *
                             static_cast<std::size_t>(layer.width) *
                             static_cast<std::size_t>(layer.out_channels);
  return layer.method.way == Way::kBf16 ? (values + 1) / 2 : values;
}

std::size_t shared_floats(const Layer& layer) {
  if (!layer.method.shared) return 0;
  return layer.method.way == Way::kTiled ? tiled_floats(layer, tiles_down(layer))
                                         : padded_rows(layer, layer.in_height + 2);
}

std::size_t own_floats(const Layer& layer) {
  if (layer.method.shared) return 0;
  const int rows = chunk_rows(layer);
  if (layer.method.way == Way::kTiled) return tiled_floats(layer, rows / layer.method.shape().out);
  if (layer.enlarged) return padded_rows(layer, rows / 2 + 2);
  return padded_rows(layer, (rows - 1) * layer.stride + layer.kernel);
}

}  // namespace unetseg::fused
