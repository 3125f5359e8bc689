// SPDX-License-Identifier: MIT
// The element between two pads of a test, with the fake network behind it.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>
#include <utility>

#include "plugin/pointers.h"

#include "tests/check.h"

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

using unetseg::BufferPtr;
using unetseg::CapsPtr;
using unetseg::QueryPtr;
using unetseg::StructurePtr;

// Names and values, as gst-launch reads them. A class, since a vector of them could be made of a
// single pair.
struct Properties {
  using Property = std::pair<std::string, std::string>;
  Properties(std::initializer_list<Property> list = {}) : all(list) {}
  std::vector<Property> all;
};

// What an application reads on the bus.
struct Notice {
  GQuark domain;
  int code;
  std::string text, detail;
};

// Takes all errors or warnings that are on the bus; everything else stays unread and is dropped.
inline std::vector<Notice> take_notices(GstBus* bus, GstMessageType type) {
  std::vector<Notice> notices;
  while (GstMessage* message = gst_bus_pop_filtered(bus, type)) {
    GError* error = nullptr;
    gchar* detail = nullptr;
    if (type == GST_MESSAGE_ERROR)
      gst_message_parse_error(message, &error, &detail);
    else
      gst_message_parse_warning(message, &error, &detail);
    notices.push_back({error->domain, error->code, error->message, detail ? detail : ""});
    g_error_free(error);
    g_free(detail);
    gst_message_unref(message);
  }
  return notices;
}

inline void assert_notice(const Notice& notice, GQuark domain, int code,
                          const std::string& mentions) {
  ck_assert_msg(notice.domain == domain && notice.code == code, "%s %d instead of %s %d: %s",
                g_quark_to_string(notice.domain), notice.code, g_quark_to_string(domain), code,
                notice.text.c_str());
  ck_assert_msg(notice.text.find(mentions) != std::string::npos, "'%s' is not in: %s",
                mentions.c_str(), notice.text.c_str());
}

// Exactly one message.
inline void assert_only(const std::vector<Notice>& notices, GQuark domain, int code,
                        const std::string& mentions) {
  for (std::size_t i = 1; i < notices.size(); ++i)
    ck_abort_msg("one message too many: %s", notices[i].text.c_str());
  ck_assert_msg(!notices.empty(), "no message");
  assert_notice(notices[0], domain, code, mentions);
}

inline void set_properties(GstElement* element, const Properties& properties) {
  for (const auto& p : properties.all)
    gst_util_set_object_arg(G_OBJECT(element), p.first.c_str(), p.second.c_str());
}

// Floating, as gst_element_factory_make() gives it.
inline GstElement* make_element(const Properties& properties = {}) {
  GstElement* element = gst_element_factory_make("unetseg", nullptr);
  ck_assert_msg(element != nullptr, "there is no element unetseg: is GST_PLUGIN_PATH right?");
  set_properties(element, {{"model-file", "fake:"}});
  set_properties(element, properties);
  return element;
}

inline std::string caps_of(const std::string& format, int width, int height,
                           const std::string& more = "framerate=30/1") {
  return "video/x-raw,format=" + format + ",width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + "," + more;
}

enum class Upstream { live, not_live };
enum class PeerMeta { none, video };  // what the element after it reads

// Plays from the start. What comes out waits in the harness.
class Bench {
 public:
  explicit Bench(const Properties& properties = {}, Upstream upstream = Upstream::not_live,
                 PeerMeta peer_meta = PeerMeta::video)
      : element_(GST_ELEMENT(gst_object_ref_sink(make_element(properties)))), bus_(gst_bus_new()) {
    gst_element_set_bus(element_, bus_);
    harness_ = gst_harness_new_with_element(element_, "sink", "src");
    gst_harness_set_live(harness_, upstream == Upstream::live);
    if (peer_meta == PeerMeta::video)
      gst_harness_add_propose_allocation_meta(harness_, GST_VIDEO_META_API_TYPE, nullptr);
  }
  ~Bench() {
    gst_harness_teardown(harness_);
    gst_element_set_bus(element_, nullptr);
    gst_object_unref(element_);
    gst_object_unref(bus_);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  GstElement* element() const { return element_; }
  GstHarness* harness() const { return harness_; }

  // With stream-start and segment where they are due. True: the element takes them.
  bool send_caps(const std::string& text) {
    if (!started_) send(gst_event_new_stream_start("bench"));
    const CapsPtr caps(gst_caps_from_string(text.c_str()));
    ck_assert_msg(caps != nullptr, "no caps: %s", text.c_str());
    const bool taken = send(gst_event_new_caps(caps.get()));
    if (!started_) send_segment();
    started_ = true;
    return taken;
  }
  void send_segment() {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    send(gst_event_new_segment(&segment));
  }
  bool send(GstEvent* event) { return gst_pad_push_event(harness_->srcpad, event); }
  GstFlowReturn push(BufferPtr buffer) { return gst_pad_push(harness_->srcpad, buffer.release()); }
  // What has come out so far, oldest first; null where nothing is left.
  BufferPtr pull() { return BufferPtr(gst_harness_try_pull(harness_)); }

  std::vector<Notice> errors() { return take_notices(bus_, GST_MESSAGE_ERROR); }
  std::vector<Notice> warnings() {
    // Popping one kind drops the other: warnings are asked for where errors do not matter.
    return take_notices(bus_, GST_MESSAGE_WARNING);
  }

  // The element messages `unetseg` since the last call, oldest first.
  std::vector<StructurePtr> results() {
    std::vector<StructurePtr> all;
    while (GstMessage* message = gst_bus_pop_filtered(bus_, GST_MESSAGE_ELEMENT)) {
      if (gst_message_has_name(message, "unetseg"))
        all.emplace_back(gst_structure_copy(gst_message_get_structure(message)));
      gst_message_unref(message);
    }
    return all;
  }

  // LATENCY messages since the last call.
  int latency_messages() {
    int count = 0;
    while (GstMessage* message = gst_bus_pop_filtered(bus_, GST_MESSAGE_LATENCY)) {
      ++count;
      gst_message_unref(message);
    }
    return count;
  }

  guint64 stat(const char* field) {
    GstStructure* stats = nullptr;
    g_object_get(element_, "stats", &stats, nullptr);
    const StructurePtr owned(stats);
    guint64 value = 0;
    ck_assert(gst_structure_get_uint64(stats, field, &value));
    return value;
  }

 private:
  GstElement* element_;
  GstBus* bus_;
  GstHarness* harness_;
  bool started_ = false;
};

// A buffer of `size` bytes, each `value`.
inline BufferPtr bytes_buffer(gsize size, guint8 value, GstClockTime pts = GST_CLOCK_TIME_NONE) {
  BufferPtr buffer(gst_buffer_new_allocate(nullptr, size, nullptr));
  gst_buffer_memset(buffer.get(), 0, value, size);
  GST_BUFFER_PTS(buffer.get()) = pts;
  return buffer;
}

inline std::vector<guint8> bytes_of(GstBuffer* buffer) {
  std::vector<guint8> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

inline bool is_uniform(GstBuffer* buffer, guint8 value) {
  const std::vector<guint8> bytes = bytes_of(buffer);
  return std::all_of(bytes.begin(), bytes.end(), [value](guint8 b) { return b == value; });
}

inline bool is_gap(GstBuffer* buffer) {
  return GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP);
}

// Waits as long as it takes, so that no machine is too slow; Check ends a test that hangs.
inline void wait_for_file(const std::string& path) {
  while (!std::filesystem::exists(path)) g_usleep(1000);
}

// A variable of the environment for as long as the object lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    const char* before = g_getenv(name);
    was_set_ = before != nullptr;
    if (was_set_) before_ = before;
    g_setenv(name, value.c_str(), TRUE);
  }
  ~Variable() {
    if (was_set_)
      g_setenv(name_, before_.c_str(), TRUE);
    else
      g_unsetenv(name_);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  bool was_set_;
  std::string before_;
};
