// SPDX-License-Identifier: MIT
#include "model/mask/regions.h"

#include <algorithm>
#include <cstring>

namespace unetseg {

// As many as there can be: every second pixel is a run of its own.
void Regions::make_room(int width, int height) {
  const std::size_t most =
      static_cast<std::size_t>((width + 1) / 2) * static_cast<std::size_t>(height);
  runs_.clear();
  runs_.reserve(most);
  regions_.clear();
  regions_.reserve(most);
}

void Regions::find_runs(const std::uint8_t* row, int at, int width, std::uint8_t value) {
  const std::uint8_t* const end = row + width;
  for (const std::uint8_t* from = row; from < end;) {
    const void* const found = std::memchr(from, value, static_cast<std::size_t>(end - from));
    if (found == nullptr) return;
    const auto* const begin = static_cast<const std::uint8_t*>(found);
    from = std::find_if(begin, end, [value](std::uint8_t byte) { return byte != value; });
    runs_.push_back({at + static_cast<int>(begin - row), at + static_cast<int>(from - row),
                     static_cast<int>(runs_.size())});
  }
}

int Regions::first_of(int run) {
  while (runs_[static_cast<std::size_t>(run)].region != run) {
    int& next = runs_[static_cast<std::size_t>(run)].region;
    next = runs_[static_cast<std::size_t>(next)].region;  // shorter for whoever comes next
    run = next;
  }
  return run;
}

void Regions::join(int a, int b) {
  a = first_of(a);
  b = first_of(b);
  runs_[static_cast<std::size_t>(std::max(a, b))].region = std::min(a, b);
}

// Runs [above, here) of one row with runs [here, end) of the next.
void Regions::join_rows(std::size_t above, std::size_t here, std::size_t end, int width,
                        int reach) {
  std::size_t upper = above, lower = here;
  while (upper < here && lower < end) {
    const Run &a = runs_[upper], &b = runs_[lower];
    if (a.begin + width < b.end + reach && b.begin < a.end + width + reach)
      join(static_cast<int>(upper), static_cast<int>(lower));
    if (a.end + width < b.end)
      ++upper;
    else
      ++lower;
  }
}

void Regions::number_regions(int width, int height) {
  const int last_row = (height - 1) * width;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    Run& run = runs_[i];
    // What it names comes before it, and has its number already.
    if (run.region == static_cast<int>(i)) {
      run.region = static_cast<int>(regions_.size());
      regions_.push_back({0, false});
    } else {
      run.region = runs_[static_cast<std::size_t>(run.region)].region;
    }
    Region& region = regions_[static_cast<std::size_t>(run.region)];
    region.area += run.end - run.begin;
    region.touches_border |= run.begin < width || run.begin >= last_row || run.begin % width == 0 ||
                             run.end % width == 0;
  }
}

void Regions::find(const std::uint8_t* mask, int width, int height, std::uint8_t value,
                   Neighbourhood neighbourhood) {
  make_room(width, height);
  const int reach = neighbourhood == Neighbourhood::edges_and_corners ? 1 : 0;
  std::size_t above = 0;
  for (int y = 0; y < height; ++y) {
    const std::size_t here = runs_.size();
    find_runs(mask + static_cast<std::ptrdiff_t>(y) * width, y * width, width, value);
    join_rows(above, here, runs_.size(), width, reach);
    above = here;
  }
  number_regions(width, height);
}

}  // namespace unetseg
