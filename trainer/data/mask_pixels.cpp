// SPDX-License-Identifier: MIT
#include "trainer/data/mask_pixels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace unetseg::trainer {
namespace {

constexpr int kThreshold = 127;
constexpr int kLargestLabel = 31;

// Where the output pixels of one axis begin, in units of 1/outputs of a source pixel: output i
// covers [i * sources, (i + 1) * sources), source pixel k covers [k * outputs, (k + 1) * outputs).
struct Border {
  int pixel;     // the source pixel that holds the border
  int fraction;  // how far into it, in 1/outputs
};

std::vector<Border> borders(int sources, int outputs) {
  std::vector<Border> result(outputs + 1);
  for (int i = 0; i <= outputs; ++i) {
    const std::int64_t at = static_cast<std::int64_t>(i) * sources;
    result[i] = {static_cast<int>(at / outputs), static_cast<int>(at % outputs)};
  }
  return result;
}

// Ones covered by each output pixel, in units of 1 / (width x height) of a source pixel; a fully
// covered pixel has mask.width x mask.height of them. All in integers, so no rounding anywhere.
std::vector<std::uint64_t> covered_units(const Image& mask, int width, int height) {
  const std::vector<Border> columns = borders(mask.width, width);
  std::vector<std::uint64_t> units(static_cast<std::size_t>(width) * height);
  std::vector<std::uint32_t> before(mask.width + 2);  // ones left of a pixel
  std::vector<std::uint64_t> row_units(width);

  for (int y = 0; y < mask.height; ++y) {
    const std::uint8_t* row = mask.pixels.data() + static_cast<std::size_t>(mask.width) * y;
    for (int x = 0; x < mask.width; ++x) before[x + 1] = before[x] + row[x];
    if (before[mask.width] == 0) continue;
    before[mask.width + 1] = before[mask.width];
    std::uint64_t left = 0;
    for (int i = 0; i < width; ++i) {
      const Border& border = columns[i + 1];
      const std::uint64_t right =
          std::uint64_t{before[border.pixel]} * width +
          std::uint64_t{before[border.pixel + 1] - before[border.pixel]} * border.fraction;
      row_units[i] = right - left;
      left = right;
    }
    std::int64_t from = static_cast<std::int64_t>(y) * height;
    const std::int64_t end = from + height;
    while (from < end) {
      const std::int64_t output = from / mask.height;
      const std::int64_t to = std::min(end, (output + 1) * mask.height);
      std::uint64_t* sums = units.data() + output * width;
      for (int i = 0; i < width; ++i)
        sums[i] += row_units[i] * static_cast<std::uint64_t>(to - from);
      from = to;
    }
  }
  return units;
}

}  // namespace

GreyHistogram grey_histogram(const Image& mask) {
  GreyHistogram histogram{};
  for (int y = 0; y < mask.height; ++y) {
    const std::uint8_t* row = mask.pixels.data() + static_cast<std::size_t>(mask.width) * y;
    // Nearly every row is 0 and 255 alone, for which two sums that compilers vectorise are enough.
    std::uint8_t others = 0;
    std::uint32_t ones = 0;
    for (int x = 0; x < mask.width; ++x) {
      others |= static_cast<std::uint8_t>(row[x] + 1) & 0xfe;
      ones += row[x] & 1;
    }
    if (others == 0) {
      histogram[255] += ones;
      histogram[0] += mask.width - ones;
    } else {
      for (int x = 0; x < mask.width; ++x) ++histogram[row[x]];
    }
  }
  return histogram;
}

MaskValues values_of(const GreyHistogram& histogram) {
  const auto any = [&](int first, int last) {
    return std::any_of(histogram.begin() + first, histogram.begin() + last + 1,
                       [](std::uint64_t count) { return count > 0; });
  };
  if (!any(1, 254)) return MaskValues::binary;
  if (!any(2, 255)) return MaskValues::zero_one;
  // A soft or lossy edge has greys on both sides of the threshold. Small values beside nothing but
  // 255 are labels with an "ignore" value.
  const bool nothing_above = !any(kThreshold + 1, 255);
  const bool small_beside_255 = any(1, kLargestLabel) && !any(kLargestLabel + 1, 254);
  if (nothing_above || small_beside_255) return MaskValues::labels;
  return MaskValues::greys;
}

std::string describe(const GreyHistogram& histogram) {
  constexpr std::size_t kShown = 8;
  std::vector<int> values;
  for (int value = 0; value < 256; ++value)
    if (histogram[value] > 0) values.push_back(value);
  const std::size_t shown = std::min(kShown, values.size());
  std::partial_sort(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(shown),
                    values.end(), [&](int a, int b) { return histogram[a] > histogram[b]; });
  const std::size_t hidden = values.size() - shown;
  values.resize(shown);
  std::sort(values.begin(), values.end());
  std::string text;
  for (int value : values)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", value, histogram[value]);
  return hidden == 0 ? text : text + fmt::format(" and {} more values", hidden);
}

int threshold_of(MaskValues values) {
  return values == MaskValues::zero_one ? 0 : kThreshold;
}

void refuse_labels(const GreyHistogram& histogram, const std::string& path) {
  if (values_of(histogram) == MaskValues::labels)
    throw Error(Fault::read, fmt::format("{}: looks like labels, not like a mask of 0 and 255 "
                                         "(value: pixels): {}",
                                         path, describe(histogram)));
}

void binarise(Image* mask, int threshold) {
  for (std::uint8_t& value : mask->pixels) value = value > threshold;
}

void coverage(const Image& mask, int width, int height, std::uint8_t* shares) {
  const std::vector<std::uint64_t> units = covered_units(mask, width, height);
  const std::uint64_t full = static_cast<std::uint64_t>(mask.width) * mask.height;
  for (std::size_t i = 0; i < units.size(); ++i)
    shares[i] = static_cast<std::uint8_t>((510 * units[i] + full) / (2 * full));
}

TruthMask truth_mask(const Image& mask, int side) {
  const double scale = std::min(1.0, static_cast<double>(side) / std::max(mask.width, mask.height));
  TruthMask truth;
  truth.width = std::max(1, static_cast<int>(std::lround(mask.width * scale)));
  truth.height = std::max(1, static_cast<int>(std::lround(mask.height * scale)));
  const std::vector<std::uint64_t> units = covered_units(mask, truth.width, truth.height);
  const std::uint64_t full = static_cast<std::uint64_t>(mask.width) * mask.height;
  truth.pixels.resize(units.size());
  std::transform(
      units.begin(), units.end(), truth.pixels.begin(),
      [&](std::uint64_t covered) -> std::uint8_t { return 2 * covered >= full ? 255 : 0; });
  return truth;
}

}  // namespace unetseg::trainer
