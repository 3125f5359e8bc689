// SPDX-License-Identifier: MIT
// Connected regions of a mask, found run by run.
#pragma once

#include <cstdint>
#include <vector>

namespace unetseg {

// Whether pixels that touch at a corner alone belong together.
enum class Neighbourhood { edges, edges_and_corners };

// Holds memory for the sizes that it has seen; one object per thread.
class Regions {
 public:
  struct Region {
    int area;             // pixels
    bool touches_border;  // of the mask
  };

  // The regions of `value` in a mask of width x height bytes, row after row, each `value` or not.
  // Numbered in the order in which their first pixels are read. Throws std::bad_alloc; where a size
  // was seen before it allocates nothing.
  void find(const std::uint8_t* mask, int width, int height, std::uint8_t value,
            Neighbourhood neighbourhood);

  const std::vector<Region>& regions() const { return regions_; }

  // Writes `value` to the pixels of all regions for which `chosen(region's number)`.
  template <typename Chosen>
  void write(std::uint8_t* mask, std::uint8_t value, Chosen&& chosen) const {
    for (const Run& run : runs_)
      if (chosen(static_cast<std::size_t>(run.region)))
        for (int i = run.begin; i < run.end; ++i) mask[i] = value;
  }

 private:
  // Pixels [begin, end) of the whole mask, all in one row. `region` is another run of the region
  // that was found no later, itself for the first one; in the end it is the region's number.
  struct Run {
    int begin, end, region;
  };

  void make_room(int width, int height);
  void find_runs(const std::uint8_t* row, int at, int width, std::uint8_t value);
  void join_rows(std::size_t above, std::size_t here, std::size_t end, int width, int reach);
  int first_of(int run);
  void join(int a, int b);
  void number_regions(int width, int height);

  std::vector<Run> runs_;  // from left to right and top to bottom
  std::vector<Region> regions_;
};

}  // namespace unetseg
