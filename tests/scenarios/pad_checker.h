// SPDX-License-Identifier: MIT
// Watches what comes to a pad, and says where that breaks the rules of a GStreamer stream.
#pragma once

#include <gst/video/video.h>

#include <mutex>
#include <string>
#include <vector>

// Any thread.
class Violations {
 public:
  void add(const std::string& text);
  std::vector<std::string> take();

 private:
  std::mutex mutex_;  // guards texts_
  std::vector<std::string> texts_;
};

// The rules: stream-start, caps and segment come before frames; timestamps rise within a segment,
// and fall where its rate is negative; a frame is as large as its caps say; EOS comes once, and
// nothing after it. What may still come while the pad is being flushed is forgotten with the flush.
class PadChecker {
 public:
  // Shares the pad. `violations` outlives it.
  PadChecker(const std::string& name, GstPad* pad, Violations* violations);
  ~PadChecker();
  PadChecker(const PadChecker&) = delete;
  PadChecker& operator=(const PadChecker&) = delete;

  // The stream is to start anew. Not while data flows.
  void reset();

  // Since the start or the last flush. Any thread, as all below.
  std::vector<GstClockTime> times() const;
  guint64 gaps() const;
  // Since the checker was made.
  guint64 frames() const;
  // Of the caps, as "320x240".
  std::string size() const;

 private:
  static GstPadProbeReturn on_probe(GstPad*, GstPadProbeInfo* info, gpointer self);
  void take_event(GstEvent* event);
  void take_frame(GstBuffer* buffer);
  void require(bool holds, const std::string& text);

  const std::string name_;
  GstPad* pad_;
  Violations* violations_;
  gulong probe_;

  mutable std::mutex mutex_;  // guards all below
  guint64 frames_ = 0;
  struct Stream {
    bool is_started = false, has_caps = false, has_segment = false, is_flushing = false,
         has_ended = false;
    GstVideoInfo info;
    GstSegment segment;
    GstClockTime last = GST_CLOCK_TIME_NONE;  // in this segment
    std::vector<GstClockTime> times;
    guint64 gaps = 0;
  } stream_;
};
