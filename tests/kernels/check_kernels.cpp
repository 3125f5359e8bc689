// SPDX-License-Identifier: MIT
// Every fast kernel against the plain one: random data, sizes around the registers' width, guarded
// memory around the output. With --bench the time of each beside it, once all of them agree.
//
//   check_kernels [--seed N] [--table NAME] [--bench]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "model/engine/fused/packing.h"
#include "model/storage/half.h"

using namespace unetseg;
using namespace unetseg::fused;

namespace {

constexpr float kCanary = -12345.5f;
constexpr std::size_t kGuard = 64;
// absolute x the terms' magnitude + relative, in units of float32's epsilon; sums here have up to
// some hundred terms.
constexpr double kEpsilon = 1.1920929e-7, kAbsolute = 400, kRelative = 400;

std::mt19937 generator;

float random_value() {
  return std::uniform_real_distribution<float>(-1, 1)(generator);
}

int pick(std::initializer_list<int> values) {
  return *(values.begin() + generator() % values.size());
}

std::vector<float> random_values(std::size_t count) {
  std::vector<float> values(count);
  for (float& value : values) value = random_value();
  return values;
}

// An output with guards on both sides, poisoned before it is written.
class Output {
 public:
  explicit Output(std::size_t size) : values_(size + 2 * kGuard, kCanary) {}
  float* data() { return values_.data() + kGuard; }
  bool guards_are_whole() const {
    const auto whole = [](float v) { return v == kCanary; };
    return std::all_of(values_.begin(), values_.begin() + kGuard, whole) &&
           std::all_of(values_.end() - kGuard, values_.end(), whole);
  }
  bool agrees(const Output& other, const std::string& what, double magnitude = 1) const {
    for (std::size_t i = kGuard; i + kGuard < values_.size(); ++i) {
      const double a = static_cast<double>(values_[i]), b = static_cast<double>(other.values_[i]);
      if (std::abs(a - b) <= kEpsilon * (kAbsolute * magnitude + kRelative * std::abs(b))) continue;
      std::printf("%s: at %zu %.9g instead of %.9g\n", what.c_str(), i - kGuard, a, b);
      return false;
    }
    if (!guards_are_whole()) std::printf("%s: wrote outside of its output\n", what.c_str());
    return guards_are_whole();
  }

 private:
  std::vector<float> values_;
};

// A node's raw output and its activation, or two of them.
struct RandomTerm {
  RandomTerm(std::size_t pixels, int channels, bool two) {
    for (Lazy* lazy : {&term.first, &term.second}) {
      if (lazy == &term.second && !two) break;
      for (const float** part : {&lazy->scale, &lazy->offset}) {
        kept.push_back(random_values(static_cast<std::size_t>(channels)));
        *part = kept.back().data();
      }
      kept.push_back(random_values(pixels * static_cast<std::size_t>(channels)));
      lazy->raw = kept.back().data();
    }
    term.channels = channels;
  }
  RandomTerm(const RandomTerm&) = delete;
  RandomTerm& operator=(const RandomTerm&) = delete;
  std::vector<std::vector<float>> kept;
  Term term = {};
};

struct OutputMoments {
  explicit OutputMoments(int channels)
      : shift(static_cast<std::size_t>(channels)),
        sum(static_cast<std::size_t>(channels)),
        square(static_cast<std::size_t>(channels)) {}
  Moments view() { return {shift.data(), sum.data(), square.data()}; }
  // Sums of hundreds of outputs, some of which are sums of a hundred, may come to nothing.
  bool agree(const OutputMoments& other, const std::string& what) const {
    constexpr double kMagnitude = 100;
    return shift.agrees(other.shift, what + " shift") &&
           sum.agrees(other.sum, what + " sum", kMagnitude) &&
           square.agrees(other.square, what + " square", kMagnitude);
  }
  Output shift, sum, square;
};

// Columns of weights, packed for a table.
AlignedFloats packed(const std::vector<float>& dense, int rows, int columns, int lanes) {
  AlignedFloats weights(dense.size());
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column)
      weights.data()[packed_place(rows, columns, lanes, row, column)] =
          dense[static_cast<std::size_t>(row * columns + column)];
  return weights;
}

bool check_activate(const Kernels& k, const Kernels& plain) {
  const int channels = k.lanes * pick({1, 2, 3}), pixels = pick({1, 2, 7, 16, 33});
  const RandomTerm t(static_cast<std::size_t>(pixels) + 3, channels, pick({0, 1}) != 0);
  const std::ptrdiff_t step = channels + pick({0, 1, 16});
  Output expected(static_cast<std::size_t>(pixels * step)), found = expected;
  plain.activate(t.term, 3, pixels, expected.data(), step);
  k.activate(t.term, 3, pixels, found.data(), step);
  return found.agrees(expected, std::string(k.name) + " activate");
}

bool check_multiply(const Kernels& k, const Kernels& plain) {
  const int rows = pick({1, 2, 5, 6, 7, 13, 25, 40}), channels = pick({1, 3, 16, 50});
  const int columns = k.lanes * pick({1, 2, 3, 4});
  const std::vector<float> in = random_values(static_cast<std::size_t>(rows * (channels + 5)));
  const auto dense = random_values(static_cast<std::size_t>(channels * columns));
  const AlignedFloats a = packed(dense, channels, columns, plain.lanes);
  const AlignedFloats b = packed(dense, channels, columns, k.lanes);
  Output expected(static_cast<std::size_t>(rows * (columns + 3))), found = expected;
  MatrixJob job = {in.data(), channels + 5,    rows,       channels, a.data(),
                   columns,   expected.data(), columns + 3};
  plain.multiply(job);
  job.weights = b.data();
  job.out = found.data();
  k.multiply(job);
  return found.agrees(expected, std::string(k.name) + " multiply");
}

bool check_direct(const Kernels& k, const Kernels& plain) {
  const int channels = pick({1, 3, 8, 20}), columns = k.lanes * pick({1, 2, 3});
  const int rows = pick({1, 2, 5}), width = pick({1, 4, 6, 7, 13, 26, 31}), stride = pick({1, 2});
  const int kernel = pick({1, 3}), across = (width - 1) * stride + kernel;
  const std::ptrdiff_t row = std::ptrdiff_t{across} * channels;
  const auto in = random_values(static_cast<std::size_t>(((rows - 1) * stride + kernel) * row));
  std::vector<std::ptrdiff_t> taps;
  for (int y = 0; y < kernel; ++y)
    for (int x = 0; x < kernel; ++x) taps.push_back(y * row + x * channels);
  const int n = static_cast<int>(taps.size());
  const auto dense = random_values(static_cast<std::size_t>(n * channels * columns));
  const AlignedFloats a = packed(dense, n * channels, columns, plain.lanes);
  const AlignedFloats b = packed(dense, n * channels, columns, k.lanes);
  Output expected(static_cast<std::size_t>(rows * width * columns)), found = expected;
  OutputMoments expected_moments(columns), found_moments(columns);
  DirectJob job = {in.data(),
                   stride * row,
                   std::ptrdiff_t{stride} * channels,
                   taps.data(),
                   n,
                   channels,
                   a.data(),
                   columns,
                   expected.data(),
                   std::ptrdiff_t{width} * columns,
                   columns,
                   rows,
                   width,
                   expected_moments.view()};
  plain.direct(job);
  job.weights = b.data();
  job.out = found.data();
  job.moments = found_moments.view();
  k.direct(job);
  const std::string what = std::string(k.name) + " direct";
  return found.agrees(expected, what) && found_moments.agree(expected_moments, what);
}

bool check_input(const Kernels& k, const Kernels& plain, Tiling tiling) {
  const TilingShape& shape = kTilingShapes[tiling];
  const int channels = k.lanes * pick({1, 2, 3});
  const int height = shape.step * pick({1, 2, 5}), width = shape.step * pick({1, 2, 7, 17, 35});
  const RandomTerm t(static_cast<std::size_t>(height * width), channels, pick({0, 1}) != 0);
  const int down = height / shape.step, across = width / shape.step, first = pick({0, down / 2});
  const int tiles = (down - first) * across;
  const std::ptrdiff_t step = channels + 8, number = tiles * step + 16;
  Output expected(static_cast<std::size_t>(shape.numbers * shape.numbers * number)),
      found = expected;
  InputTransform job = {
      t.term, {height, width, first, down - first, across}, expected.data(), number, step};
  plain.tilings[tiling].input(job);
  job.out = found.data();
  k.tilings[tiling].input(job);
  return found.agrees(expected, std::string(k.name) + " input of tiling " + std::to_string(tiling));
}

bool check_output(const Kernels& k, const Kernels& plain, Tiling tiling) {
  const TilingShape& shape = kTilingShapes[tiling];
  const int channels = k.lanes * pick({1, 2, 3});
  // Not whole tiles: what is outside the picture is not written.
  const int height = std::max(1, shape.out * pick({1, 3}) - pick({0, 1}));
  const int width = std::max(1, shape.out * pick({1, 2, 9}) - pick({0, 1}));
  const int down = (height + shape.out - 1) / shape.out,
            across = (width + shape.out - 1) / shape.out;
  const std::ptrdiff_t product = std::ptrdiff_t{down} * across * channels + 16;
  const auto in =
      random_values(static_cast<std::size_t>(shape.products * shape.products * product));
  Output expected(static_cast<std::size_t>(height * width * channels)), found = expected;
  OutputMoments expected_moments(channels), found_moments(channels);
  OutputTransform job = {in.data(),
                         product,
                         channels,
                         {height, width, 0, down, across},
                         channels,
                         expected.data(),
                         expected_moments.view()};
  plain.tilings[tiling].output(job);
  job.out = found.data();
  job.moments = found_moments.view();
  k.tilings[tiling].output(job);
  const std::string what = std::string(k.name) + " output of tiling " + std::to_string(tiling);
  return found.agrees(expected, what) && found_moments.agree(expected_moments, what);
}

bool check_head(const Kernels& k, const Kernels& plain) {
  const int channels = k.lanes * pick({1, 2, 4}), pixels = pick({1, 5, 32});
  const RandomTerm t(static_cast<std::size_t>(pixels) + 2, channels, false);
  const auto weights = random_values(static_cast<std::size_t>(channels));
  Output expected(static_cast<std::size_t>(pixels)), found = expected;
  HeadJob job = {t.term, weights.data(), random_value(), 2, pixels, expected.data()};
  plain.head(job);
  job.out = found.data();
  k.head(job);
  return found.agrees(expected, std::string(k.name) + " head");
}

// Channels whose mean is far from zero, parts of several sizes.
bool check_normalise(const Kernels& k, const Kernels& plain) {
  const int channels = k.lanes * pick({1, 2, 5}), parts = pick({1, 2, 9});
  const std::ptrdiff_t step = 3 * channels;
  std::vector<float> moments(static_cast<std::size_t>(parts * step));
  std::vector<int> pixels;
  for (int part = 0; part < parts; ++part) {
    pixels.push_back(pick({1, 16, 500}));
    for (int c = 0; c < channels; ++c) {
      float* m = &moments[static_cast<std::size_t>(part * step + c)];
      const float mean = random_value(), deviation = random_value();  // about the shift
      const auto n = static_cast<float>(pixels.back());
      m[0] = 100 + random_value();
      m[channels] = n * mean;
      m[2 * channels] = n * (mean * mean + deviation * deviation);
    }
  }
  const auto gamma = random_values(static_cast<std::size_t>(channels)), beta = gamma;
  Output expected(static_cast<std::size_t>(2 * channels)), found = expected;
  const auto job = [&](Output& out) {
    return NormaliseJob{{&moments[0], &moments[0] + channels, &moments[0] + 2 * channels},
                        step,
                        pixels.data(),
                        parts,
                        channels,
                        gamma.data(),
                        beta.data(),
                        out.data(),
                        out.data() + channels};
  };
  plain.normalise(job(expected));
  k.normalise(job(found));
  return found.agrees(expected, std::string(k.name) + " normalise", 100);
}

bool check_sigmoid(const Kernels& k, const Kernels& plain) {
  const int count = pick({1, 3, 4, 9, 16, 33});
  std::vector<float> logits = random_values(static_cast<std::size_t>(count));
  for (float& logit : logits) logit *= static_cast<float>(pick({1, 10, 80, 300}));
  Output expected(logits.size()), found = expected;
  if (!plain.sigmoid(logits.data(), count, expected.data()) ||
      !k.sigmoid(logits.data(), count, found.data())) {
    std::printf("%s sigmoid: finite logits are called infinite\n", k.name);
    return false;
  }
  if (!found.agrees(expected, std::string(k.name) + " sigmoid")) return false;
  logits[generator() % logits.size()] = pick({0, 1}) ? INFINITY : NAN;
  if (!k.sigmoid(logits.data(), count, found.data())) return true;
  std::printf("%s sigmoid: a logit that is not finite is not told\n", k.name);
  return false;
}

Aligned<Bf16> random_bf16(std::size_t count) {
  Aligned<Bf16> values(count);
  for (std::size_t i = 0; i < count; ++i) values.data()[i] = float_to_bfloat16(random_value());
  return values;
}

// Neighbours may be one apart in the last place where float32 rounds differently, and more about
// zero.
bool bf16_agree(const Aligned<Bf16>& found, const Aligned<Bf16>& expected, double magnitude,
                const std::string& what) {
  constexpr double kBf16Epsilon = 1. / 128;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto a = static_cast<double>(bfloat16_to_float(found.data()[i]));
    const auto b = static_cast<double>(bfloat16_to_float(expected.data()[i]));
    if (std::abs(a - b) <= kBf16Epsilon * std::abs(b) + kEpsilon * kAbsolute * magnitude) continue;
    std::printf("%s: at %zu %.9g instead of %.9g\n", what.c_str(), i, a, b);
    return false;
  }
  return true;
}

// What nobody may write has the same odd value in both.
Aligned<Bf16> bf16_output(std::size_t size) {
  Aligned<Bf16> values(size);
  std::fill_n(values.data(), size, float_to_bfloat16(kCanary));
  return values;
}

// A term like RandomTerm's, of raw outputs in bfloat16.
struct Bf16Term {
  Bf16Term(std::size_t pixels, int channels, bool two) : wide(pixels, channels, two) {
    const std::size_t count = pixels * static_cast<std::size_t>(channels);
    term.channels = channels;
    term.first = {keep(random_bf16(count)), wide.term.first.scale, wide.term.first.offset};
    if (two)
      term.second = {keep(random_bf16(count)), wide.term.second.scale, wide.term.second.offset};
  }
  const Bf16* keep(Aligned<Bf16> values) {
    kept.push_back(std::move(values));
    return kept.back().data();
  }
  RandomTerm wide;
  std::vector<Aligned<Bf16>> kept;
  TermOf<Bf16> term = {};
};

bool check_bf16_activate(const Kernels& k, const Kernels& plain) {
  const int channels = k.lanes * pick({1, 2, 3}), pixels = pick({1, 2, 7, 33});
  const Bf16Term t(static_cast<std::size_t>(pixels) + 3, channels, pick({0, 1}) != 0);
  const std::ptrdiff_t step = channels + pick({0, 1, 16});
  const auto size = static_cast<std::size_t>(pixels * step);
  Aligned<Bf16> expected = bf16_output(size), found = bf16_output(size);
  plain.bf16->activate(t.term, 3, pixels, expected.data(), step);
  k.bf16->activate(t.term, 3, pixels, found.data(), step);
  return bf16_agree(found, expected, 1, std::string(k.name) + " activate in bfloat16");
}

bool check_bf16_interleave(const Kernels& k, const Kernels& plain) {
  const int pixels = pick({1, 7, 8, 9, 16, 31, 64}), step = pixels + pick({0, 3});
  const auto planes = random_values(static_cast<std::size_t>(3 * step));
  const auto size = static_cast<std::size_t>(4 * pixels + 8);
  Aligned<Bf16> expected = bf16_output(size), found = bf16_output(size);
  plain.bf16->interleave(planes.data(), step, pixels, expected.data());
  k.bf16->interleave(planes.data(), step, pixels, found.data());
  if (std::equal(found.data(), found.data() + size, expected.data())) return true;
  std::printf("%s interleave: %d pixels differ\n", k.name, pixels);
  return false;
}

bool check_bf16_head(const Kernels& k, const Kernels& plain) {
  const int channels = k.lanes * pick({1, 2, 4}), pixels = pick({1, 5, 32});
  const Bf16Term t(static_cast<std::size_t>(pixels) + 2, channels, false);
  const auto weights = random_values(static_cast<std::size_t>(channels));
  Output expected(static_cast<std::size_t>(pixels)), found = expected;
  HeadJobOf<Bf16> job = {t.term, weights.data(), random_value(), 2, pixels, expected.data()};
  plain.bf16->head(job);
  job.out = found.data();
  k.bf16->head(job);
  return found.agrees(expected, std::string(k.name) + " head in bfloat16");
}

std::vector<std::ptrdiff_t> steps_of(int side, int channels, std::ptrdiff_t row) {
  std::vector<std::ptrdiff_t> steps;
  for (const Bf16Place& place : bf16_order(side, side, channels))
    steps.push_back(place.row * row + place.value);
  return steps;
}

bool check_bf16_convolve(const Kernels& k, const Kernels& plain) {
  const int channels = pick({4, 16, 32, 48}), columns = kBf16Columns * pick({1, 2, 3, 4});
  const int rows = pick({1, 2, 5}), width = pick({1, 4, 8, 10, 16, 20, 33, 64});
  const int stride = pick({1, 2}), kernel = pick({1, 2, 3}), across = (width - 1) * stride + kernel;
  const std::ptrdiff_t row = std::ptrdiff_t{across} * channels;
  const auto in =
      random_bf16(static_cast<std::size_t>(((rows - 1) * stride + kernel) * row + kBf16Step));
  const auto steps = steps_of(kernel, channels, row);
  const auto weights = random_bf16(steps.size() * static_cast<std::size_t>(kBf16Step * columns));
  const std::ptrdiff_t pixel = columns + 16 * pick({0, 1});
  const auto size = static_cast<std::size_t>(rows * width * pixel);
  Aligned<Bf16> expected = bf16_output(size), found = bf16_output(size);
  OutputMoments expected_moments(columns), found_moments(columns);
  Bf16Job job = {in.data(),
                 stride * row,
                 std::ptrdiff_t{stride} * channels,
                 steps.data(),
                 static_cast<int>(steps.size()),
                 weights.data(),
                 columns,
                 expected.data(),
                 width * pixel,
                 pixel,
                 rows,
                 width,
                 expected_moments.view()};
  plain.bf16->convolve(job);
  job.out = found.data();
  job.moments = found_moments.view();
  k.bf16->convolve(job);
  const std::string what = std::string(k.name) + " convolve in bfloat16";
  return bf16_agree(found, expected, 10, what) && found_moments.agree(expected_moments, what);
}

bool check_bf16(const Kernels& k, const Kernels& plain) {
  return k.bf16 == nullptr || (check_bf16_activate(k, plain) && check_bf16_interleave(k, plain) &&
                               check_bf16_head(k, plain) && check_bf16_convolve(k, plain));
}

bool check(const Kernels& k, const Kernels& plain) {
  constexpr int kRounds = 60;
  for (int round = 0; round < kRounds; ++round) {
    bool good = check_activate(k, plain) && check_multiply(k, plain) && check_direct(k, plain) &&
                check_head(k, plain) && check_sigmoid(k, plain) && check_normalise(k, plain) &&
                check_bf16(k, *kernels_named("plain-bf16"));
    for (const Tiling tiling : {kF2, kF4, kUp})
      good = good && check_input(k, plain, tiling) && check_output(k, plain, tiling);
    if (!good) {
      std::printf("in round %d\n", round);
      return false;
    }
  }
  return true;
}

// Median of several blocks of calls, nanoseconds a call.
double nanoseconds(const std::function<void()>& call) {
  constexpr int kBlocks = 15, kCalls = 20;
  std::vector<double> times;
  for (int block = 0; block < kBlocks; ++block) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) call();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    times.push_back(took.count() / kCalls);
  }
  std::nth_element(times.begin(), times.begin() + kBlocks / 2, times.end());
  return times[kBlocks / 2];
}

// The layers that matter at 128x128: 36 products of the full size's merge, and its transforms.
void bench(const Kernels& k) {
  const int channels = 32, tiles = 32;
  const RandomTerm t(128 * 128, channels, false);
  const std::ptrdiff_t step = tiles * channels + 16;
  AlignedFloats numbers(static_cast<std::size_t>(36 * step)),
      products(static_cast<std::size_t>(36 * step));
  AlignedFloats picture(128 * 128 * channels), sums(3 * channels);
  const auto dense = random_values(static_cast<std::size_t>(channels * channels));
  const AlignedFloats weights = packed(dense, channels, channels, k.lanes);
  const Moments moments = {sums.data(), sums.data() + channels, sums.data() + 2 * channels};
  const TileRows rows = {128, 128, 4, 1, tiles};
  const double input = nanoseconds([&] {
    k.tilings[kF4].input({t.term, rows, numbers.data(), step, channels});
  });
  const double output = nanoseconds([&] {
    k.tilings[kF4].output(
        {products.data(), step, channels, rows, channels, picture.data(), moments});
  });
  const double multiply = nanoseconds([&] {
    for (int f = 0; f < 36; ++f)
      k.multiply({numbers.data() + f * step, channels, tiles, channels, weights.data(), channels,
                  products.data() + f * step, channels});
  });
  std::printf(
      "%-11s a row of 32 tiles, 32 to 32 channels: input %.1f us, products %.1f us (%.0f "
      "multiplications a ns), output %.1f us\n",
      k.name, input / 1e3, multiply / 1e3, 36.0 * tiles * channels * channels / multiply,
      output / 1e3);
}

// Layers of the full size, an eighth of it, and the least.
void bench_bf16(const Kernels& k) {
  if (k.bf16 == nullptr) return;
  struct Case {
    int channels, columns, rows, width, kernel;
  };
  for (const Case& c : {Case{16, 16, 16, 128, 3}, Case{32, 32, 16, 128, 3}, Case{32, 32, 16, 64, 3},
                        Case{64, 64, 16, 32, 3}, Case{128, 128, 16, 16, 3}, Case{256, 32, 8, 8, 3},
                        Case{64, 32, 8, 64, 2}}) {
    const std::ptrdiff_t row = std::ptrdiff_t{c.width + 2} * c.channels;
    const auto steps = steps_of(c.kernel, c.channels, row);
    const Bf16Term t(static_cast<std::size_t>((c.rows + 2) * c.width), c.channels, false);
    Aligned<Bf16> in(static_cast<std::size_t>((c.rows + 2) * row + kBf16Step));
    const auto weights =
        random_bf16(steps.size() * static_cast<std::size_t>(kBf16Step * c.columns));
    Aligned<Bf16> out(static_cast<std::size_t>(c.rows * c.width * c.columns));
    AlignedFloats sums(static_cast<std::size_t>(3 * c.columns));
    const Moments moments = {sums.data(), sums.data() + c.columns, sums.data() + 2 * c.columns};
    const double activate = nanoseconds([&] {
      for (int y = 0; y < c.rows + 2; ++y)
        k.bf16->activate(t.term, y * c.width, c.width, in.data() + y * row + c.channels,
                         c.channels);
    });
    const double convolve = nanoseconds([&] {
      k.bf16->convolve({in.data(), row, c.channels, steps.data(), static_cast<int>(steps.size()),
                        weights.data(), c.columns, out.data(), std::ptrdiff_t{c.width} * c.columns,
                        c.columns, c.rows, c.width, moments});
    });
    std::printf(
        "%-11s %d rows of %d, %d to %d channels, %dx%d: activate %.1f us, convolve %.1f us (%.0f "
        "multiplications a ns)\n",
        k.name, c.rows, c.width, c.channels, c.columns, c.kernel, c.kernel, activate / 1e3,
        convolve / 1e3,
        1.0 * c.rows * c.width * c.kernel * c.kernel * c.channels * c.columns / convolve);
  }
}

}  // namespace

int main(int argc, char** argv) {
  unsigned seed = 1;
  std::string only;
  bool benches = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--bench") == 0)
      benches = true;
    else if (i + 1 < argc && std::strcmp(argv[i], "--seed") == 0)
      seed = static_cast<unsigned>(std::atoi(argv[++i]));
    else if (i + 1 < argc && std::strcmp(argv[i], "--table") == 0)
      only = argv[++i];
    else {
      std::fprintf(stderr, "usage: %s [--seed N] [--table NAME] [--bench]\n", argv[0]);
      return 2;
    }
  }
  const Kernels& plain = *kernels_named("plain");
  std::vector<const Kernels*> agreed;
  for (const char* name : {"generic", "avx2", "avx512", "avx512-bf16", "amx-bf16"}) {
    if (!only.empty() && only != name) continue;
    const Kernels* k = kernels_named(name);
    if (k == nullptr) {
      std::printf("%-11s not on this processor\n", name);
      continue;
    }
    generator.seed(seed);
    if (!check(*k, plain)) {
      std::printf("%s FAILED with --seed %u\n", name, seed);
      return 1;
    }
    std::printf("%-11s agrees\n", name);
    agreed.push_back(k);
  }
  if (benches)
    for (const Kernels* k : agreed) {
      bench(*k);
      bench_bf16(*k);
    }
  return 0;
}
