// SPDX-License-Identifier: MIT
#include "model/frame/plane_painter.h"

#include <algorithm>
#include <cstring>

#include "model/frame/blend.h"

namespace unetseg {
namespace {

// Calls use(first, last) for each stretch of values that are not zero. Zeros are passed over eight
// bytes at a time: most of a contour's row is bare.
template <typename Value, typename Use>
void for_each_stretch(const Value* values, Run range, Use use) {
  constexpr int kBlock = 8 / sizeof(Value);
  int x = range.first;
  while (x < range.last) {
    std::uint64_t block = 0;
    if (x + kBlock <= range.last) std::memcpy(&block, values + x, sizeof block);
    if (x + kBlock <= range.last && block == 0) {
      x += kBlock;
    } else if (values[x] == 0) {
      ++x;
    } else {
      const int first = x;
      while (x < range.last && values[x] != 0) ++x;
      use(first, x);
    }
  }
}

// Fills `row` with a pattern of `n` bytes.
void repeat(const std::uint8_t* pattern, std::size_t n, std::vector<std::uint8_t>& row) {
  std::memcpy(row.data(), pattern, n);
  for (std::size_t done = n; done < row.size(); done *= 2)
    std::memcpy(row.data() + done, row.data(), std::min(done, row.size() - done));
}

void widen(Run& run, int first, int last) {
  run = run.first < run.last ? Run{std::min(run.first, first), std::max(run.last, last)}
                             : Run{first, last};
}

}  // namespace

PlanePainter::PlanePainter(const UnetsegFrame& frame, int component)
    : layout_(pixel_layout(frame.format)),
      first_(layout_.component[component]),
      width_(frame.width),
      height_(frame.height),
      samples_(subsampled(frame.width, first_.shift_x)),
      shift_x_(first_.shift_x),
      shift_y_(first_.shift_y),
      step_(first_.step / layout_.value_bytes()),
      value_bytes_(layout_.value_bytes()),
      blend_values_(layout_.depth == 8 ? blend_bytes : blend_10_bits) {
  for (int i = 0; i < layout_.components; ++i) {
    const Component& c = layout_.component[i];
    if (share_samples(c, first_)) has_ink_[c.offset / value_bytes_] = 255;
  }
  const std::size_t values = static_cast<std::size_t>(samples_) * static_cast<std::size_t>(step_);
  const std::size_t bytes = values * static_cast<std::size_t>(value_bytes_);
  for (auto* row : {&fill_value_, &contour_value_}) row->resize(bytes);
  for (auto* row : {&fill_alpha_, &alpha_}) row->resize(values);
  if (!is_subsampled()) return;
  fill_pixels_.resize(values);
  contour_coverage_.resize(static_cast<std::size_t>(samples_));
}

void PlanePainter::set_inks(const Ink& fill, const Ink& contour) {
  std::uint8_t fill_step[4] = {}, contour_step[4] = {};
  for (int i = 0; i < layout_.components; ++i) {
    const Component& c = layout_.component[i];
    if (!share_samples(c, first_)) continue;
    const int padding = 8 * value_bytes_ - layout_.depth;
    for (int byte = 0; byte < value_bytes_; ++byte) {
      fill_step[c.offset + byte] =
          static_cast<std::uint8_t>(fill.value[i] << padding >> (8 * byte));
      contour_step[c.offset + byte] =
          static_cast<std::uint8_t>(contour.value[i] << padding >> (8 * byte));
    }
  }
  const std::size_t step_bytes = static_cast<std::size_t>(first_.step);
  repeat(fill_step, step_bytes, fill_value_);
  repeat(contour_step, step_bytes, contour_value_);
  std::uint8_t alpha_step[4];
  for (int k = 0; k < 4; ++k) alpha_step[k] = fill.alpha & has_ink_[k];
  repeat(alpha_step, static_cast<std::size_t>(step_), fill_alpha_);
  contour_alpha_ = contour.alpha;
}

// How many of a sample's rows a row stands for: an odd height's last row stands for two.
int PlanePainter::row_weight(int y) const {
  return shift_y_ > 0 && y == height_ - 1 && y % 2 == 0 ? 2 : 1;
}

// Samples [first, last). `alpha` is for the whole row.
void PlanePainter::blend(std::uint8_t* row, const std::vector<std::uint8_t>& value,
                         const std::uint8_t* alpha, int first, int last) const {
  const std::size_t step = static_cast<std::size_t>(step_);
  const std::size_t n = static_cast<std::size_t>(last - first) * step;
  const std::size_t offset = static_cast<std::size_t>(first) * step;
  const std::size_t byte = offset * static_cast<std::size_t>(value_bytes_);
  blend_values_(row + byte, value.data() + byte, alpha + offset, n);
}

void PlanePainter::cover(int first, int last, int weight) {
  const std::size_t begin = static_cast<std::size_t>(first) * static_cast<std::size_t>(step_);
  const std::size_t end = static_cast<std::size_t>(last) * static_cast<std::size_t>(step_);
  std::uint8_t* pixels = fill_pixels_.data();  // a member would be read again for each byte written
  for (std::size_t i = begin; i < end; ++i)
    pixels[i] = static_cast<std::uint8_t>(pixels[i] + weight);
}

void PlanePainter::fill(const UnetsegFrame& frame, const std::vector<Run>& runs, int y) {
  if (!is_subsampled()) {
    std::uint8_t* row = frame_row(frame, first_.plane, y);
    for (const Run& run : runs) blend(row, fill_value_, fill_alpha_.data(), run.first, run.last);
    return;
  }
  const int weight = row_weight(y);
  for (const Run& run : runs) {
    widen(fill_touched_, run.first >> shift_x_, subsampled(run.last, shift_x_));
    if (shift_x_ == 0) {
      cover(run.first, run.last, weight);
      continue;
    }
    // Whole samples, half of the one before, half of the one after. An odd width's last column
    // stands for two.
    const int last = run.last == width_ ? width_ + width_ % 2 : run.last;
    cover((run.first + 1) / 2, last / 2, 2 * weight);
    if (run.first % 2 != 0) cover(run.first / 2, run.first / 2 + 1, weight);
    if (last % 2 != 0) cover(last / 2, last / 2 + 1, weight);
  }
}

void PlanePainter::contour(const UnetsegFrame& frame, const std::uint8_t* coverage, Run touched,
                           int y) {
  if (is_subsampled()) {
    const int weight = row_weight(y);
    for_each_stretch(coverage, touched, [&](int first, int last) {
      widen(contour_touched_, first >> shift_x_, subsampled(last, shift_x_));
      for (int x = first; x < last; ++x) {
        const int columns = shift_x_ > 0 && x == width_ - 1 && x % 2 == 0 ? 2 : 1;
        std::uint16_t& sum = contour_coverage_[static_cast<std::size_t>(x >> shift_x_)];
        sum = static_cast<std::uint16_t>(sum + coverage[x] * columns * weight);
      }
    });
    return;
  }
  std::uint8_t* row = frame_row(frame, first_.plane, y);
  for_each_stretch(coverage, touched, [&](int first, int last) {
    std::uint8_t* alpha =
        alpha_.data() + static_cast<std::size_t>(first) * static_cast<std::size_t>(step_);
    for (int x = first; x < last; ++x)
      for (int k = 0; k < step_; ++k)
        *alpha++ = over_255(static_cast<unsigned>(coverage[x] * contour_alpha_)) & has_ink_[k];
    blend(row, contour_value_, alpha_.data(), first, last);
  });
}

void PlanePainter::finish_row(const UnetsegFrame& frame, int y) {
  if (!is_subsampled() || (shift_y_ > 0 && y % 2 == 0 && y != height_ - 1)) return;
  const int shift = shift_x_ + shift_y_;
  std::uint8_t* row = frame_row(frame, first_.plane, y >> shift_y_);
  if (fill_touched_.first < fill_touched_.last) {
    const std::size_t step = static_cast<std::size_t>(step_);
    const std::size_t first = static_cast<std::size_t>(fill_touched_.first) * step;
    const std::size_t n = static_cast<std::size_t>(fill_touched_.last) * step - first;
    scale_alpha(fill_alpha_.data() + first, fill_pixels_.data() + first, shift,
                alpha_.data() + first, n);
    blend(row, fill_value_, alpha_.data(), fill_touched_.first, fill_touched_.last);
    std::memset(fill_pixels_.data() + first, 0, n);
  }
  for_each_stretch(contour_coverage_.data(), contour_touched_, [&](int first, int last) {
    std::uint8_t* alpha =
        alpha_.data() + static_cast<std::size_t>(first) * static_cast<std::size_t>(step_);
    for (int x = first; x < last; ++x) {
      std::uint16_t& sum = contour_coverage_[static_cast<std::size_t>(x)];
      const int coverage = (sum + (1 << shift) / 2) >> shift;
      for (int k = 0; k < step_; ++k)
        *alpha++ = over_255(static_cast<unsigned>(coverage * contour_alpha_)) & has_ink_[k];
      sum = 0;
    }
    blend(row, contour_value_, alpha_.data(), first, last);
  });
  fill_touched_ = contour_touched_ = {0, 0};
}

}  // namespace unetseg
