// SPDX-License-Identifier: MIT
#include "trainer/predict/frame_view.h"

namespace unetseg::trainer {

UnetsegFrame frame_of(const Image& image) {
  UnetsegFrame frame = {};
  frame.format = image.channels == 1 ? UNETSEG_FORMAT_GRAY8 : UNETSEG_FORMAT_RGB;
  frame.width = image.width;
  frame.height = image.height;
  // A view for reading: the sampler does not write.
  frame.plane[0] = const_cast<guint8*>(image.pixels.data());
  frame.stride[0] = image.width * image.channels;
  frame.full_range = TRUE;
  return frame;
}

}  // namespace unetseg::trainer
