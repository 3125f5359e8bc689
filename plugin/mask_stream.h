// SPDX-License-Identifier: MIT
// The events that begin a stream of masks beside a stream of frames.
#pragma once

#include "plugin/pointers.h"

namespace unetseg {

// The stream of masks is another one than that of frames, of the same group.
EventPtr mask_stream_start(GstEvent* stream_start);

// Gives a new pad for masks what it has missed of the sticky events at the sink pad.
void store_mask_events(GstPad* sink, GstPad* pad);

}  // namespace unetseg
