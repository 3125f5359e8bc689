// SPDX-License-Identifier: MIT
// The element's behaviour, free of GObject: states, negotiation, events, queries, properties.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "plugin/caps.h"
#include "plugin/cuda_device.h"
#include "plugin/frame_path.h"
#include "plugin/latency_watch.h"
#include "plugin/liveness.h"
#include "plugin/models.h"
#include "plugin/pointers.h"
#include "plugin/settings.h"
#include "plugin/statistics.h"

namespace unetseg {

// Lives as long as its GObject, which it borrows together with the two pads. Functions that can
// fail throw Failure; the caller turns it into the element's error message.
class Element {
 public:
  Element(GstElement* element, GstPad* sink, GstPad* source);

  // NULL -> READY: finds the backend module and the device.
  void find_device();
  // READY -> PAUSED: loads the model and warms it up, so that the first frame waits for neither.
  void load_model();
  // PAUSED -> READY, before the pads are shut: ends every wait of the streaming thread.
  void unblock();
  // PAUSED -> READY, after that. The model stays loaded.
  void stop();
  // READY -> NULL.
  void unload();

  // Streaming thread.
  GstFlowReturn chain(BufferPtr buffer);
  // Takes the event where it goes on; what has ended here, or throws, is left to the caller.
  GstFlowReturn sink_event(EventPtr* event);
  // By both pads.
  GstFlowReturn forward(EventPtr event);
  // Takes the event.
  gboolean source_event(GstPad* pad, GstEvent* event);

  // Any thread. `pad` is one of the source pads.
  gboolean sink_query(GstQuery* query);
  gboolean source_query(GstPad* pad, GstQuery* query);

  // Any thread. The pad for masks alone: taken into use before it is added to the element, and out
  // of it before it is removed.
  void add_mask_pad(GstPad* pad);
  void remove_mask_pad();

  // Any thread. False where there is no such property.
  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value);

 private:
  Settings settings();
  FrameSettings frame_settings();
  Output output();
  std::shared_ptr<CudaDevice> cuda();
  FrameMemory frame_memory();
  void use_cuda(const std::shared_ptr<CudaDevice>& device);
  bool answer_allocation(GstQuery* query);
  bool answer_context(GstPad* pad, GstQuery* query);
  bool answer_latency(GstQuery* query);
  bool set_caps(GstEvent* event);
  void take_qos(GstEvent* event);
  bool is_latest_mode();
  bool is_latest_mode(bool live);
  guint batch_size();
  StructurePtr stats();
  std::shared_ptr<const GstStructure> model_info();
  guint batch_limit() const;
  void take_next_model();
  GstFlowReturn follow_output(const FrameSettings& settings);
  GstFlowReturn finish_frames();
  GstFlowReturn unless_flushing(GstFlowReturn failure);
  void publish_model(Inference& model);
  void model_failed(const ModelSettings& asked, const Failure& failure);
  void forget_model();

  GstElement* element_;
  GstPad *sink_, *source_;

  // Guards the six below. Taken for copies only; nothing is called while it is held.
  std::mutex mutex_;
  Settings settings_;
  std::string device_in_use_;
  std::shared_ptr<CudaDevice> cuda_;  // whose memory frames may come in, or null
  std::shared_ptr<const GstStructure> model_info_;
  bool is_running_ = false;               // from PAUSED on
  std::optional<Output> running_output_;  // from the first caps on; changes between two frames

  Liveness liveness_;
  std::atomic<guint> promised_batch_{0};  // that upstream has been asked to have buffers for

  Statistics statistics_;
  Models models_;
  LatencyWatch latency_;
  FramePath frames_;
};

}  // namespace unetseg
