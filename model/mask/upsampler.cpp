// SPDX-License-Identifier: MIT
#include "model/mask/mask.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <string>

#include "model/error.h"
#include "model/mask/crossings.h"
#include "model/mask/neighbours.h"

namespace unetseg {
namespace {

bool operator==(const Share& a, const Share& b) {
  return a.first == b.first && a.last == b.last;
}

}  // namespace

float reaching_level(double threshold) {
  const float level = static_cast<float>(threshold);
  return level < threshold ? std::nextafter(level, std::numeric_limits<float>::infinity()) : level;
}

void Upsampler::configure(const ProbabilityView& source, int width, int height) {
  const bool same_columns =
      source.width == source_.width && width == width_ && source.part.across == source_.part.across;
  source_ = source;
  height_ = height;
  down_ = PlacedAxis(source.part.down, source.height, height);
  rows_ = down_.pixels();
  above_ = below_ = nullptr;
  if (same_columns) return;

  const PlacedAxis across(source.part.across, source.width, width);
  columns_ = across.pixels();
  width_ = 0;  // until all of the below is there
  try {
    const std::size_t columns = static_cast<std::size_t>(source.width);
    column_weight_.resize(static_cast<std::size_t>(width));
    row_.assign(column_weight_.size(), 0);
    first_pixel_.assign(columns + 1, columns_.last);
    blended_.resize(columns);
    runs_.reserve(columns + 1);
    crossings_.reserve(columns);
  } catch (const std::bad_alloc&) {
    throw Error(Fault::no_space,
                "There is not enough memory for a mask " + std::to_string(width) + " pixels wide.");
  }
  for (int x = columns_.last - 1; x >= columns_.first; --x) {
    const Neighbours at = neighbours(across, x, source.width);
    column_weight_[static_cast<std::size_t>(x)] = at.right_weight;
    first_pixel_[static_cast<std::size_t>(at.left)] = x;
  }
  // Shrinking passes over source columns: those begin where the next one does, without a pixel.
  for (std::size_t c = static_cast<std::size_t>(source.width); c-- > 0;)
    first_pixel_[c] = std::min(first_pixel_[c], first_pixel_[c + 1]);
  width_ = width;
}

// The source rows on both sides of an output row, one and the same at the edges.
struct Upsampler::SourceRows {
  const float *above, *below;
  float below_weight;

  float blended(std::size_t column) const {
    return between(above[column], below[column], below_weight);
  }
};

Upsampler::SourceRows Upsampler::source_rows(int y) const {
  const Neighbours at = neighbours(down_, y, source_.height);
  const std::size_t columns = static_cast<std::size_t>(source_.width);
  const float* above = source_.data + static_cast<std::size_t>(at.left) * columns;
  return {above, at.right_weight > 0 ? above + columns : above, at.right_weight};
}

const float* Upsampler::row(int y) {
  if (y < rows_.first || y >= rows_.last) {
    std::fill(row_.begin() + columns_.first, row_.begin() + columns_.last, 0.0f);
    return row_.data();
  }
  const SourceRows rows = source_rows(y);
  const std::size_t columns = blended_.size();
  for (std::size_t c = 0; c < columns; ++c) blended_[c] = rows.blended(c);
  for (std::size_t c = 0; c < columns; ++c) {
    // The pixels between two source columns, or beyond one at an edge.
    const std::size_t last = static_cast<std::size_t>(first_pixel_[c + 1]);
    const float pair[] = {blended_[c], blended_[std::min(c + 1, columns - 1)]};
    for (std::size_t x = static_cast<std::size_t>(first_pixel_[c]); x < last; ++x)
      row_[x] = between(pair[0], pair[1], column_weight_[x]);
  }
  return row_.data();
}

// What agrees about the level in two rows also does where they are blended.
void Upsampler::find_crossings(const SourceRows& rows, float level) {
  if (rows.above == above_ && rows.below == below_ && level == level_) return;
  crossings_.clear();
  for_each_crossing(rows.above, rows.below, source_.width, level,
                    [this](int column) { crossings_.push_back(column); });
  above_ = rows.above;
  below_ = rows.below;
  level_ = level;
}

const std::vector<Run>& Upsampler::runs_reaching(int y, double threshold) {
  runs_.clear();
  if (y < rows_.first || y >= rows_.last) return runs_;
  const SourceRows rows = source_rows(y);
  const float level = reaching_level(threshold);
  find_crossings(rows, level);
  bool inside = rows.blended(0) >= level;
  int start = columns_.first;
  for (const int column : crossings_) {
    // Between two source columns the row is a straight line: it crosses the level once or never.
    const std::size_t c = static_cast<std::size_t>(column);
    const float pair[] = {rows.blended(c), rows.blended(c + 1)};
    const bool next_inside = pair[1] >= level;
    if (inside == next_inside) continue;
    int from = first_pixel_[c], to = first_pixel_[c + 1];
    while (from < to) {
      const int middle = from + (to - from) / 2;
      const float weight = column_weight_[static_cast<std::size_t>(middle)];
      if ((between(pair[0], pair[1], weight) >= level) == inside)
        from = middle + 1;
      else
        to = middle;
    }
    if (!inside)
      start = to;
    else if (start < to)
      runs_.push_back({start, to});
    inside = next_inside;
  }
  if (inside && start < columns_.last) runs_.push_back({start, columns_.last});
  return runs_;
}

void Upsampler::rows_reaching(double threshold, int* first, int* last) const {
  const float level = reaching_level(threshold);
  const std::size_t columns = static_cast<std::size_t>(source_.width);
  const auto reaches = [&](int row) {
    const float* begin = source_.data + static_cast<std::size_t>(row) * columns;
    return std::count_if(begin, begin + columns, [level](float p) { return p >= level; }) > 0;
  };
  int top = 0, bottom = source_.height;
  while (top < bottom && !reaches(top)) ++top;
  while (top < bottom && !reaches(bottom - 1)) --bottom;
  *first = *last = 0;
  if (top == bottom) return;
  // Output rows whose centre lies less than one source row from those.
  *first = std::max(rows_.first, static_cast<int>(std::floor(down_.to_frame(top - 0.5))) - 1);
  *last = std::min(rows_.last, static_cast<int>(std::ceil(down_.to_frame(bottom + 0.5))) + 1);
  *last = std::max(*first, *last);
}

void mask_from_probabilities(Upsampler& upsampler, double threshold, std::uint8_t* mask,
                             std::ptrdiff_t stride) {
  for (int y = 0; y < upsampler.height(); ++y) {
    std::uint8_t* row = mask + y * stride;
    std::memset(row, 0, static_cast<std::size_t>(upsampler.width()));
    for (const Run& run : upsampler.runs_reaching(y, threshold))
      std::memset(row + run.first, 255, static_cast<std::size_t>(run.last - run.first));
  }
}

}  // namespace unetseg
