// SPDX-License-Identifier: MIT
// Clean-up in a build without OpenCV: none, and asking for it is an error instead of a wrong mask.
#include "model/mask/mask.h"

#include "model/error.h"

namespace unetseg {

struct Cleaner::Scratch {};
Cleaner::Cleaner() = default;
Cleaner::~Cleaner() = default;

void Cleaner::clean(float*, int, int, double, const CleanUp& how) {
  if (how.largest_only || how.fill_holes || how.min_area > 0)
    throw Error(Fault::settings,
                "This build has no OpenCV and cannot clean masks up; switch largest-only, "
                "fill-holes and min-area off, or build with OpenCV.");
}

}  // namespace unetseg
