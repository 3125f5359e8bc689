// SPDX-License-Identifier: MIT
// Small data sets on disk for suites of the trainer: discs, damaged files, whole folders.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/image_files.h"

using Bytes = std::vector<std::uint8_t>;

inline void write_bytes(const std::string& path, const Bytes& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

inline Bytes read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

inline void write_picture(const std::string& path, const unetseg::trainer::Image& image) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  unetseg::trainer::write_image(path, image);
}

// A brown disc on skin, textured by its place so that no two pictures of one size are the same
// file.
inline unetseg::trainer::Image disc_picture(int width, int height, int seed = 0) {
  unetseg::trainer::Image image{width, height, 3, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const bool inside = std::hypot((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5) < 0.25;
      const int shade = (x * 7 + y * 13 + seed * 29) % 16;
      for (const int value : {inside ? 90 : 220, inside ? 50 : 170, inside ? 40 : 150})
        image.pixels.push_back(static_cast<std::uint8_t>(value + shade));
    }
  return image;
}

// Its mask: `skin` and `lesion` are the grey values.
inline unetseg::trainer::Image disc_mask(int width, int height, int skin = 0, int lesion = 255) {
  unetseg::trainer::Image mask{width, height, 1, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const bool inside = std::hypot((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5) < 0.25;
      mask.pixels.push_back(static_cast<std::uint8_t>(inside ? lesion : skin));
    }
  return mask;
}

// Writes picture and mask below `folder` as images/ID.jpg and masks/ID.png.
inline unetseg::trainer::Pair write_pair(const std::string& folder, const std::string& id,
                                         const unetseg::trainer::Image& image,
                                         const unetseg::trainer::Image& mask) {
  unetseg::trainer::Pair pair{id, folder + "/images/" + id + ".jpg",
                              folder + "/masks/" + id + ".png"};
  write_picture(pair.image, image);
  write_picture(pair.mask, mask);
  return pair;
}

// The faults that `work` throws as DataError; none where it throws nothing.
template <typename Work>
std::vector<std::string> faults_of(Work work) {
  try {
    work();
  } catch (const unetseg::trainer::DataError& error) {
    return error.faults();
  }
  return {};
}

// Whether one of the lines holds every one of the texts.
inline bool any_line_with(const std::vector<std::string>& lines,
                          const std::vector<std::string>& texts) {
  for (const std::string& line : lines) {
    bool all = true;
    for (const std::string& text : texts) all = all && line.find(text) != std::string::npos;
    if (all) return true;
  }
  return false;
}
