// SPDX-License-Identifier: MIT
// From the grey values of a mask file to lesion or not, and to shares of larger pixels.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/data/decoded_set.h"
#include "trainer/data/image_files.h"

namespace unetseg::trainer {

enum class MaskValues {
  binary,    // 0 and 255
  zero_one,  // 0 and 1: 1 is lesion
  greys,     // others too: lesion above 127
  labels,    // small integers, or nothing above 127: not for this program to guess
};

using GreyHistogram = std::array<std::uint64_t, 256>;
GreyHistogram grey_histogram(const Image& mask);
MaskValues values_of(const GreyHistogram& histogram);

// "0: 7712, 1: 301, 2: 55", the eight most frequent values in ascending order.
std::string describe(const GreyHistogram& histogram);

// The largest value that is skin.
int threshold_of(MaskValues values);

// Throws Error(read), naming the file and its values, where they are labels.
void refuse_labels(const GreyHistogram& histogram, const std::string& path);

// Turns the grey values into 0 (skin) and 1 (lesion) in place.
void binarise(Image* mask, int threshold);

// The share of each of width x height output pixels that ones cover, exactly, as round(255 share).
// `mask` holds 0 and 1 and is stretched to the output.
void coverage(const Image& mask, int width, int height, std::uint8_t* shares);

// A mask of 0 and 1 as truth for scoring: its longer side reduced to `side` at most, a pixel being
// lesion where at least half of it is covered.
TruthMask truth_mask(const Image& mask, int side);

}  // namespace unetseg::trainer
