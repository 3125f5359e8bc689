// SPDX-License-Identifier: MIT
// Buffers for frames that the element cannot write in place: masks, and copies of shared frames.
#pragma once

#include <gst/video/video.h>

#include "plugin/cuda_device.h"
#include "plugin/frame_map.h"
#include "plugin/pointers.h"

namespace unetseg {

// Whose buffers a pool hands out.
enum class PoolChoice {
  downstream,  // the peer's, where it offers a pool
  own,         // never the peer's: it may be lent to upstream already, and run dry
};

// Belongs to the streaming thread, but for flush-free destruction after it has ended.
class OutputPool {
 public:
  OutputPool() = default;
  ~OutputPool() { stop(); }
  OutputPool(const OutputPool&) = delete;
  OutputPool& operator=(const OutputPool&) = delete;

  // Asks the peer of `source_pad` how it wants buffers of these caps, and makes a pool that
  // allocates nothing before the first buffer. `device`: in whose memory its own buffers are; null
  // for system memory. Throws Failure(RESOURCE, SETTINGS).
  void configure(GstPad* source_pad, GstCaps* caps, const GstVideoInfo& info, PoolChoice choice,
                 const CudaDevice* device);
  void stop();
  bool is_configured() const { return pool_ != nullptr; }

  // Whether the peer reads video meta; where not, frames must lie as their caps say.
  bool peer_reads_video_meta() const { return peer_reads_video_meta_; }
  // Whether the peer reads crop meta; where not, pixel (0, 0) must be where the others say.
  bool peer_reads_crop_meta() const { return peer_reads_crop_meta_; }

  // Throws Failure(RESOURCE, NO_SPACE_LEFT) where the pool gives no buffer for another reason than
  // flushing.
  GstFlowReturn acquire(BufferPtr* buffer);

 private:
  PoolPtr pool_;  // active
  bool peer_reads_video_meta_ = false;
  bool peer_reads_crop_meta_ = false;
};

// Timestamps, flags and metas, except for metas that say where pixels lie in memory and, for masks,
// what their colours mean.
void copy_metadata(GstBuffer* from, GstBuffer* to, bool to_mask);

}  // namespace unetseg
