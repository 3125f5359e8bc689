// SPDX-License-Identifier: MIT
#include "trainer/predict/decoded_pairs.h"

#include <future>
#include <optional>

#include "trainer/data/mask_pixels.h"

namespace unetseg::trainer {
namespace {

// Official masks have tens of megapixels.
std::future<DecodedPair> decode_ahead(const Pair& pair, PairInput input) {
  return std::async(std::launch::async, [&pair, input] {
    return DecodedPair{pair,
                       input == PairInput::mask ? read_mask(pair.image, MaskRole::prediction)
                                                : read_rgb(pair.image),
                       read_mask(pair.mask, MaskRole::truth)};
  });
}

}  // namespace

Image read_mask(const std::string& path, MaskRole role) {
  Image mask = read_gray(path);
  const GreyHistogram histogram = grey_histogram(mask);
  if (role == MaskRole::truth) refuse_labels(histogram, path);
  const int threshold = threshold_of(values_of(histogram));
  for (std::uint8_t& pixel : mask.pixels) pixel = pixel > threshold ? 255 : 0;
  return mask;
}

bool for_each_decoded(const std::vector<Pair>& pairs, PairInput input,
                      const std::function<void(const DecodedPair&)>& work,
                      const ItemProgress& progress, const std::atomic<bool>& stop) {
  std::vector<std::string> faults;
  std::future<DecodedPair> next;
  if (!pairs.empty()) next = decode_ahead(pairs.front(), input);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (stop) return false;
    std::future<DecodedPair> mine = std::move(next);
    mine.wait();
    if (i + 1 < pairs.size()) next = decode_ahead(pairs[i + 1], input);
    std::optional<DecodedPair> decoded;
    try {
      decoded.emplace(mine.get());
    } catch (const Error& error) {
      faults.push_back(error.what());
    }
    if (decoded) work(*decoded);
    progress(i + 1, pairs.size());
  }
  if (!faults.empty()) throw DataError(faults);
  return true;
}

}  // namespace unetseg::trainer
