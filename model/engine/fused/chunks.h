// SPDX-License-Identifier: MIT
// How a layer's work is cut into chunks, and what memory they need. Nothing here depends on the
// number of threads: sums are taken chunk by chunk, so the digits do not either.
#pragma once

#include "model/engine/fused/packed_network.h"

namespace unetseg::fused {

// Rows of outputs that a chunk of a method that is not shared makes: whole tiles where it is tiled,
// pairs where the input is enlarged.
int chunk_rows(const Layer& layer);

// Tiles of the whole picture, down and across.
int tiles_down(const Layer& layer);
int tiles_across(const Layer& layer);

// Parts in which the output's moments are taken, and the pixels of one.
int moment_parts(const Layer& layer);
int part_pixels(const Layer& layer, int part);

// Outputs of an enlarged input are computed by four kernels in bfloat16, each with parts of its
// own, and so have outputs that are computed at once: all those of a chunk follow each other.
constexpr int kEnlargedKernels = 4;
int parts_in_chunk(const Layer& layer);

// Rows first .. first + count - 1 of a chunk of `rows` rows; the last chunk may have fewer.
struct RowRange {
  int first, count;
};
RowRange rows_of(int chunk, int rows, int height);

// Floats from the first number of all tiles to the second, likewise for products: a line more than
// they need, since at a power of two all would fall on a few places of the first cache.
std::size_t number_step(int tiles, int channels);

// Floats that a layer's raw output takes.
std::size_t raw_floats(const Layer& layer);

// Floats that all threads share within the layer, and that each thread has of its own.
std::size_t shared_floats(const Layer& layer);
std::size_t own_floats(const Layer& layer);

// ceil(whole / size)
int pieces(int whole, int size);

}  // namespace unetseg::fused
