// SPDX-License-Identifier: MIT
#include "model/frame/axis.h"

#include <algorithm>

#include "model/frame/formats.h"

namespace unetseg {
namespace {

// The mean over [low, high) / unit in sample coordinates, where sample i covers [i, i + 1).
Span box(std::int64_t low, std::int64_t high, std::int64_t unit, int samples) {
  const std::int64_t first = std::min<std::int64_t>(low / unit, samples - 1);
  const std::int64_t last = std::min<std::int64_t>((high - 1) / unit, samples - 1);
  const auto part = [unit](std::int64_t length) {
    return static_cast<float>(static_cast<double>(length) / static_cast<double>(unit));
  };
  const int count = static_cast<int>(last - first) + 1;
  if (count == 1) return {static_cast<int>(first), 1, part(high - low), 0};
  return {static_cast<int>(first), count, part((first + 1) * unit - low), part(high - last * unit)};
}

// Between the two samples whose centres enclose centre / unit.
Span bilinear(std::int64_t centre, std::int64_t unit, int samples) {
  const std::int64_t from_first = centre - unit / 2;  // unit is even
  if (from_first <= 0) return {0, 1, 1, 0};
  const std::int64_t first = from_first / unit;
  if (first >= samples - 1) return {samples - 1, 1, 1, 0};
  const double toward_next = static_cast<double>(from_first % unit) / static_cast<double>(unit);
  if (toward_next == 0) return {static_cast<int>(first), 1, 1, 0};
  return {static_cast<int>(first), 2, static_cast<float>(1 - toward_next),
          static_cast<float>(toward_next)};
}

}  // namespace

Axis make_axis(const Interval& source, int size, int output, int shift, bool cosited) {
  // Positions are whole multiples of 1 / unit of a sample, so that no boundary is rounded.
  const std::int64_t unit = std::int64_t{4} * output * kSubpixels << shift;
  const std::int64_t begin = std::int64_t{4} * output * source.first;
  const std::int64_t extent = std::int64_t{4} * source.length;
  const std::int64_t offset = shift != 0 && cosited ? (unit - (unit >> shift)) / 2 : 0;
  const int samples = subsampled(size, shift);
  const bool shrinks = extent > unit;

  Axis axis;
  axis.spans.reserve(static_cast<std::size_t>(output));
  for (std::int64_t i = 0; i < output; ++i) {
    const std::int64_t low = begin + i * extent + offset, high = low + extent;
    axis.spans.push_back(shrinks ? box(low, high, unit, samples)
                                 : bilinear((low + high) / 2, unit, samples));
  }
  axis.scale =
      shrinks ? static_cast<float>(static_cast<double>(unit) / static_cast<double>(extent)) : 1;
  return axis;
}

}  // namespace unetseg
