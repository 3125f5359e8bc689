// SPDX-License-Identifier: MIT
#include "trainer/data/decode_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <new>

#include "trainer/data/fit.h"
#include "trainer/data/image_files.h"
#include "trainer/data/pair_decoder.h"

namespace unetseg::trainer {
namespace {

using Lines = std::vector<std::string>;

DecodedSet empty_places(std::size_t n, const DecodeOptions& options) {
  DecodedSet set;
  set.width = options.width;
  set.height = options.height;
  const std::size_t pixels = static_cast<std::size_t>(options.width) * options.height * n;
  try {
    set.images.resize(3 * pixels);
    set.masks.resize(pixels);
  } catch (const std::bad_alloc&) {
    throw Error(Fault::no_space, fmt::format("no memory for {} images of {}x{}; lower --size", n,
                                             options.width, options.height));
  }
  return set;
}

// Pairs whose proportions differ are legal in a squashed set, or where the user says so.
SetFit judge_sizes(const std::vector<Pair>& pairs, bool stretch_masks,
                   std::vector<DecodedPair>* decoded, Lines* notes) {
  std::vector<PairSize> sizes;
  for (const DecodedPair& pair : *decoded)
    if (pair.faults.empty()) sizes.push_back(pair.facts.size);
  const SetFit fit(sizes);
  bool stretched = false;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    DecodedPair& pair = (*decoded)[i];
    if (!pair.faults.empty() || same_aspect(pair.facts.size)) continue;
    if (fit.squashed() || stretch_masks) {
      stretched = true;
      continue;
    }
    pair.faults.push_back(fmt::format(
        "{} is {}x{}, its mask {} is {}x{}: other proportions (--mask-fit=stretch accepts them)",
        pairs[i].image, pair.facts.size.image_width, pair.facts.size.image_height, pairs[i].mask,
        pair.facts.size.mask_width, pair.facts.size.mask_height));
  }
  if (stretched) notes->push_back(fit.describe());
  return fit;
}

// "31 masks with greys ...: A, B, C, D, E, ..."; nothing where there are none.
void note_masks(const std::vector<std::string>& ids, const char* what, Lines* notes) {
  constexpr std::size_t kShown = 5;
  if (ids.empty()) return;
  std::string text = fmt::format("{} {} {}", ids.size(), ids.size() == 1 ? "mask" : "masks", what);
  for (std::size_t i = 0; i < std::min(kShown, ids.size()); ++i)
    text += fmt::format("{} {}", i == 0 ? ":" : ",", ids[i]);
  notes->push_back(ids.size() > kShown ? text + ", ..." : text);
}

void judge_masks(const std::vector<Pair>& pairs, const std::vector<DecodedPair>& decoded,
                 DecodedFiles* result) {
  std::vector<std::string> greys, zero_one, empty, full;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const DecodedPair& pair = decoded[i];
    if (!pair.faults.empty()) continue;
    if (pair.values == MaskValues::greys) greys.push_back(pairs[i].id);
    if (pair.values == MaskValues::zero_one && !pair.empty) zero_one.push_back(pairs[i].id);
    if (pair.empty) empty.push_back(pairs[i].id);
    if (pair.full) full.push_back(pairs[i].id);
  }
  note_masks(greys, "with greys beside 0 and 255; lesion is above 127", &result->notes);
  note_masks(zero_one, "of 0 and 1 instead of 0 and 255", &result->notes);
  note_masks(empty, "without lesion", &result->notes);
  note_masks(full, "of nothing but lesion", &result->notes);
  const std::size_t usable = pairs.size() - result->unusable;
  if (usable > 0 && empty.size() == usable) {
    result->faults.push_back(
        fmt::format("all {} masks are empty: there is nothing to learn", usable));
    result->unusable = pairs.size();
  }
}

void move_block(std::vector<std::uint8_t>* all, std::size_t bytes, std::size_t from,
                std::size_t to) {
  if (from != to) std::copy_n(all->data() + from * bytes, bytes, all->data() + to * bytes);
}

// Closes the gaps that unusable pairs leave.
void gather_usable(const std::vector<Pair>& pairs, const SetFit& fit, bool with_truth,
                   std::vector<DecodedPair>* decoded, DecodedSet* set,
                   std::vector<PairFacts>* facts) {
  const std::size_t pixels = static_cast<std::size_t>(set->width) * set->height;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    DecodedPair& pair = (*decoded)[i];
    if (!pair.faults.empty()) continue;
    move_block(&set->images, 3 * pixels, i, set->size());
    move_block(&set->masks, pixels, i, set->size());
    set->ids.push_back(pairs[i].id);
    set->aspect.push_back(static_cast<float>(fit.aspect(pair.facts.size)));
    set->sha256.push_back(std::move(pair.sha256));
    if (with_truth) set->truth.push_back(std::move(pair.truth));
    facts->push_back(pair.facts);
  }
  set->images.resize(3 * pixels * set->size());
  set->masks.resize(pixels * set->size());
}

}  // namespace

DecodedFiles decode_files(const std::vector<Pair>& pairs, const DecodeOptions& options,
                          const ItemProgress& progress, const std::atomic<bool>* stop) {
  DecodedFiles result;
  if (pairs.empty()) return result;
  if (!can_read_image_files()) read_rgb(pairs.front().image);  // throws what there is to say
  result.set = empty_places(pairs.size(), options);

  std::vector<DecodedPair> decoded(pairs.size());
  const auto make_work = [&]() -> ItemWork {
    const auto decoder = std::make_shared<PairDecoder>(options, &result.set);
    return [&, decoder](std::size_t i) { decoded[i] = decoder->decode(pairs[i], i); };
  };
  for_each_item(pairs.size(), options.workers, make_work, progress, stop);

  const SetFit fit = judge_sizes(pairs, options.stretch_masks, &decoded, &result.notes);
  for (const DecodedPair& pair : decoded) {
    result.faults.insert(result.faults.end(), pair.faults.begin(), pair.faults.end());
    result.unusable += !pair.faults.empty();
  }
  judge_masks(pairs, decoded, &result);
  gather_usable(pairs, fit, options.truth_side > 0, &decoded, &result.set, &result.facts);
  return result;
}

}  // namespace unetseg::trainer
