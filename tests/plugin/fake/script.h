// SPDX-License-Identifier: MIT
// What a test tells the fake network to do, as the value of model-file.
//
//   fake:KEY=VALUE,KEY=VALUE,...
//
// or the path of a file that holds such a line.
//
// The network itself copies the red channel: a pixel's probability is its red / 255, so that a
// frame of the network's size has the mask that is written down in it. Frames are counted from 1
// for each session; 0 stands for every inference of the warm-up, which the fake tells by its empty
// slot.
//
//   dark=LEVEL       instead, dark is lesion: probability one half where red / 255 is LEVEL, more
//                    below, certain in an eighth
//   size=8x8         width x height of the network's input
//   threshold=0.5    the model's own
//   fit=stretch      or letterbox or crop: how it wants frames
//   largest-only=0   1: its clean-up keeps the largest region alone
//   fill-holes=0     1: its clean-up fills holes
//   min-area=0       its clean-up drops regions below this fraction of the frame
//   min-confidence=0 its clean-up drops masks of which it is less sure
//   shift=0          1: each probability is that of the pixel to its left, 0 in the first column
//   delay-ms=0       inferences take that much longer
//   delay-at=FRAMES  but only these; default: all, warm-up included
//   gate=FOLDER      each frame's inference makes the file FOLDER/begun, waits for FOLDER/go for
//                    60 s at most, and makes FOLDER/done
//   steps=A:B:C      the same, faster, with descriptors of pipes: each frame's inference writes a
//                    byte to A, reads one from B, and writes one to C
//   room=N           more frames at once than that are an Error(no_space)
//   open=KIND        there is no session: not-found, open-read, read, settings, no-space,
//                    no-device, failed, device-lost; bad-alloc, exception or other are thrown as
//                    they are
//   nan-at=FRAMES    the result is not finite
//   nan-red=N        neither is it of frames whose first pixel's red is N
//   no-space-at=FRAMES, device-lost-at=FRAMES, bad-alloc-at=FRAMES, exception-at=FRAMES,
//   other-at=FRAMES  inference throws Error(no_space), Error(device_lost), std::bad_alloc,
//                    std::runtime_error, an int
//
// FRAMES is one number, FIRST..LAST, or FIRST.. without an end. Anything that is not written here
// is an error of the test, and answered with Error(settings).
//
// Devices are "cpu" and as many GPUs as the environment's UNETSEG_FAKE_GPUS says, by default none;
// then UNETSEG_FAKE_NOTICE is what "auto" reports of a GPU that cannot be used. Frames in a GPU's
// memory are those of tests/plugin/cuda; with UNETSEG_FAKE_GPU_FRAMES=0 there are none.
#pragma once

#include <limits>
#include <map>
#include <string>

#include "model/backend/backend.h"
#include "model/mask/mask.h"

struct FrameRange {
  long first = std::numeric_limits<long>::max(), last = -1;  // none
  bool has(long frame) const { return first <= frame && frame <= last; }
};

struct Script {
  int width = 8, height = 8;
  double threshold = 0.5;
  double dark = -1;  // below 0: red is lesion
  UnetsegFit fit = UNETSEG_FIT_STRETCH;
  unetseg::CleanUp clean_up;
  bool shift = false;
  long delay_ms = 0;
  FrameRange delayed = {0, std::numeric_limits<long>::max()};
  std::string gate;
  int steps[3] = {-1, -1, -1};
  int room = std::numeric_limits<int>::max();  // frames at once
  std::string open;                            // how opening fails; empty: it does not
  long nan_red = -1;
  std::map<std::string, FrameRange> faults;  // by what is thrown
};

// Throws Error(settings).
Script read_script(const std::string& model_file);

// Throws what `kind`, one of the words above, stands for.
[[noreturn]] void throw_fault(const std::string& kind);
