// SPDX-License-Identifier: MIT
#include "tests/scenarios/player.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace {

constexpr gint64 kPatience = 20 * G_TIME_SPAN_SECOND;

GstClockTime seconds(const std::string& text) {
  return static_cast<GstClockTime>(std::stod(text) * GST_SECOND);
}

bool begins_with(const std::vector<GstClockTime>& all, const std::vector<GstClockTime>& part) {
  return part.size() <= all.size() && std::equal(part.begin(), part.end(), all.begin());
}

// Takes the first text that holds `wanted` out of `texts`.
bool take_from(std::vector<std::string>* texts, const std::string& wanted) {
  const auto at = std::find_if(texts->begin(), texts->end(), [&](const std::string& text) {
    return text.find(wanted) != std::string::npos;
  });
  if (at == texts->end()) return false;
  texts->erase(at);
  return true;
}

}  // namespace

Player::~Player() {
  if (pipeline_ == nullptr) return;
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  in_.reset();
  src_.reset();
  mask_.reset();
  gst_clear_object(&bus_);  // none where the launch line was wrong
  gst_object_unref(pipeline_);
}

void Player::play(const Action& action) {
  const std::vector<std::string>& words = action.words;
  const std::string& verb = words[0];
  const bool expects = verb == "expect";
  if (!expects) finish();
  if (verb != "launch" && pipeline_ == nullptr) throw ScenarioError("nothing was launched");
  if (verb == "launch")
    launch(action.rest);
  else if (verb == "play")
    set_state(GST_STATE_PLAYING);
  else if (verb == "pause")
    set_state(GST_STATE_PAUSED);
  else if (verb == "ready")
    set_state(GST_STATE_READY);
  else if (verb == "null")
    set_state(GST_STATE_NULL);
  else if (verb == "wait" && action.rest == "eos")
    wait_for_end();
  else if (verb == "wait" && words.size() == 3 && words[2] == "frames")
    wait_for_frames(std::stoull(words[1]));
  else if (verb == "seek" && words.size() > 1)
    seek(action, GST_SEEK_FLAG_ACCURATE);
  else if (verb == "seek-flush" && words.size() > 1)
    seek(action, static_cast<GstSeekFlags>(GST_SEEK_FLAG_ACCURATE | GST_SEEK_FLAG_FLUSH));
  else if (verb == "flush") {
    send_from_source(gst_event_new_flush_start());
    send_from_source(gst_event_new_flush_stop(TRUE));
  } else if (verb == "caps" && words.size() > 1)
    set_caps(action);
  else if (verb == "set" && words.size() > 2)
    set_property(action);
  else if (verb == "eos")
    send_from_source(gst_event_new_eos());
  else if (expects && words.size() > 2)
    expect(action);
  else
    throw ScenarioError("there is no action '" + verb + "' with these arguments");
  collect_errors();
  if (verb != "ready" && verb != "null" && verb != "expect") compare(false);
}

void Player::finish() {
  for (const auto* unexpected : {&errors_, &found_})
    if (!unexpected->empty()) throw ScenarioError(unexpected->front());
}

void Player::launch(const std::string& description) {
  GError* error = nullptr;
  pipeline_ = gst_parse_launch(description.c_str(), &error);
  const std::string why = error != nullptr ? error->message : "";
  g_clear_error(&error);
  if (!why.empty()) throw ScenarioError(why);
  if (!GST_IS_PIPELINE(pipeline_)) throw ScenarioError("a single element is no pipeline");
  bus_ = gst_element_get_bus(pipeline_);
  const auto watched = [this](const char* name, const char* title) {
    GstElement* watched_element = gst_bin_get_by_name(GST_BIN(pipeline_), name);
    if (watched_element == nullptr) return std::unique_ptr<PadChecker>();
    GstPad* pad = gst_element_get_static_pad(watched_element, "sink");
    auto checker = std::make_unique<PadChecker>(title, pad, &violations_);
    gst_object_unref(pad);
    gst_object_unref(watched_element);
    return checker;
  };
  in_ = watched("net", "into net");
  src_ = watched("src", "frames");
  mask_ = watched("mask", "masks");
  if (!in_ || (!src_ && !mask_))
    throw ScenarioError("there is no `net`, or neither `src` nor `mask`");
}

void Player::set_state(GstState state) {
  const GstStateChangeReturn changing = gst_element_set_state(pipeline_, state);
  if (changing == GST_STATE_CHANGE_FAILURE) {
    collect_errors();
    if (errors_.empty()) throw ScenarioError("the state cannot be changed, and no error says why");
  }
  // Sinks reach PAUSED with the first frame alone.
  if (changing == GST_STATE_CHANGE_ASYNC)
    wait_until("the state has changed", [this] {
      return !errors_.empty() ||
             gst_element_get_state(pipeline_, nullptr, nullptr, 0) != GST_STATE_CHANGE_ASYNC;
    });
  if (state > GST_STATE_READY) return;
  has_ended_ = false;
  for (const auto* checker : {&in_, &src_, &mask_})
    if (*checker) (*checker)->reset();
}

template <typename Condition>
void Player::wait_until(const std::string& what, Condition condition) {
  const gint64 end = g_get_monotonic_time() + kPatience;
  while (!condition()) {
    if (g_get_monotonic_time() > end) throw ScenarioError("waited in vain until " + what);
    g_usleep(1000);
    collect_errors();
  }
}

void Player::wait_for_frames(guint64 n) {
  const PadChecker& sink = src_ ? *src_ : *mask_;
  const guint64 wanted = sink.frames() + n;
  wait_until(std::to_string(n) + " frames have come",
             [&] { return !errors_.empty() || sink.frames() >= wanted; });
}

void Player::wait_for_end() {
  wait_until("the stream has ended", [this] { return !errors_.empty() || has_ended_; });
  if (has_ended_) compare(true);
}

void Player::seek(const Action& action, GstSeekFlags flags) {
  const bool has_stop = action.words.size() > 2;
  has_ended_ = false;
  if (!gst_element_seek(pipeline_, 1, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET,
                        static_cast<gint64>(seconds(action.words[1])),
                        has_stop ? GST_SEEK_TYPE_SET : GST_SEEK_TYPE_NONE,
                        has_stop ? static_cast<gint64>(seconds(action.words[2])) : -1))
    throw ScenarioError("the pipeline refuses to seek");
}

void Player::send_from_source(GstEvent* event) {
  GstIterator* sources = gst_bin_iterate_sources(GST_BIN(pipeline_));
  GValue item = G_VALUE_INIT;
  gboolean sent = FALSE;
  if (gst_iterator_next(sources, &item) == GST_ITERATOR_OK) {
    sent = gst_element_send_event(GST_ELEMENT(g_value_get_object(&item)), event);
    g_value_unset(&item);
  } else {
    gst_event_unref(event);
  }
  gst_iterator_free(sources);
  if (!sent) throw ScenarioError("the source does not send the event");
}

void Player::set_caps(const Action& action) {
  int width = 0, height = 0;
  if (std::sscanf(action.words[1].c_str(), "%dx%d", &width, &height) != 2)
    throw ScenarioError("no size: " + action.words[1]);
  GstCaps* caps = gst_caps_new_simple("video/x-raw", "width", G_TYPE_INT, width, "height",
                                      G_TYPE_INT, height, nullptr);
  if (action.words.size() > 2)
    gst_caps_set_simple(caps, "format", G_TYPE_STRING, action.words[2].c_str(), nullptr);
  GstElement* filter = element("caps");
  g_object_set(filter, "caps", caps, nullptr);
  gst_object_unref(filter);
  gst_caps_unref(caps);
}

void Player::set_property(const Action& action) {
  std::string name = "net", property = action.words[1];
  const std::size_t dot = property.find('.');
  if (dot != std::string::npos) {
    name = property.substr(0, dot);
    property.erase(0, dot + 1);
  }
  GstElement* of = element(name);
  const bool exists = g_object_class_find_property(G_OBJECT_GET_CLASS(of), property.c_str());
  if (exists) {
    const std::string value =
        action.rest.substr(action.rest.find(action.words[2], action.words[1].size()));
    gst_util_set_object_arg(G_OBJECT(of), property.c_str(), value.c_str());
  }
  gst_object_unref(of);
  if (!exists) throw ScenarioError(name + " has no property " + property);
}

void Player::expect(const Action& action) {
  const std::vector<std::string>& words = action.words;
  const std::string text = action.rest.substr(action.rest.find(words[2], words[1].size()));
  if (words[1] == "error") return expect_error(text);
  if (words[1] == "violation") return expect_violation(text);
  finish();
  if (words.size() != 4) throw ScenarioError("expect QUANTITY = VALUE");
  if (words[1] == "size") {
    const std::string size = src_ ? src_->size() : mask_->size();
    if (size != words[3]) throw ScenarioError("frames of " + size);
    return;
  }
  const guint64 is = quantity(words[1]), wanted = std::stoull(words[3]);
  const bool holds = words[2] == "="    ? is == wanted
                     : words[2] == ">=" ? is >= wanted
                                        : words[2] == "<=" && is <= wanted;
  if (!holds) throw ScenarioError(words[1] + " is " + std::to_string(is));
}

void Player::expect_error(const std::string& text) {
  wait_until("an error '" + text + "'", [this] { return !errors_.empty(); });
  if (!take_from(&errors_, text)) finish();
}

void Player::expect_violation(const std::string& text) {
  wait_until("a violation '" + text + "'", [&] {
    collect_violations();
    return take_from(&found_, text);
  });
}

guint64 Player::quantity(const std::string& name) {
  if (name == "frames" && src_) return src_->times().size();
  if (name == "masks" && mask_) return mask_->times().size();
  if (name == "gaps" && mask_) return mask_->gaps();
  const std::string of_stats = "stats.";
  if (name.rfind(of_stats, 0) != 0) throw ScenarioError("there is no quantity " + name);
  GstElement* net = element("net");
  GstStructure* stats = nullptr;
  g_object_get(net, "stats", &stats, nullptr);
  gst_object_unref(net);
  guint64 value = 0;
  const bool exists = gst_structure_get_uint64(stats, name.c_str() + of_stats.size(), &value);
  gst_structure_free(stats);
  if (!exists) throw ScenarioError("there is no quantity " + name);
  return value;
}

// With a reference of its own.
GstElement* Player::element(const std::string& name) const {
  GstElement* found = gst_bin_get_by_name(GST_BIN(pipeline_), name.c_str());
  if (found == nullptr) throw ScenarioError("there is no element " + name);
  return found;
}

void Player::collect_errors() {
  while (GstMessage* message = gst_bus_pop_filtered(
             bus_, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS))) {
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
      has_ended_ = true;
    } else {
      GError* error = nullptr;
      gchar* detail = nullptr;
      gst_message_parse_error(message, &error, &detail);
      errors_.push_back(std::string(error->message) + " " + (detail ? detail : ""));
      g_error_free(error);
      g_free(detail);
    }
    gst_message_unref(message);
  }
}

// What left is what came, in its order, if not all of it yet.
void Player::compare(bool has_ended) {
  // From the sinks backwards: what comes meanwhile makes the later list longer, not the earlier.
  for (const auto* sink : {&mask_, &src_}) {
    if (!*sink) continue;
    const std::vector<GstClockTime> out = (*sink)->times(), in = in_->times();
    const std::string what = sink == &mask_ ? "masks" : "frames";
    if (!begins_with(in, out)) violations_.add(what + " are not those that went into net");
    if (has_ended && out.size() != in.size())
      violations_.add(std::to_string(in.size()) + " frames into net, " +
                      std::to_string(out.size()) + " " + what + " out of it");
  }
  collect_violations();
}

void Player::collect_violations() {
  for (std::string& text : violations_.take()) found_.push_back(std::move(text));
}
