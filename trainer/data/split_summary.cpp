// SPDX-License-Identifier: MIT
#include "trainer/data/split_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace unetseg::trainer {
namespace {

using Size = std::pair<int, int>;  // width, height

// "1022x767 (420), 4288x2848 (300) and 11 more sizes from 600x450 to 6748x4499".
std::string describe_sizes(const std::vector<Size>& sizes) {
  constexpr std::size_t kShown = 3;
  std::map<Size, std::size_t> counts;
  for (const Size& size : sizes) ++counts[size];
  std::vector<std::pair<Size, std::size_t>> frequent(counts.begin(), counts.end());
  std::stable_sort(frequent.begin(), frequent.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, frequent.size()); ++i)
    text += fmt::format("{}{}x{} ({})", i == 0 ? "" : ", ", frequent[i].first.first,
                        frequent[i].first.second, frequent[i].second);
  if (frequent.size() <= kShown) return text;
  const auto fewer_pixels = [](const Size& a, const Size& b) {
    return std::int64_t{a.first} * a.second < std::int64_t{b.first} * b.second;
  };
  const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end(), fewer_pixels);
  const std::size_t more = frequent.size() - kShown;
  return text + fmt::format(" and {} more size{} from {}x{} to {}x{}", more, more == 1 ? "" : "s",
                            least->first, least->second, most->first, most->second);
}

}  // namespace

std::vector<std::string> summary_of(const std::vector<PairFacts>& pairs) {
  constexpr int kBins = 10, kLongestBar = 40;
  if (pairs.empty()) return {};
  std::vector<Size> images, masks;
  std::array<std::size_t, kBins> bins{};
  double sum = 0, least = 1, most = 0;
  for (const PairFacts& pair : pairs) {
    images.emplace_back(pair.size.image_width, pair.size.image_height);
    masks.emplace_back(pair.size.mask_width, pair.size.mask_height);
    ++bins[std::min(kBins - 1, static_cast<int>(kBins * pair.lesion))];
    sum += pair.lesion;
    least = std::min(least, pair.lesion);
    most = std::max(most, pair.lesion);
  }
  std::vector<std::string> lines = {
      "images: " + describe_sizes(images), "masks: " + describe_sizes(masks),
      fmt::format("lesion: {:.1f} % of a picture on average, from {:.1f} % to {:.1f} %",
                  100 * sum / static_cast<double>(pairs.size()), 100 * least, 100 * most)};
  const std::size_t longest = *std::max_element(bins.begin(), bins.end());
  for (int bin = 0; bin < kBins; ++bin) {
    if (bins[bin] == 0) continue;
    const std::size_t length = std::max<std::size_t>(1, bins[bin] * kLongestBar / longest);
    lines.push_back(fmt::format("  {:2}-{:3} % {:5} {}", 100 / kBins * bin, 100 / kBins * (bin + 1),
                                bins[bin], std::string(length, '#')));
  }
  return lines;
}

}  // namespace unetseg::trainer
