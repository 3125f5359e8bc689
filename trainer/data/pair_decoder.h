// SPDX-License-Identifier: MIT
// One image and its mask, from two files to their places in a decoded set.
#pragma once

#include <string>
#include <vector>

#include "model/frame/sampler.h"
#include "trainer/data/decoded_set.h"
#include "trainer/data/split_summary.h"
#include "trainer/data/mask_pixels.h"

namespace unetseg::trainer {

// What is known of a pair apart from its pixels.
struct DecodedPair {
  std::vector<std::string>
      faults;  // of either file, each naming it; the rest holds where there are none
  PairFacts facts;
  MaskValues values = MaskValues::binary;
  bool empty = false, full = false;
  std::string sha256;  // "image:mask"
  TruthMask truth;     // where truth masks are asked for
};

// One object per thread; all of them may fill one set, whose images and masks have their size
// already. Keeps references to both arguments.
class PairDecoder {
 public:
  PairDecoder(const DecodeOptions& options, DecodedSet* set);

  // Writes image and mask number `index`. Throws Error(no_space) alone.
  DecodedPair decode(const Pair& pair, std::size_t index);

 private:
  std::string decode_image(const std::string& path, std::uint8_t* rgb, DecodedPair* result);
  std::string decode_mask(const std::string& path, std::uint8_t* shares, DecodedPair* result) const;

  const DecodeOptions& options_;
  DecodedSet* set_;
  Sampler sampler_;
};

}  // namespace unetseg::trainer
