// SPDX-License-Identifier: MIT
// The kernels that draw a probability map onto a frame in its own format: their arguments, and what
// a block of threads does. Each byte becomes what the Painter makes of it.
//
// A block draws a tile of an overlay, each thread two by two pixels of it: the samples of any
// subsampled chroma belong to one thread. A pixel's probability is enlarged from the map where it
// is needed; distances to the contour are gathered from the chords that pass the tile's strip of
// rows. Only samples that something covers are read and written.
#pragma once

#include <cfloat>
#include <cstddef>
#include <cstdint>

#include "model/frame/chord.h"
#include "model/frame/on_gpu.h"
#include "model/mask/neighbours.h"

namespace unetseg {

constexpr int kTileWidth = 64, kTileRows = 16;  // pixels
constexpr int kDrawingThreads = kTileWidth / 2 * kTileRows / 2;
constexpr int kChordBatch = kDrawingThreads / kTileRows;

// Pointers in jobs are the GPU's.
struct PlaneRows {
  std::uint8_t* first;
  std::ptrdiff_t stride;
};

struct EnlargedMap {
  const float* values;
  int columns;
  const Neighbours* across;  // for each column of the frame; left is -1 outside of the map's part
  const Neighbours* down;    // for each row, likewise
  float level;               // from which a pixel is lesion
};

struct OverlayJob {
  struct Component {
    int plane, offset, step;  // in bytes
    int shift_x, shift_y;
    int fill, contour;  // codes
  };

  PlaneRows plane[3];
  int width, height, components, value_bytes;
  Component component[3];
  int fill_alpha, contour_alpha;  // 0: none is drawn
  EnlargedMap map;
  // Strip i is the rows from i * kTileRows on; the chords that may cover pixels of it are
  // chords[crossing[k]] for k from strips[i] to strips[i + 1] - 1.
  const Chord* chords;
  const int* strips;
  const int* crossing;
  double reach;                  // of the contour
  int first_strip, strip_count;  // that the grid covers

  int tiles_across() const { return (width + kTileWidth - 1) / kTileWidth; }
};

// Writes one byte a pixel.
struct ValuesJob {
  PlaneRows plane;
  int width, height, offset, step;
  bool mask;  // 0 or 255 instead of round(255 p)
  EnlargedMap map;
};

// What a block's threads share: each one's pixels, and a batch of chords as each row sees them.
struct OverlayScratch {
  struct Seen {
    Run pixels;
    ChordView view;
  };
  float nearest[4][kDrawingThreads];  // squares of distances
  Seen seen[kChordBatch][kTileRows];
};

namespace drawing {

struct Pixel {
  bool in_part;
  float probability;
};

UNETSEG_ON_GPU inline Pixel enlarged(const EnlargedMap& map, int x, int y) {
  const Neighbours across = map.across[x], down = map.down[y];
  if (across.left < 0 || down.left < 0) return {false, 0};
  const float* above = map.values + static_cast<std::ptrdiff_t>(down.left) * map.columns;
  const float* below = down.right_weight > 0 ? above + map.columns : above;
  const int left = across.left, right = left + 1 < map.columns ? left + 1 : left;
  return {true,
          between(between(above[left], below[left], down.right_weight),
                  between(above[right], below[right], down.right_weight), across.right_weight)};
}

UNETSEG_ON_GPU inline bool is_lesion(const EnlargedMap& map, int x, int y) {
  const Pixel pixel = enlarged(map, x, y);
  return pixel.in_part && pixel.probability >= map.level;
}

UNETSEG_ON_GPU inline int over_255(int sum) {
  return (sum + 127) / 255;
}

UNETSEG_ON_GPU inline int toward(int value, int ink, int alpha) {
  return over_255(value * (255 - alpha) + ink * alpha);
}

// The pixels of one thread: two by two from (x, y) on.
struct Quad {
  int x, y;
};

UNETSEG_ON_GPU inline Quad quad_of(int tile_x, int strip, int thread) {
  constexpr int kAcross = kTileWidth / 2;
  return {tile_x * kTileWidth + thread % kAcross * 2, strip * kTileRows + thread / kAcross * 2};
}

// What covers a thread's pixels. Beyond the frame's last column and row these are repeated: there a
// sample has the mean of those within.
struct Covered {
  bool fill[2][2];
  int contour[2][2];  // 0..255
  bool any;
};

UNETSEG_ON_GPU inline Covered covered(const OverlayJob& job, const Quad& quad, int thread,
                                      const OverlayScratch& scratch) {
  Covered c = {};
  const float reach = static_cast<float>(job.reach);
  for (int i = 0; i < 4; ++i) {
    const int v = quad.y + i / 2 < job.height ? i / 2 : 0;
    const int u = quad.x + i % 2 < job.width ? i % 2 : 0;
    const bool fill = job.fill_alpha > 0 && is_lesion(job.map, quad.x + u, quad.y + v);
    const int contour =
        static_cast<std::uint8_t>(coverage_within(reach, scratch.nearest[2 * v + u][thread]));
    c.fill[i / 2][i % 2] = fill;
    c.contour[i / 2][i % 2] = contour;
    c.any = c.any || fill || contour > 0;
  }
  return c;
}

// A sample whose first pixel is pixel (u, v) of the thread's.
UNETSEG_ON_GPU inline void blend_sample(const OverlayJob& job, const OverlayJob::Component& part,
                                        const Quad& quad, int u, int v, const Covered& c) {
  const int shift = part.shift_x + part.shift_y, half = (1 << shift) / 2;
  int pixels = 0, coverage = 0;
  for (int dy = 0; dy < 2; ++dy)
    for (int dx = 0; dx < 2; ++dx) {
      if (dy > part.shift_y || dx > part.shift_x) continue;
      pixels += c.fill[(v + dy) % 2][(u + dx) % 2];
      coverage += c.contour[(v + dy) % 2][(u + dx) % 2];
    }
  const int fill = (job.fill_alpha * pixels + half) >> shift;
  const int contour = over_255(((coverage + half) >> shift) * job.contour_alpha);
  if (fill == 0 && contour == 0) return;
  const PlaneRows& plane = job.plane[part.plane];
  std::uint8_t* at = plane.first + ((quad.y + v) >> part.shift_y) * plane.stride +
                     static_cast<std::ptrdiff_t>((quad.x + u) >> part.shift_x) * part.step +
                     part.offset;
  if (job.value_bytes == 1) {
    *at = static_cast<std::uint8_t>(toward(toward(*at, part.fill, fill), part.contour, contour));
  } else {
    const int code = (at[0] | at[1] << 8) >> 6;
    const int word = toward(toward(code, part.fill, fill), part.contour, contour) << 6;
    at[0] = static_cast<std::uint8_t>(word);
    at[1] = static_cast<std::uint8_t>(word >> 8);
  }
}

UNETSEG_ON_GPU inline void blend_quad(const OverlayJob& job, const Quad& quad, const Covered& c) {
  for (int i = 0; i < job.components; ++i) {
    const OverlayJob::Component& part = job.component[i];
    // Loops of fixed length keep what covers the pixels in registers.
    for (int v = 0; v < 2; ++v)
      for (int u = 0; u < 2; ++u) {
        const bool begins_sample = (v & part.shift_y) == 0 && (u & part.shift_x) == 0;
        if (begins_sample && quad.y + v < job.height && quad.x + u < job.width)
          blend_sample(job, part, quad, u, v, c);
      }
  }
}

// What row `row` of the tile sees of a chord: no pixel where it cannot come close.
UNETSEG_ON_GPU inline OverlayScratch::Seen seen(const OverlayJob& job, const Chord& chord,
                                                int tile_x, int row) {
  const double y = row + 0.5;
  OverlayScratch::Seen seen = {{0, 0}, {}};
  if (!begins_above(chord, y, job.reach) || ends_above(chord, y, job.reach)) return seen;
  const Run run = reached(chord, y, job.reach, job.width);
  const int left = tile_x * kTileWidth;
  if (run.first < left + kTileWidth && run.last > left)
    seen = {run, seen_from(chord, run.first, y)};
  return seen;
}

UNETSEG_ON_GPU inline void approach(const Quad& quad, int rows_above, int n, int thread,
                                    OverlayScratch& scratch) {
  for (int i = 0; i < 4; ++i) {
    const int x = quad.x + i % 2, row = quad.y + i / 2 - rows_above;
    float nearest = scratch.nearest[i][thread];
    for (int k = 0; k < n; ++k) {
      const OverlayScratch::Seen& seen = scratch.seen[k][row];
      if (seen.pixels.first <= x && x < seen.pixels.last)
        nearest = std::min(nearest, squared_distance(seen.view, x - seen.pixels.first));
    }
    scratch.nearest[i][thread] = nearest;
  }
}

}  // namespace drawing

// Tile `tile_x` of a strip. `block.each(step)` calls step(t) for each thread t below
// kDrawingThreads and returns when all are done.
template <typename Block>
UNETSEG_ON_GPU void overlay_block(const OverlayJob& job, int tile_x, int strip, Block block,
                                  OverlayScratch& scratch) {
  block.each([&](int thread) {
    for (int i = 0; i < 4; ++i) scratch.nearest[i][thread] = FLT_MAX;
  });
  const int first = job.contour_alpha > 0 ? job.strips[strip] : 0;
  const int last = job.contour_alpha > 0 ? job.strips[strip + 1] : 0;
  for (int batch = first; batch < last; batch += kChordBatch) {
    const int n = last - batch < kChordBatch ? last - batch : kChordBatch;
    block.each([&](int thread) {
      const int k = thread / kTileRows, row = thread % kTileRows;
      if (k < n)
        scratch.seen[k][row] = drawing::seen(job, job.chords[job.crossing[batch + k]], tile_x,
                                             strip * kTileRows + row);
    });
    block.each([&](int thread) {
      drawing::approach(drawing::quad_of(tile_x, strip, thread), strip * kTileRows, n, thread,
                        scratch);
    });
  }
  block.each([&](int thread) {
    const drawing::Quad quad = drawing::quad_of(tile_x, strip, thread);
    if (quad.x >= job.width || quad.y >= job.height) return;
    const drawing::Covered c = drawing::covered(job, quad, thread, scratch);
    if (c.any) drawing::blend_quad(job, quad, c);
  });
}

UNETSEG_ON_GPU inline void write_value(const ValuesJob& job, int x, int y) {
  const drawing::Pixel pixel = drawing::enlarged(job.map, x, y);
  const bool lesion = pixel.in_part && pixel.probability >= job.map.level;
  job.plane.first[y * job.plane.stride + static_cast<std::ptrdiff_t>(x) * job.step + job.offset] =
      job.mask ? (lesion ? 255 : 0) : static_cast<std::uint8_t>(255 * pixel.probability + 0.5f);
}

}  // namespace unetseg
