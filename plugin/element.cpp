// SPDX-License-Identifier: MIT
#include "plugin/element.h"

#include <algorithm>

#include "plugin/debug.h"
#include "plugin/errors.h"
#include "plugin/model_info.h"
#include "plugin/queries.h"

namespace unetseg {
namespace {

Failure left_behind() {
  return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SHUTDOWN,
          "An inference does not return and was left behind with its memory: restart the program, "
          "and if it happens again update the GPU's driver or set device=cpu",
          "the worker's thread is still running"};
}

}  // namespace

Element::Element(GstElement* element, GstPad* sink, GstPad* source)
    : element_(element),
      sink_(sink),
      source_(source),
      models_([this](const ModelSettings& asked, const Failure& failure) {
        model_failed(asked, failure);
      }),
      latency_(element, &statistics_),
      frames_(element, source, &statistics_) {}

Settings Element::settings() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return settings_;
}

// What comes out: of the stream that runs, or of the next one.
Output Element::output() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return running_output_.value_or(settings_.frame.output);
}

std::shared_ptr<CudaDevice> Element::cuda() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return cuda_;
}

// Before a device was looked for, pads can be linked for all that it may turn out to be.
FrameMemory Element::frame_memory() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool may_be_cuda =
      cuda_ != nullptr || (device_in_use_.empty() && settings_.model.device != "cpu");
  return may_be_cuda ? FrameMemory::system_or_cuda : FrameMemory::system;
}

// Elements around this one are told of its context, and asked for frames in another memory.
void Element::use_cuda(const std::shared_ptr<CudaDevice>& device) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (cuda_ == device) return;
    cuda_ = device;
  }
  if (device) device->publish(element_);
  gst_pad_push_event(sink_, gst_event_new_reconfigure());
}

void Element::find_device() {
  const std::string asked = settings().model.device;
  std::string notice;
  const std::string found = Inference::probe(asked, &notice);
  if (!notice.empty())
    post_warning(element_, {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                            notice + "; set device=cpu to be asked no more", "device=auto"});
  else if (asked == "auto" && found == "cpu")
    GST_INFO_OBJECT(element_,
                    "device=auto: there is no GPU with a driver, the network runs on the CPU");
  GST_INFO_OBJECT(element_, "device %s", found.c_str());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    device_in_use_ = found;
  }
  use_cuda(CudaDevice::find(found));
  g_object_notify(G_OBJECT(element_), "device-in-use");
}

void Element::load_model() {
  const Settings settings = this->settings();
  try {
    models_.open(settings.model);
  } catch (...) {
    frames_.use(nullptr);
    forget_model();
    throw;
  }
  const std::shared_ptr<Inference> model = models_.current();
  statistics_.reset();
  frames_.reset();
  frames_.use(model);
  liveness_.forget();
  latency_.begin(*model, settings.frame.tta);
  promised_batch_ = 0;
  publish_model(*model);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_running_ = true;
  }
  models_.set_flushing(false);
}

// What was asked for while running has been loaded, and takes over with this frame.
void Element::take_next_model() {
  const std::shared_ptr<Inference> next = models_.take_next();
  if (!next) return;
  finish_frames();
  frames_.use(next);
  publish_model(*next);
  latency_.begin_anew(*next, frame_settings().tta, !is_latest_mode());
  // Larger batches begin when upstream has been asked for more buffers.
  if (next->settings().batch_size > batch_limit())
    gst_pad_push_event(sink_, gst_event_new_reconfigure());
}

// Loading thread. The model before stays in use.
void Element::model_failed(const ModelSettings& asked, const Failure& failure) {
  Failure warning = failure;
  warning.text += "; the model before stays in use";
  GST_WARNING_OBJECT(element_, "cannot load %s on %s", asked.model_file.c_str(),
                     asked.device.c_str());
  post_warning(element_, warning);
}

void Element::publish_model(Inference& model) {
  const UnetsegModelInfo& info = model.info();
  const std::string& file = model.file();
  GST_INFO_OBJECT(element_, "%s: %s, %dx%d, on %s, %" GST_TIME_FORMAT " an inference", file.c_str(),
                  info.architecture, info.input_width, info.input_height, info.device,
                  GST_TIME_ARGS(model.warm_up_time()));
  StructurePtr published = describe_model(model);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    model_info_ = std::move(published);
    device_in_use_ = info.device;
  }
  use_cuda(model.cuda());
  g_object_notify(G_OBJECT(element_), "model-info");
  if (*info.notice != '\0')
    post_warning(element_, {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, info.notice, ""});
}

void Element::forget_model() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    model_info_.reset();
  }
  g_object_notify(G_OBJECT(element_), "model-info");
}

void Element::unblock() {
  models_.set_flushing(true);
}

void Element::stop() {
  models_.set_flushing(true);
  models_.cancel();
  const bool ended = models_.current()->drain();
  frames_.reset();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_running_ = false;
    running_output_.reset();
  }
  if (ended) return;
  models_.give_up();
  frames_.use(nullptr);
  forget_model();
  throw left_behind();
}

void Element::unload() {
  frames_.use(nullptr);
  const bool ended = models_.close();
  forget_model();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    device_in_use_.clear();
    cuda_.reset();
  }
  if (!ended) throw left_behind();
}

GstFlowReturn Element::chain(BufferPtr buffer) {
  liveness_.learn_if_due(sink_);
  frames_.masks().admit(sink_);
  const FrameSettings settings = frame_settings();
  take_next_model();
  if (frames_.has_caps() && settings.output != frames_.output()) {
    const GstFlowReturn flow = follow_output(settings);
    if (flow != GST_FLOW_OK) return flow;
  }
  frames_.limit_batch(batch_limit());
  const GstFlowReturn result = frames_.process(std::move(buffer), settings, liveness_.is_live());
  latency_.after_frame(!FramePath::is_latest(settings.mode, liveness_.is_live()));
  return result;
}

FrameSettings Element::frame_settings() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return settings_.frame;
}

GstFlowReturn Element::finish_frames() {
  return frames_.finish(frame_settings(), liveness_.is_live());
}

// Another output was asked for: it begins with this frame, or not at all. Frames that wait leave as
// they came.
GstFlowReturn Element::follow_output(const FrameSettings& settings) {
  const Output before = frames_.output();
  const GstFlowReturn flow = finish_frames();
  if (flow != GST_FLOW_OK) return flow;
  const bool follows = frames_.set_output(settings.output);
  if (!follows && GST_PAD_IS_FLUSHING(source_)) return GST_FLOW_FLUSHING;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (follows)
      running_output_ = settings.output;
    else if (settings_.frame.output == settings.output)  // nothing else was asked for since
      settings_.frame.output = before;
  }
  if (follows) return GST_FLOW_OK;
  post_warning(element_, {GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                          "The output cannot change while running: what comes after unetseg does "
                          "not take it; put a videoconvert between them",
                          "accept-caps was refused"});
  g_object_notify(G_OBJECT(element_), "output");
  return GST_FLOW_OK;
}

bool Element::is_latest_mode() {
  return is_latest_mode(liveness_.is_live());
}

bool Element::is_latest_mode(bool live) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return FramePath::is_latest(settings_.frame.mode, live);
}

bool Element::set_caps(GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  liveness_.learn(sink_);
  const Output output = this->output();
  const bool taken = frames_.set_caps(caps, output);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    running_output_ = taken ? std::optional<Output>(output) : std::nullopt;
  }
  if (taken) {
    const guint batch = settings().model.batch_size;
    if (batch > 1 && (liveness_.is_live() || frames_.batch_delay(batch) == 0))
      GST_INFO_OBJECT(element_,
                      "frames are inferred one by one: the pipeline is live, or its "
                      "frames have no rate");
    return true;
  }
  GST_WARNING_OBJECT(element_, "cannot take %" GST_PTR_FORMAT, caps);
  return false;
}

GstFlowReturn Element::sink_event(EventPtr* owned) {
  GstEvent* event = owned->get();
  // Frames that came before it leave before it. What ends a flush has nothing to do with them.
  if (GST_EVENT_IS_SERIALIZED(event) && GST_EVENT_TYPE(event) != GST_EVENT_FLUSH_STOP) {
    finish_frames();
    frames_.masks().admit(sink_);
  }
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
      return set_caps(event) ? GST_FLOW_OK : unless_flushing(GST_FLOW_NOT_NEGOTIATED);
    case GST_EVENT_SEGMENT: {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(event, &segment);
      frames_.set_segment(*segment);
      break;
    }
    case GST_EVENT_EOS:
      frames_.end(frame_settings());
      break;
    case GST_EVENT_FLUSH_START:
      unblock();
      break;
    case GST_EVENT_FLUSH_STOP:
      frames_.discontinue();
      models_.set_flushing(false);
      break;
    default:
      break;
  }
  return forward(std::move(*owned));
}

// What comes out of the order of frames reaches the pad for masks whether it takes part already or
// not: a flush must end whatever it waits for.
GstFlowReturn Element::forward(EventPtr owned) {
  GstEvent* event = owned.get();
  bool taken = gst_pad_push_event(source_, gst_event_ref(event));
  const bool in_order =
      GST_EVENT_IS_SERIALIZED(event) && GST_EVENT_TYPE(event) != GST_EVENT_FLUSH_STOP;
  if (in_order) {
    taken |= frames_.masks().push_event(event);
  } else if (const PadPtr mask = frames_.masks().pad()) {
    taken |= gst_pad_push_event(mask.get(), gst_event_ref(event));
  }
  return taken ? GST_FLOW_OK : unless_flushing(GST_FLOW_ERROR);
}

// An event that failed because the pad behind is being stopped is no error: sources would report
// one.
GstFlowReturn Element::unless_flushing(GstFlowReturn failure) {
  return GST_PAD_IS_FLUSHING(source_) ? GST_FLOW_FLUSHING : failure;
}

gboolean Element::source_event(GstPad* pad, GstEvent* event) {
  // The pipeline's latency is known now, so upstream knows whether it is live.
  if (GST_EVENT_TYPE(event) == GST_EVENT_LATENCY) liveness_.set_due();
  if (GST_EVENT_TYPE(event) == GST_EVENT_QOS && pad == source_) take_qos(event);
  return gst_pad_event_default(pad, GST_OBJECT(element_), event);
}

void Element::take_qos(GstEvent* event) {
  GstClockTimeDiff late = 0;
  GstClockTime running_time = GST_CLOCK_TIME_NONE;
  gst_event_parse_qos(event, nullptr, nullptr, &late, &running_time);
  frames_.lateness().report(running_time, late);
}

void Element::add_mask_pad(GstPad* pad) {
  gst_pad_set_active(pad, TRUE);
  frames_.masks().set_pad(pad);
}

void Element::remove_mask_pad() {
  frames_.masks().set_pad(nullptr);
}

gboolean Element::sink_query(GstQuery* query) {
  if (GST_QUERY_IS_SERIALIZED(query)) finish_frames();
  switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CAPS:
      answer_sink_caps(query, source_, output(), frame_memory());
      return TRUE;
    case GST_QUERY_ACCEPT_CAPS:
      answer_accept_caps(query, output(), frame_memory());
      return TRUE;
    case GST_QUERY_ALLOCATION:
      return answer_allocation(query);
    case GST_QUERY_CONTEXT:
      return answer_context(sink_, query);
    default:
      return gst_pad_query_default(sink_, GST_OBJECT(element_), query);
  }
}

gboolean Element::source_query(GstPad* pad, GstQuery* query) {
  switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CAPS:
      answer_source_caps(query, sink_, pad == source_ ? output() : Output::mask, frame_memory());
      return TRUE;
    case GST_QUERY_LATENCY:
      return answer_latency(query);
    case GST_QUERY_CONTEXT:
      return answer_context(pad, query);
    default:
      return gst_pad_query_default(pad, GST_OBJECT(element_), query);
  }
}

// Frames leave in the buffers that they came in, so the peer decides what these are like. Masks and
// cutouts can have buffers of their own: frames may come as they are.
bool Element::answer_allocation(GstQuery* query) {
  bool answered = true;
  if (passes_frames(output()))
    answered = gst_pad_peer_query(source_, query);
  else
    gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  ask_for_whole_frames(query);
  if (const std::shared_ptr<CudaDevice> device = cuda())
    answered |= offer_cuda_buffers(query, *device);
  const guint batch = batch_size();
  promised_batch_ = batch;
  if (batch == 1) return answered;
  ask_for_buffers(query, batch);
  return true;
}

// The network's own context comes before those that elements further on may know of.
bool Element::answer_context(GstPad* pad, GstQuery* query) {
  const std::shared_ptr<CudaDevice> device = cuda();
  return (device && device->answer(query)) ||
         gst_pad_query_default(pad, GST_OBJECT(element_), query);
}

// As many frames as upstream was told to have buffers for: with more waiting here it could wait for
// a buffer, and they for it. Who has not asked has buffers of its own, and as many as it likes.
guint Element::batch_limit() const {
  const guint promised = promised_batch_;
  return promised > 0 ? promised : kMostInABatch;
}

// Only what is not live is inferred in batches.
guint Element::batch_size() {
  return liveness_.is_live() ? 1 : settings().model.batch_size;
}

bool Element::answer_latency(GstQuery* query) {
  if (!gst_pad_peer_query(sink_, query)) return false;
  gboolean live = FALSE;
  GstClockTime least = 0, most = GST_CLOCK_TIME_NONE;
  gst_query_parse_latency(query, &live, &least, &most);
  // Before the first caps the element has not asked: what upstream says now is what it will hear.
  const bool is_live = liveness_.is_live_or(live);
  const GstClockTime own =
      is_latest_mode(is_live) ? 0
                              : latency_.latency() + (live ? 0 : frames_.batch_delay(batch_size()));
  least += own;
  if (GST_CLOCK_TIME_IS_VALID(most)) most += own;
  gst_query_set_latency(query, live, least, most);
  return true;
}

bool Element::set_property(guint id, const GValue* value) {
  const bool was_latest = is_latest_mode();
  ModelSettings asked;
  UnetsegTta tta_before, tta;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    tta_before = settings_.frame.tta;
    if (!set_setting(&settings_, id, value)) return false;
    if (!is_running_) return true;
    tta = settings_.frame.tta;
    asked = settings_.model;
  }
  // The same value again is a request too: the file may be another now, or there at last.
  if (is_of_model(id)) models_.request(asked);
  if (const auto model = tta != tta_before ? models_.current() : nullptr)
    latency_.begin_anew(*model, tta, !was_latest);
  if (is_latest_mode() != was_latest)
    gst_element_post_message(element_, gst_message_new_latency(GST_OBJECT(element_)));
  return true;
}

StructurePtr Element::stats() {
  const bool live = liveness_.is_live(), latest = is_latest_mode();
  const std::shared_ptr<Inference> model = models_.current();
  const bool one_by_one = live || latest || !model || frames_.batch_delay(2) == 0;
  StructurePtr stats(statistics_.structure());
  gst_structure_set(stats.get(), "live", G_TYPE_BOOLEAN, live,                 //
                    "mode", G_TYPE_STRING, latest ? "latest" : "every-frame",  //
                    "batch-size", G_TYPE_UINT,
                    one_by_one ? 1 : std::min(model->settings().batch_size, batch_limit()),
                    nullptr);
  return stats;
}

std::shared_ptr<const GstStructure> Element::model_info() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return model_info_;
}

bool Element::get_property(guint id, GValue* value) {
  if (id == kStats) {
    g_value_take_boxed(value, stats().release());
    return true;
  }
  if (id == kModelInfo) {
    g_value_set_boxed(value, model_info().get());  // copies it
    return true;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (id != kDeviceInUse) return get_setting(settings_, id, value);
  g_value_set_string(value, device_in_use_.empty() ? nullptr : device_in_use_.c_str());
  return true;
}

}  // namespace unetseg
