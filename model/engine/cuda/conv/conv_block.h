// SPDX-License-Identifier: MIT
// What one block of threads does in a convolution, for the host and the device alike.
//
// A block makes a tile of pixels and channels of one image. The tile's input, activated, lies in
// shared memory; each warp multiplies some of its pixels, at all taps or, where warps share pixels,
// at some of them, with the weights, as matrices. `Machine` and `Matrices` are those of
// machine_device.h or machine_host.h.
#pragma once

#include "model/engine/cuda/conv/norms.h"

namespace unetseg::cuda {

// Of a grid.
struct BlockPlace {
  int x, y, z;
};

inline BlockPlace grid_of(const ConvPlan& plan) {
  return {plan.across * plan.groups, plan.down * phases_of(plan.form.kind), plan.form.images};
}

template <typename T, int kMTiles, int kNTiles, int kKSplits, typename Machine,
          template <typename> class MatricesOf>
class ConvBlock {
 public:
  using Matrices = MatricesOf<T>;
  static constexpr int kPixels = kMTiles * kMatrixRows;
  static constexpr int kTileHeight = kPixels / kTileWidth;
  static constexpr int kColumns = kNTiles * kMatrixColumns;
  static constexpr int kWarpsDown = kConvWarps / kKSplits;
  static constexpr int kTilesOfAWarp = kMTiles / kWarpsDown;
  static constexpr int kPackedPairs = (kNTiles + 1) / 2;
  static constexpr int kNumberBytes = sizeof(T);
  static_assert(kTilesOfAWarp * kWarpsDown == kMTiles, "each warp has whole tiles");

  UNETSEG_ON_BOTH ConvBlock(const ConvJob& its_job, const BlockPlace& place, char* its_memory,
                            const Machine& its_machine)
      : job(its_job),
        plan(its_job.plan),
        memory(its_memory),
        machine(its_machine),
        image(place.z),
        group(its_job.plan.by_across(place.x)),
        first_channel(group * kColumns),
        phase(is_enlarged() ? place.y % 4 : 0),
        top((is_enlarged() ? place.y / 4 : place.y) * kTileHeight),
        left((place.x - group * its_job.plan.across) * kTileWidth) {}

  UNETSEG_ON_BOTH void run() {
    machine.touch(job);
    typename Machine::template PerWarp<Sums> sums;
    for (int begin = 0; begin < plan.padded; begin += plan.chunk) {
      const bool is_last = begin + plan.chunk >= plan.padded;
      const Chunk chunk =
          is_last ? Chunk{begin, plan.last_chunk, plan.last_pixels_at_once, plan.by_last_vectors,
                          plan.by_last_blocks}
                  : Chunk{begin, plan.chunk, plan.pixels_at_once, plan.by_vectors, plan.by_blocks};
      machine.each([&](int thread) {
        list_steps(thread, chunk);
        if (begin == 0) {
          stage_weights(thread);
          machine.wait_for_those_before();
          machine.let_the_next_begin();
        }
        fetch(thread, chunk);
        if (begin == 0) make_norms(thread);
      });
      machine.each([&](int thread) {
        machine.copies_end();
        activate(thread, chunk);
      });
      machine.each_warp([&](int warp) {
        if (begin == 0) clear(&sums[warp]);
        if (plan.stages_weights)
          multiply(warp, chunk, reinterpret_cast<const T*>(memory + plan.weights), &sums[warp]);
        else
          multiply(warp, chunk, packed(), &sums[warp]);
      });
    }
    machine.each_warp([&](int warp) { put_down(warp, sums[warp]); });
    if (kKSplits > 1) machine.each([&](int thread) { join_splits(thread); });
    machine.each([&](int thread) {
      write(thread);
      sum_up(thread);
    });
    machine.each([&](int thread) { store_sums(thread); });
  }

 private:
  struct Sums {
    typename Matrices::C of[kTilesOfAWarp][kNTiles];
  };
  struct Chunk {
    int begin, size;  // of padded channels
    int pixels_at_once;
    Divider by_vectors, by_blocks;
  };
  struct alignas(16) Vector {
    T values[kVector];
  };

  UNETSEG_ON_BOTH bool is_enlarged() const { return plan.form.kind == ConvKind::enlarged; }
  UNETSEG_ON_BOTH ScaleShift* norms() const { return reinterpret_cast<ScaleShift*>(memory); }
  UNETSEG_ON_BOTH ConvStep* steps() const {
    return reinterpret_cast<ConvStep*>(memory + plan.steps);
  }
  UNETSEG_ON_BOTH float* partial_sums() const {
    return reinterpret_cast<float*>(memory + plan.input);
  }
  UNETSEG_ON_BOTH float* scratch() const { return reinterpret_cast<float*>(memory + plan.scratch); }

  // Of this block's channels.
  UNETSEG_ON_BOTH const T* packed() const {
    return static_cast<const T*>(job.weights) +
           static_cast<std::size_t>(phase * plan.packed_columns + first_channel / kPackedColumns) *
               plan.depth_blocks * kPackedBlock;
  }

  UNETSEG_ON_BOTH void stage_weights(int thread) const {
    if (!plan.stages_weights) return;
    const T* from = packed();
    const int vectors = kPackedPairs * plan.depth_blocks * (kPackedBlock / kVector);
    UNETSEG_UNROLL(4)
    for (int i = thread; i < vectors; i += kConvThreads)
      machine.copy(memory + plan.weights + i * 16, from + i * kVector);
  }

  UNETSEG_ON_BOTH void list_steps(int thread, const Chunk& chunk) const {
    const int blocks = chunk.size / kMatrixDepth, all_blocks = plan.padded / kMatrixDepth;
    for (int i = thread; i < plan.kernel * plan.kernel * blocks; i += kConvThreads) {
      const int tap = chunk.by_blocks(i), block = i - tap * blocks;
      const int y = tap >= 2 * plan.kernel ? 2 : tap >= plan.kernel ? 1 : 0;
      const int x = tap - y * plan.kernel;
      steps()[i] = {
          (y * plan.window_width + x) * plan.pitch + block * (kMatrixDepth * kNumberBytes),
          (tap * all_blocks + chunk.begin / kMatrixDepth + block) * kPackedBlock};
    }
  }

  // Of all maps' channels, one map after the other; different threads for each, if there are
  // enough.
  UNETSEG_ON_BOTH void make_norms(int thread) const {
    int before = 0;
    UNETSEG_UNROLL(1)
    for (int i = 0; i < plan.n_maps; ++i) {
      const NodeMap& map = job.maps[i];
      UNETSEG_UNROLL(1)
      for (int channel = (thread - before) & (kConvThreads - 1); channel < map.channels;
           channel += kConvThreads)
        norms()[before + channel] = norm_of(machine, map, image, channel);
      before += map.channels;
    }
  }

  // A thread's vector of channels of the input, the same at all of its pixels.
  struct Source {
    int channel;    // of its input's; at least as many as there are: zeros
    int channels;   // of its input
    int norm;       // of that channel in the first map; the second map's follow
    int first_map;  // of its input
    bool is_sum;    // of two maps
  };
  UNETSEG_ON_BOTH Source source_of(int padded_channel) const {
    if (padded_channel < plan.padded_first)
      return {padded_channel, plan.form.in_channels[0], padded_channel, 0, plan.form.is_sum[0]};
    const int channel = padded_channel - plan.padded_first;
    return {channel, plan.form.in_channels[1], plan.first_channels + channel, plan.first_maps,
            plan.form.is_sum[1]};
  }

  // `step(at, y, x)`: a place in the tile, in bytes, and the pixel of the input; y is negative
  // outside of it.
  template <typename Step>
  UNETSEG_ON_BOTH void each_pixel(int first, int step_size, int vector, Step step) const {
    const int from_y = top * plan.stride - plan.margin + (phase >> 1);
    const int from_x = left * plan.stride - plan.margin + (phase & 1);
    UNETSEG_UNROLL(2)
    for (int pixel = first; pixel < plan.window_pixels; pixel += step_size) {
      const int row = plan.by_window_width(pixel);
      const int y = from_y + row, x = from_x + (pixel - row * plan.window_width);
      const bool inside = static_cast<unsigned>(y) < static_cast<unsigned>(plan.form.in_height) &&
                          static_cast<unsigned>(x) < static_cast<unsigned>(plan.form.in_width);
      step(pixel * plan.pitch + vector * 16, inside ? y : -1, x);
    }
  }

  // Raw values to where they will be activated.
  UNETSEG_ON_BOTH void fetch(int thread, const Chunk& chunk) const {
    if (plan.form.reads_picture) return;
    const int vectors = chunk.size / kVector;
    const int pixel = chunk.by_vectors(thread), vector = thread - pixel * vectors;
    if (pixel >= chunk.pixels_at_once) return;
    const Source source = source_of(chunk.begin + vector * kVector);
    if (source.channel >= source.channels) return;
    const std::size_t begin = static_cast<std::size_t>(image) * plan.form.in_height *
                                  plan.form.in_width * source.channels +
                              source.channel;
    const T* first = static_cast<const T*>(job.maps[source.first_map].values) + begin;
    const T* second = source.is_sum
                          ? static_cast<const T*>(job.maps[source.first_map + 1].values) + begin
                          : nullptr;
    each_pixel(pixel, chunk.pixels_at_once, vector, [&](int at, int y, int x) {
      if (y < 0) return;
      const int offset = (y * plan.form.in_width + x) * source.channels;
      machine.copy(memory + plan.input + at, first + offset);
      if (source.is_sum) machine.copy(memory + plan.second + at, second + offset);
    });
  }

  UNETSEG_ON_BOTH void activate(int thread, const Chunk& chunk) const {
    if (plan.form.reads_picture) {
      take_picture(thread);
      return;
    }
    const int vectors = chunk.size / kVector;
    const int pixel = chunk.by_vectors(thread), vector = thread - pixel * vectors;
    if (pixel >= chunk.pixels_at_once) return;
    const Source source = source_of(chunk.begin + vector * kVector);
    const bool is_padding = source.channel >= source.channels;
    ScaleShift first[kVector] = {}, second[kVector] = {};
    if (!is_padding) load_norms(source.norm, first);
    if (!is_padding && source.is_sum) load_norms(source.norm + source.channels, second);
    each_pixel(pixel, chunk.pixels_at_once, vector, [&](int at, int y, int) {
      Vector* place = reinterpret_cast<Vector*>(memory + plan.input + at);
      Vector out = {};
      if (y >= 0 && !is_padding) {
        const Vector raw = *place;
        float values[kVector];
        for (int i = 0; i < kVector; ++i) values[i] = activated(to_float(raw.values[i]), first[i]);
        if (source.is_sum) {
          const Vector other = *reinterpret_cast<const Vector*>(memory + plan.second + at);
          for (int i = 0; i < kVector; ++i)
            values[i] += activated(to_float(other.values[i]), second[i]);
        }
        for (int i = 0; i < kVector; ++i) store(values[i], &out.values[i]);
      }
      *place = out;
    });
  }

  UNETSEG_ON_BOTH void load_norms(int channel, ScaleShift* to) const {
    for (int i = 0; i < kVector; ++i) to[i] = norms()[channel + i];
  }

  UNETSEG_ON_BOTH void take_picture(int thread) const {
    const std::size_t plane = static_cast<std::size_t>(plan.form.in_height) * plan.form.in_width;
    const float* picture = job.picture + image * kPictureChannels * plane;
    each_pixel(thread, kConvThreads, 0, [&](int at, int y, int x) {
      Vector colours = {};
      if (y >= 0)
        for (int i = 0; i < kPictureChannels; ++i)
          store(picture[i * plane + y * plan.form.in_width + x], &colours.values[i]);
      Vector* place = reinterpret_cast<Vector*>(memory + plan.input + at);
      place[0] = colours;
      place[1] = {};
    });
  }

  static UNETSEG_ON_BOTH void clear(Sums* sums) {
    for (auto& row : sums->of)
      for (auto& c : row) Matrices::clear(&c);
  }

  struct Operands {
    typename Matrices::A a[kTilesOfAWarp];
    typename Matrices::B b[kNTiles];
  };

  // A warp does some of the steps: all, or one after the other of those that share its pixels.
  UNETSEG_ON_BOTH void multiply(int warp, const Chunk& chunk, const T* weights, Sums* sums) const {
    const int down = warp / kKSplits, split = warp % kKSplits;
    typename Matrices::Rows rows[kTilesOfAWarp];
    for (int i = 0; i < kTilesOfAWarp; ++i)
      rows[i] = Matrices::rows([&](int row) {
        const int pixel = (down * kTilesOfAWarp + i) * kMatrixRows + row;
        const int y = pixel / kTileWidth, x = pixel % kTileWidth;
        return (y * plan.window_width + x) * plan.stride * plan.pitch;
      });
    const int depth = plan.kernel * plan.kernel * (chunk.size / kMatrixDepth);
    const int begin = split * depth / kKSplits, end = (split + 1) * depth / kKSplits;
    const int pairs_apart = plan.depth_blocks * kPackedBlock;
    const int which = first_channel / kMatrixColumns % 2;
    const char* input = memory + plan.input;
    UNETSEG_UNROLL(4)
    for (int k = begin; k < end; ++k) {
      const ConvStep step = steps()[k];
      Operands now;
      for (int j = 0; j < kPackedPairs; ++j) {
        const T* pair = weights + step.weights + j * pairs_apart;
        if constexpr (kNTiles == 1)
          Matrices::load_one(now.b, pair, which);
        else
          Matrices::load_pair(now.b + 2 * j, pair);
      }
      for (int i = 0; i < kTilesOfAWarp; ++i)
        Matrices::load(&now.a[i], input + step.input, rows[i]);
      for (int i = 0; i < kTilesOfAWarp; ++i)
        for (int j = 0; j < kNTiles; ++j) Matrices::multiply(&sums->of[i][j], now.a[i], now.b[j]);
    }
  }

  // Where the input was.
  UNETSEG_ON_BOTH void put_down(int warp, const Sums& sums) const {
    const int down = warp / kKSplits, split = warp % kKSplits;
    float* out = partial_sums() + split * kPixels * kColumns;
    for (int i = 0; i < kTilesOfAWarp; ++i)
      for (int j = 0; j < kNTiles; ++j)
        Matrices::each_pair(sums.of[i][j], [&](int row, int column, float first, float second) {
          float* at = out + ((down * kTilesOfAWarp + i) * kMatrixRows + row) * kColumns +
                      j * kMatrixColumns + column;
          machine.store_pair(at, first, second);
        });
  }

  UNETSEG_ON_BOTH void join_splits(int thread) const {
    for (int i = thread; i < kPixels * kColumns; i += kConvThreads) {
      float sum = partial_sums()[i];
      for (int split = 1; split < kKSplits; ++split)
        sum += partial_sums()[split * kPixels * kColumns + i];
      partial_sums()[i] = sum;
    }
  }

  UNETSEG_ON_BOTH bool is_inside(int pixel) const {
    return top + pixel / kTileWidth < plan.out_height && left + pixel % kTileWidth < plan.out_width;
  }

  UNETSEG_ON_BOTH void write(int thread) const {
    const int times = is_enlarged() ? 2 : 1, channels = plan.form.out_channels;
    const int width = plan.out_width * times;
    T* out = static_cast<T*>(job.raw) +
             static_cast<std::size_t>(image * plan.out_height * times) * width * channels +
             first_channel;
    for (int first = 0; first < kPixels * kNTiles; first += kConvThreads) {
      const int i = first + thread;
      const int pixel = i / kNTiles, column = i % kNTiles * kMatrixColumns;
      if (i >= kPixels * kNTiles || first_channel + column >= channels ||
          !(plan.is_even || is_inside(pixel)))
        continue;
      const float* sums = partial_sums() + pixel * kColumns + column;
      Vector vector;
      for (int k = 0; k < kVector; ++k) store(sums[k], &vector.values[k]);
      const int y = (top + pixel / kTileWidth) * times + (phase >> 1);
      const int x = (left + pixel % kTileWidth) * times + (phase & 1);
      *reinterpret_cast<Vector*>(out + (y * width + x) * channels + column) = vector;
    }
  }

  static constexpr int kLanes = kConvThreads / kColumns;
  static constexpr int kRounds = (kPixels + kLanes - 1) / kLanes;

  // A tile's first pixel is always there, and near the mean.
  UNETSEG_ON_BOTH void sum_up(int thread) const {
    const int column = thread % kColumns, lane = thread / kColumns;
    const float near = partial_sums()[column];
    float apart = 0, squares = 0;
    for (int round = 0; round < kRounds; ++round) {
      const int pixel = round * kLanes + lane;
      if (pixel >= kPixels || !(plan.is_even || is_inside(pixel))) continue;
      const float distance = partial_sums()[pixel * kColumns + column] - near;
      apart += distance;
      squares += distance * distance;
    }
    scratch()[thread] = apart;
    scratch()[kConvThreads + thread] = squares;
  }

  UNETSEG_ON_BOTH void store_sums(int thread) const {
    if (thread >= kColumns || first_channel + thread >= plan.form.out_channels) return;
    float apart = 0, squares = 0;
    for (int lane = 0; lane < kLanes; ++lane) {
      apart += scratch()[lane * kColumns + thread];
      squares += scratch()[kConvThreads + lane * kColumns + thread];
    }
    int pixels = kPixels;
    if (!plan.is_even) {
      const int rows = plan.out_height - top, columns = plan.out_width - left;
      pixels =
          (rows < kTileHeight ? rows : kTileHeight) * (columns < kTileWidth ? columns : kTileWidth);
    }
    add_up(machine, {apart, squares, partial_sums()[thread], pixels}, job, image,
           first_channel + thread);
  }

  const ConvJob& job;
  const ConvPlan& plan;
  char* const memory;
  const Machine& machine;
  const int image, group, first_channel;
  const int phase, top, left;
};

}  // namespace unetseg::cuda
