// SPDX-License-Identifier: MIT
#include "trainer/data/pair_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "trainer/data/file_bytes.h"
#include "trainer/data/image_files.h"
#include "trainer/data/manifest.h"

namespace unetseg::trainer {
namespace {

UnetsegFrame frame_of(Image* image) {
  UnetsegFrame frame = {};
  frame.format = UNETSEG_FORMAT_RGB;
  frame.width = image->width;
  frame.height = image->height;
  frame.plane[0] = image->pixels.data();
  frame.stride[0] = 3 * image->width;
  return frame;
}

// Both files of a pair are looked at, so that a second fault is not found only after the first was
// mended. Full memory is nobody's fault and ends the work.
template <typename Work>
std::string gather_fault(std::vector<std::string>* faults, Work work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.fault() == Fault::no_space) throw;
    faults->emplace_back(error.what());
    return {};
  }
}

}  // namespace

PairDecoder::PairDecoder(const DecodeOptions& options, DecodedSet* set)
    : options_(options), set_(set), sampler_(options.width, options.height) {}

DecodedPair PairDecoder::decode(const Pair& pair, std::size_t index) {
  const std::size_t pixels = static_cast<std::size_t>(options_.width) * options_.height;
  DecodedPair result;
  result.sha256 = gather_fault(&result.faults, [&] {
    return decode_image(pair.image, set_->images.data() + 3 * pixels * index, &result);
  });
  result.sha256 += ':' + gather_fault(&result.faults, [&] {
                     if (pair.mask.empty())
                       throw Error(Fault::not_found, fmt::format("{}: has no mask", pair.image));
                     return decode_mask(pair.mask, set_->masks.data() + pixels * index, &result);
                   });
  if (result.faults.empty()) result.faults = changed_files(pair, result.sha256);
  return result;
}

std::string PairDecoder::decode_image(const std::string& path, std::uint8_t* rgb,
                                      DecodedPair* result) {
  const std::vector<std::uint8_t> file = read_file(path);
  Image image = decode_rgb(file, path);
  result->facts.size.image_width = image.width;
  result->facts.size.image_height = image.height;
  sampler_.sample_rgb8(frame_of(&image), rgb);
  return sha256_of(file.data(), file.size());
}

std::string PairDecoder::decode_mask(const std::string& path, std::uint8_t* shares,
                                     DecodedPair* result) const {
  const std::vector<std::uint8_t> file = read_file(path);
  Image mask = decode_gray(file, path);
  result->facts.size.mask_width = mask.width;
  result->facts.size.mask_height = mask.height;

  const GreyHistogram histogram = grey_histogram(mask);
  result->values = values_of(histogram);
  refuse_labels(histogram, path);
  const int threshold = threshold_of(result->values);
  const auto none = [](std::uint64_t count) { return count == 0; };
  const auto lesion = histogram.begin() + threshold + 1;
  result->empty = std::all_of(lesion, histogram.end(), none);
  result->full = std::all_of(histogram.begin(), lesion, none);
  result->facts.lesion =
      static_cast<double>(std::accumulate(lesion, histogram.end(), std::uint64_t{0})) /
      static_cast<double>(mask.pixels.size());

  binarise(&mask, threshold);
  coverage(mask, options_.width, options_.height, shares);
  if (options_.truth_side > 0) result->truth = truth_mask(mask, options_.truth_side);
  return sha256_of(file.data(), file.size());
}

}  // namespace unetseg::trainer
