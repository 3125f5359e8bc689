// SPDX-License-Identifier: MIT
// Without image files there are no scenes to change.
#include "model/error.h"
#include "trainer/predict/conditions.h"

namespace unetseg::trainer {

std::vector<Condition> camera_conditions() {
  throw Error(Fault::settings,
              "--conditions needs a build with OpenCV and libjpeg: install libopencv-core-dev, "
              "libopencv-imgproc-dev, libopencv-imgcodecs-dev and libjpeg-dev, and build again");
}

}  // namespace unetseg::trainer
