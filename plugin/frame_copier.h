// SPDX-License-Identifier: MIT
// Copies the pixels of frames, to frames of another format where that is asked for.
#pragma once

#include <gst/video/video.h>

#include <memory>
#include <vector>

#include "plugin/frame_map.h"

namespace unetseg {

// Belongs to one thread.
class FrameCopier {
 public:
  // From frames of `from` to frames of `to`, from now on. False: there is no way, and nothing may
  // be copied.
  bool configure(const FrameGeometry& from, const FrameGeometry& to);

  // Whether pixels are changed on the way. YUV's matrix and range are honoured then; its transfer
  // and primaries are not.
  bool converts() const { return converter_ != nullptr; }

  // Views of mapped frames; `buffer` is the one that is copied from. Alpha that `from` has not is
  // 255.
  void copy(GstBuffer* buffer, const UnetsegFrame& from, const UnetsegFrame& to);

 private:
  struct Free {
    void operator()(GstVideoConverter* converter) const { gst_video_converter_free(converter); }
  };

  FrameGeometry from_ = {}, to_ = {};
  std::unique_ptr<GstVideoConverter, Free> converter_;
  std::vector<guint8> upright_from_, upright_to_;  // for frames that lie bottom up
};

}  // namespace unetseg
