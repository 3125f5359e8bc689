// SPDX-License-Identifier: MIT
// Pictures that are nearly the same though their files are not: stored anew, resized, recoloured,
// cropped a little, mirrored.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "trainer/data/decoded_set.h"

namespace unetseg::trainer {

struct NearDuplicate {
  std::size_t first, second;  // indices into the two sets
  double similarity;          // correlation of their details, at most 1
};

// The most similar partner in `first` of each picture of `second`, where the two look the same in
// one of the eight ways to mirror and turn a picture. Sets of less than 32x32 pixels have too
// little detail: none is found. 2000 pictures against 150 take about a second. Files that are the
// same byte for byte are left out.
std::vector<NearDuplicate> near_duplicates(const DecodedSet& first, const DecodedSet& second);

}  // namespace unetseg::trainer
