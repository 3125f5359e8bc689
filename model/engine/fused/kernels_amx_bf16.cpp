// SPDX-License-Identifier: MIT
// Convolutions in bfloat16 with AMX: a tile of sums is up to sixteen neighbours in a row by sixteen
// columns, and an instruction adds the products of a whole step of kBf16Step values to it.
#include "model/engine/fused/bf16_pixels.h"
#include "model/engine/fused/blocks.h"
#include "model/engine/fused/kernel_templates.h"
#include "model/engine/fused/variants.h"

namespace unetseg::fused {
namespace {

using R = Bf16Registers;
using Offset = std::ptrdiff_t;

constexpr int kTileRows = 16, kTileBytes = 64;  // of a row

// The library's own are shared with code for other processors.
constexpr int least(int a, int b) {
  return a < b ? a : b;
}
constexpr int most(int a, int b) {
  return a > b ? a : b;
}

// Palette 1, as LDTILECFG reads it.
struct alignas(64) TileConfiguration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};

// From the first on are sums, then pixels, then weights.
constexpr int kMostSums = 5, kPixels = 5, kWeights = 6, kTiles = 8;

void configure(int pixels) {
  TileConfiguration c;
  for (int tile = 0; tile < kTiles; ++tile) {
    c.rows[tile] = static_cast<std::uint8_t>(tile < kWeights ? pixels : kTileRows);
    c.row_bytes[tile] = kTileBytes;
  }
  asm volatile("ldtilecfg %0" ::"m"(c));
}

void release() {
  asm volatile("tilerelease");
}

// Tiles are named by number, which the compiler's own functions take from no template.
template <int Tile>
UNETSEG_INLINE void zero() {
  asm volatile("tilezero %%tmm%c0" ::"i"(Tile));
}
template <int Tile>
UNETSEG_INLINE void load(const void* from, Offset step) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(step), "i"(Tile));
}
template <int Tile>
UNETSEG_INLINE void store(void* to, Offset step) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(step), "i"(Tile) : "memory");
}
template <int Sums, int Pixels, int Weights>
UNETSEG_INLINE void multiply() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Sums), "i"(Pixels), "i"(Weights));
}

// Calls f(std::integral_constant<int, i>()) for i = 0 .. Count - 1.
template <int Count, typename F>
UNETSEG_INLINE void each(F&& f) {
  if constexpr (Count > 1) each<Count - 1>(f);
  f(std::integral_constant<int, Count - 1>());
}

// How outputs fall into tiles of pixels, all of one size: each tile the neighbours of a row; or,
// where that would leave many tiles half empty, a run of neighbours that goes on through the
// padding from row to row. A last tile may make again what the one before has made.
struct Cut {
  int pixels;  // of a tile
  int across;  // tiles in a row, or of all rows
  int rows;    // 1: tiles go on from row to row
  int width;   // pixels of a row, or of all rows with what lies between them
  int pitch;   // pixels from row to row
  explicit Cut(const Bf16Job& job)
      : pixels(0),
        across(tiles(job.width)),
        rows(job.rows),
        width(job.width),
        pitch(static_cast<int>(job.in_row_step / job.in_pixel_step)) {
    const int run = (job.rows - 1) * pitch + job.width;
    if (job.in_row_step % job.in_pixel_step == 0 && tiles(run) < rows * across) {
      across = tiles(run);
      rows = 1;
      width = run;
    }
    pixels = (width + across - 1) / across;
  }
  static int tiles(int pixels) { return (pixels + kTileRows - 1) / kTileRows; }
};

// The moments of a tile's columns as registers.
template <int Wide>
struct Totals {
  R::Vector shift[Wide], sum[Wide], square[Wide];

  // `first`: of the first tile, whose first pixel gives the shift.
  Totals(const Moments& m, bool first, const float (&sums)[Wide][kTileRows][kBf16Columns]) {
    for (int w = 0; w < Wide; ++w) {
      const int at = w * kBf16Columns;
      if (first) R::store(m.shift + at, R::load(sums[w][0]));
      shift[w] = R::load(m.shift + at);
      sum[w] = first ? R::Vector{} : R::load(m.sum + at);
      square[w] = first ? R::Vector{} : R::load(m.square + at);
    }
  }

  void store(const Moments& m) const {
    for (int w = 0; w < Wide; ++w) {
      R::store(m.sum + w * kBf16Columns, sum[w]);
      R::store(m.square + w * kBf16Columns, square[w]);
    }
  }

  // Adds `Rows` rows, by themselves first, since each sum waits for the one before; writes them.
  template <int Rows>
  UNETSEG_INLINE void add(const float (&sums)[Wide][kTileRows][kBf16Columns], int row, Bf16* out,
                          Offset step) {
    R::Vector v[Rows][Wide];
    for (int r = 0; r < Rows; ++r)
      for (int w = 0; w < Wide; ++w) v[r][w] = R::load(sums[w][row + r]);
    for (int w = 0; w < Wide; ++w) {
      R::Vector few = v[0][w] - shift[w], few_squares = few * few;
      for (int r = 1; r < Rows; ++r) {
        const R::Vector d = v[r][w] - shift[w];
        few += d;
        few_squares += d * d;
      }
      sum[w] += few;
      square[w] += few_squares;
    }
    for (int r = 0; r < Rows; ++r) store_rounded(v[r], out + r * step);
  }

  static UNETSEG_INLINE void store_rounded(const R::Vector (&v)[1], Bf16* out) {
    R::store(out, v[0]);
  }
  static UNETSEG_INLINE void store_rounded(const R::Vector (&v)[2], Bf16* out) {
    const __m512bh both =
        _mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(v[1]), reinterpret_cast<__m512>(v[0]));
    std::memcpy(out, &both, sizeof both);
  }
};

class Convolution {
 public:
  explicit Convolution(const Bf16Job& job) : job_(job), cut_(job) { configure(cut_.pixels); }
  ~Convolution() { release(); }
  Convolution(const Convolution&) = delete;
  Convolution& operator=(const Convolution&) = delete;

  // Two tiles of pixels by two of columns read the least; of few tiles each takes its weights,
  // which come from further away, but once.
  void run() const {
    int column = 0;
    if (cut_.rows * cut_.across > kMostSums)
      for (; column + 2 * kBf16Columns <= job_.out_channels; column += 2 * kBf16Columns)
        columns<2, 2>(column);
    for (; column < job_.out_channels; column += kBf16Columns) columns<kMostSums, 1>(column);
  }

 private:
  // `Most` tiles of pixels at once by `Wide` of columns.
  template <int Most, int Wide>
  void columns(int column) const {
    in_blocks<Most>(cut_.rows * cut_.across,
                    [&](auto n, int tile) { block<n.value, Wide>(tile, column); });
  }

  // Where a tile's first pixel is, and how many of the tile the one before has made.
  struct Place {
    int row, first, again;
  };
  Place place(int tile) const {
    const int row = tile / cut_.across, wanted = tile % cut_.across * cut_.pixels;
    const int first = least(wanted, cut_.width - cut_.pixels);
    return {row, first, wanted - first};
  }

  template <int Down, int Wide>
  void block(int tile, int column) const {
    Place places[Down];
    const Bf16* in[Down];
    for (int d = 0; d < Down; ++d) {
      places[d] = place(tile + d);
      in[d] = job_.in + places[d].row * job_.in_row_step + places[d].first * job_.in_pixel_step;
    }
    const Offset block = Offset{job_.n_steps} * kBf16Step * kBf16Columns;
    const Bf16* weights = job_.weights + Offset{column} * job_.n_steps * kBf16Step;
    const Offset pixel = job_.in_pixel_step * static_cast<Offset>(sizeof(Bf16));
    each<Down * Wide>([&](auto i) { zero<i.value>(); });
    for (int step = 0; step < job_.n_steps; ++step, weights += kBf16Step * kBf16Columns) {
      each<Wide>([&](auto w) { load<kWeights + w.value>(weights + w.value * block, kTileBytes); });
      each<Down>([&](auto d) {
        load<kPixels>(in[d.value] + job_.steps[step], pixel);
        each<Wide>(
            [&](auto w) { multiply<d.value * Wide + w.value, kPixels, kWeights + w.value>(); });
      });
    }
    alignas(64) float sums[Down][Wide][kTileRows][kBf16Columns];
    each<Down>([&](auto d) {
      each<Wide>(
          [&](auto w) { store<d.value * Wide + w.value>(sums[d.value][w.value], kTileBytes); });
    });
    for (int d = 0; d < Down; ++d) finish(sums[d], places[d], tile + d == 0, column);
  }

  // Rounds the new outputs of tiles side by side and adds them to the moments of their columns.
  template <int Wide>
  void finish(const float (&sums)[Wide][kTileRows][kBf16Columns], const Place& place, bool first,
              int column) const {
    Totals<Wide> totals(job_.moments.from(column), first, sums);
    const int from = place.first + place.again;
    int y = cut_.rows == 1 ? from / cut_.pitch : place.row;
    int x = cut_.rows == 1 ? from % cut_.pitch : from;
    for (int i = place.again; i < cut_.pixels; x = 0, ++y) {
      Bf16* out = job_.out + y * job_.out_row_step + x * job_.out_pixel_step + column;
      const int end = least(cut_.pixels, i + most(0, job_.width - x));
      for (; i + 4 <= end; i += 4, out += 4 * job_.out_pixel_step)
        totals.template add<4>(sums, i, out, job_.out_pixel_step);
      for (; i < end; ++i, out += job_.out_pixel_step)
        totals.template add<1>(sums, i, out, job_.out_pixel_step);
      i += cut_.pitch - most(x, job_.width);  // the padding
    }
    totals.store(job_.moments.from(column));
  }

  const Bf16Job& job_;
  const Cut cut_;
};

void convolve(const Bf16Job& job) {
  Convolution(job).run();
}

constexpr Bf16Kernels kBf16 = bf16_table(convolve);

}  // namespace

const Kernels amx_bf16_kernels = kernel_table<16, 32>("amx-bf16", &kBf16);

}  // namespace unetseg::fused
