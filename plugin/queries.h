// SPDX-License-Identifier: MIT
// Answers to queries that need to know no more than the pads and what comes out.
#pragma once

#include <gst/gst.h>

#include "plugin/caps.h"
#include "plugin/cuda_device.h"
#include "plugin/settings.h"

namespace unetseg {

// What one pad can take is what the pad opposite gives, seen through the element. `opposite` is
// that pad; it is asked. Any thread; both set the query's result.
void answer_sink_caps(GstQuery* query, GstPad* opposite, Output output, FrameMemory memory);
void answer_source_caps(GstQuery* query, GstPad* opposite, Output output, FrameMemory memory);
void answer_accept_caps(GstQuery* query, Output output, FrameMemory memory);

// Adds what upstream may fill with frames in CUDA memory, where it asks for such frames' buffers
// and has been offered none. True: it has.
bool offer_cuda_buffers(GstQuery* query, const CudaDevice& device);

// Takes back the peer's word that crop metas are read, so that upstream copies the part that it
// keeps: one that begins between pixels that share their chroma cannot be read where it lies.
void ask_for_whole_frames(GstQuery* query);

// Raises what an ALLOCATION query asks for: upstream must not run out of buffers while a batch of
// them waits here.
void ask_for_buffers(GstQuery* query, guint batch);

}  // namespace unetseg
