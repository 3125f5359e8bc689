// SPDX-License-Identifier: MIT
// A data set decoded to one size, in memory and in a cache file that needs no image library to
// read.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trainer/data/dataset.h"

namespace unetseg::trainer {

// A binary mask for scoring: 0 or 255, row-major.
struct TruthMask {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;
};

struct DecodedSet {
  int width = 0, height = 0;  // of every image and mask below
  std::vector<std::string> ids;
  std::vector<std::uint8_t> images;  // n x height x width x 3, RGB, through unetseg::Sampler
  std::vector<std::uint8_t> masks;  // n x height x width: share of the pixel that is lesion, 0..255
  // n x height x width: how likely teachers find each pixel to be lesion, 0..254; empty without
  // teachers. No part of a cache file.
  std::vector<std::uint8_t> found;
  std::vector<float>
      aspect;  // n: width / height of the scene (the mask's, where images were squashed)
  std::vector<TruthMask> truth;  // n, the longer side at most `truth_side`; empty unless asked for
  std::vector<std::string> sha256;  // n: of the image file and the mask file, joined by ':'
  std::size_t size() const { return ids.size(); }
};

// Of the image's file alone.
std::string image_sha256(const DecodedSet& set, std::size_t index);

struct DecodeOptions {
  int width = 128, height = 128;
  int truth_side = 0;  // 0: no truth masks; else the longest side in pixels (512 for epoch scores)
  bool stretch_masks = false;  // --mask-fit=stretch
  int skip_bad = 0;          // --skip-bad N: up to N unusable pairs are left out instead of refused
  unsigned workers = 0;      // 0: one per core
  std::string cache_folder;  // empty: no cache file is read or written
};

// What decoding found that is legal but worth a line each to the user ("31 masks hold greys, ...").
struct DecodeReport {
  std::vector<std::string> lines;
  bool from_cache = false;
};

// Decodes all pairs (faults T5 to T9), or reads them from `cache_folder`, keyed by the content of
// every file, size and policy. Throws DataError listing every unusable file, Error(no_space),
// Error(settings) where files must be decoded by a build that reads no image files. A cache file
// that is damaged or cannot be written costs a line in the report and no more.
// `progress(done, total)` is called from the calling thread; decoding stops where `*stop` becomes
// true (throws Error(failed)).
DecodedSet decode(const std::vector<Pair>& pairs, const DecodeOptions& options,
                  DecodeReport* report,
                  const std::function<void(std::size_t, std::size_t)>& progress = {},
                  const std::atomic<bool>* stop = nullptr);

// One line for each image of the second set whose file, byte for byte, is in the first too: a score
// on one of them says nothing about the other (fault T8).
std::vector<std::string> shared_images(const std::string& first_name, const DecodedSet& first,
                                       const std::string& second_name, const DecodedSet& second);

// The cache file: one safetensors file, fit to travel to a machine without image libraries.
// Creates its folder where there is none. Throws Error(write), Error(no_space).
void write_decoded(const std::string& path, const DecodedSet& set);

// Checks all of it. Throws Error with fault not_found, open_read, read, settings (another kind of
// file, or another version's) or no_space.
DecodedSet read_decoded(const std::string& path);

}  // namespace unetseg::trainer
