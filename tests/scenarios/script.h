// SPDX-License-Identifier: MIT
// A scenario as it is written: what is done to a pipeline, one action a line.
//
// # and all after it on a line is a comment. A line that begins with white space goes on with the
// `launch` before it.
//
//   launch PIPELINE        as gst-launch-1.0 takes it. `net` is the element that is looked at,
//   `src`
//                          the sink of its frames, `mask` that of its masks, if there is one
//   play, pause, ready, null
//   wait N frames          until N more have come to `src`
//   wait eos               until the pipeline has ended; then every frame that went into `net` must
//                          have come out of it, with its mask
//   seek S [S2]            to S seconds, with S2 as the end; `seek-flush` flushes
//   flush                  FLUSH_START and FLUSH_STOP from the source
//   caps 320x240 [NV12]    of the capsfilter `caps`
//   set [NAME.]PROPERTY VALUE    of the element NAME (net)
//   eos                    from the source
//   repeat N ... end       what is between, N times; not within another
//   expect QUANTITY = N    or >=, <=. `frames` and `masks` at the sinks, and `gaps`, the masks with
//                          the GAP flag, since the start or the last flush; `stats.FIELD` of net
//   expect size = 320x240  of the frames at `src`
//   expect error TEXT      an element's error that holds TEXT. Any other fails the scenario
//   expect violation TEXT  something that fails a scenario: for scenarios that test the checks
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

struct Action {
  int line;
  std::vector<std::string> words;  // at least one
  std::string rest;                // all after the first word
};

// What is wrong with a scenario, or went wrong in it. The text says where.
struct ScenarioError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// With `repeat` written out. Throws ScenarioError.
std::vector<Action> read_script(const std::string& file);
