// SPDX-License-Identifier: MIT
// A GPU that GStreamer's elements share with the network: frames in its memory.
#pragma once

#include <gst/video/video.h>

#include <memory>
#include <string>

#include "plugin/cuda_library.h"
#include "plugin/frame_map.h"
#include "plugin/pointers.h"

namespace unetseg {

// The device's primary context, which is LibTorch's, wrapped for GStreamer, whose elements would
// make one of their own: memory is not shared between contexts. Any thread.
class CudaDevice {
 public:
  // One for all who ask at the same time. Null where `device` (as in UnetsegModelInfo) is no GPU,
  // or GStreamer cannot use it here: frames are in system memory then.
  static std::shared_ptr<CudaDevice> find(const std::string& device);
  ~CudaDevice();
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  // Tells the bin that `element` is in, which tells its other elements.
  void publish(GstElement* element) const;
  // Answers a CONTEXT query, if it asks for a CUDA context.
  bool answer(GstQuery* query) const;

  // Whether all pixels lie in memory of this context. Those that do not can be mapped to system
  // memory all the same: GStreamer copies them.
  bool holds(GstBuffer* buffer) const;
  // What has been put into it comes before what is done with the buffer; null is the default one.
  gpointer stream_of(GstBuffer* buffer) const;

  // Not configured. Its buffers lie as their video meta says.
  PoolPtr new_pool() const;
  // Between two frames of one geometry that this device holds, in order with `from`'s stream. It is
  // done on return. Throws Failure.
  void copy(const UnetsegFrame& from, const UnetsegFrame& to, const FrameGeometry& geometry) const;
  // Waits for what is in the stream; a fault in there is the next call's to report.
  void synchronize(gpointer stream) const;

 private:
  CudaDevice(const CudaLibrary& library, GstCudaContextPtr context);

  const CudaLibrary& library_;
  GstCudaContextPtr context_;
  GstContext* published_;
};

}  // namespace unetseg
