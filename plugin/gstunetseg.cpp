// SPDX-License-Identifier: MIT
// The element's GObject face: every virtual function is a cast and one call into Element.

// Lines of a shell stay whole.
// clang-format off

/**
 * SECTION:element-unetseg
 * @title: unetseg
 * @short_description: Segments skin lesions in dermatoscope video
 *
 * Runs an Improved UNet on every frame and shows where the lesion is: as an overlay in the frame's
 * own format, as a mask, as the probability of lesion at each pixel, or by cutting it out. Frames are
 * read in the format they come in; only what the network needs of them is converted.
 *
 * The network and LibTorch live in a module of their own, which is opened when the element goes to
 * READY. The model is loaded and warmed up on the way to PAUSED, before the first frame.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! unetseg ! videoconvert ! autovideosink
 * ]| A camera's picture with the lesion outlined.
 * |[
 * gst-launch-1.0 filesrc location=lesion.jpg ! jpegdec ! unetseg output=mask ! pngenc ! filesink
 * location=mask.png
 * ]| One picture's mask.
 * |[
 * gst-launch-1.0 multifilesrc location=%04d.jpg caps=image/jpeg,framerate=1/1 ! jpegdec !
 * videoconvert ! unetseg output=mask ! pngenc ! multifilesink location=mask-%04d.png
 * ]| The masks of a sequence of pictures.
 * |[
 * gst-launch-1.0 filesrc location=lesion.jpg ! jpegdec ! unetseg output=cutout ! pngenc ! filesink
 * location=cutout.png
 * ]| The lesion alone, as a PNG with alpha.
 * |[
 * gst-launch-1.0 compositor name=mix ! videoconvert ! autovideosink  videotestsrc pattern=checkers-8 ! mix.  v4l2src ! videoconvert ! unetseg output=cutout ! mix.
 * ]| A camera's lesion over another picture.
 *
 * |[
 * gst-launch-1.0 -e v4l2src ! videoconvert ! unetseg name=net  net. ! queue ! videoconvert ! jpegenc ! matroskamux ! filesink location=overlay.mkv  net.mask ! queue ! pngenc ! qtmux fragment-duration=1000 ! filesink location=mask.mov
 * ]| Overlay and masks of one camera, recorded together.
 *
 * ## Outputs
 *
 * With `output=none` frames pass untouched, and are neither copied nor drawn on.
 *
 * With `output=cutout` alpha is straight and the probability of lesion, after the mask's clean-up: 255
 * where the network is sure of lesion, and soft at the border. It takes the place of alpha that the
 * frame came with. The format is the frame's own where it has alpha, and its colours stay bit for bit
 * then; other formats are converted, by matrix and range, to the first of RGBA, BGRA, ARGB and ABGR that
 * what comes after takes. Frames without a mask are transparent, and have the GAP flag.
 *
 * ## Frames in GPU memory
 *
 * Where the network runs on an NVIDIA GPU and GStreamer has its CUDA library (from 1.22 on), both pads
 * take frames with `memory:CUDAMemory`, which are sampled and drawn on there. The element tells those
 * around it the CUDA context that it works in; frames of another context or GPU are copied through
 * system memory, of which a warning tells once. Masks, on both pads, are in system memory. Cutouts are
 * not made of frames in GPU memory.
 * |[
 * gst-launch-1.0 filesrc location=film.mp4 ! qtdemux ! h264parse ! nvh264dec ! unetseg device=cuda ! nvh264enc ! h264parse ! matroskamux ! filesink location=overlay.mkv
 * ]| A film, decoded, outlined and encoded without its frames leaving the GPU.
 *
 * ## Live pipelines
 *
 * In a live pipeline no frame waits for the network and none is dropped: each is pushed at once with
 * the newest mask that is finished, unless that is older than #GstUnetseg:max-mask-age. The
 * #GstUnetseg:mode property says otherwise where every frame needs its own mask.
 *
 * With #GstUnetseg:motion-compensation a mask follows the camera: each frame is compared with the
 * one that the mask was inferred from, at the network's resolution, and the mask is shifted, turned
 * and scaled as the picture is. Measurements and metas are of the mask as it is shown; messages are
 * of the frame that was inferred. Where the movement cannot be told (a blurred frame, bare skin) the
 * mask stays where it was last; where a frame shows another scene the mask is dropped, and there is
 * none until the next inference is finished. #GstUnetseg:smoothing starts anew at another scene in
 * every mode. A mask of a model that has been replaced stays where it is.
 *
 * ## How frames become the network's input
 *
 * The network takes pictures of one size, which #GstUnetseg:model-info tells. #GstUnetseg:fit is how a
 * frame of another shape becomes one; its pixels count as wide as the pixel aspect ratio makes them.
 *
 * * `weights`: as the model wants it
 * * `stretch`: each axis on its own, so that shapes are distorted
 * * `letterbox`: the whole frame, centred, with black beside it
 * * `crop`: the frame's largest centred part of the input's shape. Masks, measurements and outlines
 *   know of no lesion outside of it; an outline is closed along its edge
 *
 * Masks are of the whole frame in each of them. A mask that is held keeps the fit that its own frame
 * had.
 *
 * ## From probabilities to masks
 *
 * With #GstUnetseg:smoothing s the probabilities of a frame are (1 - s) times what the network gives
 * for it and s times those of the frame inferred before, which were smoothed as well: 0 smooths
 * nothing, and 1 keeps the first frame's. It starts anew after a flush, a seek, a discontinuity (in latest
 * mode one that is longer than a mask is shown), new caps, a faulty frame or another scene, and with
 * another model or fit. Frames that are not inferred do not count.
 *
 * #GstUnetseg:min-area drops regions by their share of the frame, #GstUnetseg:largest-only all but one,
 * then #GstUnetseg:fill-holes fills those that are left, at the network's resolution. Where the network
 * is less sure of what is left than #GstUnetseg:min-confidence, nothing is found: more of it keeps bare
 * skin free of outlines, and costs pale lesions. What the model was made with is `auto`, or -1. What is
 * enlarged to the frame's size and cut at #GstUnetseg:threshold is the mask. A change of these shows on
 * the next frame, if its mask is held too.
 *
 * ## Measurements
 *
 * With #GstUnetseg:post-messages the element posts an element message `unetseg` for each frame that
 * is inferred; results that a flush, a seek or new caps have overtaken are dropped. All frames that
 * show a mask, and the masks, carry the same fields as a #GstCustomMeta `unetseg`, and where a lesion
 * was found a #GstVideoRegionOfInterestMeta `lesion`. Where GStreamer has it (from 1.26 on) they also
 * carry a #GstAnalyticsRelationMeta with the segmentation, at the network's size, and the lesion as
 * an object. Frames without a mask carry none of these: nothing is known of them.
 *
 * * `timestamp`, `running-time`, `stream-time`, `duration` (#guint64, nanoseconds): of the frame that
 *   was inferred; #GST_CLOCK_TIME_NONE where unknown
 * * `frame` (#guint64): its number since the start, from 0
 * * `device` (#gchararray): where the network ran
 * * `mask-age` (#guint64, nanoseconds): from that frame to the one that carries the meta, or that
 *   first shows the mask
 * * `inference-time` (#guint64, nanoseconds)
 * * `found` (#gboolean): FALSE where the frame has no lesion; the fields below are 0 then
 * * `area` (#gdouble, pixels), `area-fraction` (#gdouble, of the frame)
 * * `x`, `y`, `width`, `height` (#gint, pixels): bounding box
 * * `centroid-x`, `centroid-y`, `perimeter`, `diameter` (#gdouble, pixels): the diameter is the
 *   longest from border to border (the largest Feret diameter)
 * * `asymmetry` (#gdouble): share of the lesion that its mirror image leaves uncovered, the mean over
 *   both principal axes; 0 is symmetric (after Stoecker, Li and Moss, Computerized Medical Imaging and
 *   Graphics 16, 1992)
 * * `border-irregularity` (#gdouble): perimeter² / (4 π area); 1 is a disc (Golston, Stoecker, Moss
 *   and Dhillon, the same volume)
 * * `confidence` (#gdouble, 0 to 1): the Dice score to be expected by the network's probabilities, to
 *   first order (Borges, Pacheco and Silva, arXiv:2402.10665)
 * * `area-mm2`, `perimeter-mm`, `diameter-mm` (#gdouble): where #GstUnetseg:pixel-size is set
 *
 * ## While it runs
 *
 * All properties can be set while frames run. #GstUnetseg:model-file, #GstUnetseg:device,
 * #GstUnetseg:precision, #GstUnetseg:engine, #GstUnetseg:threads and #GstUnetseg:batch-size need a
 * model that is loaded anew: that happens aside, and it takes over between two frames, which `notify::model-info` tells.
 * No frame waits for it or is lost. Where it cannot be loaded a warning says why, and the model
 * before stays in use; the property reads back what was asked for, #GstUnetseg:model-info what runs.
 * #GstUnetseg:output changes with the next frame, if what comes after takes its caps; where not, a
 * warning says so, and the property reads back the output that goes on. A #GstUnetseg:mode that changes
 * the latency is followed by a latency message.
 *
 * ## Batches
 *
 * With #GstUnetseg:batch-size frames wait until so many are there, and are inferred together: more
 * frames a second on a GPU. Masks are those of single frames, in order, and any event that has its
 * place among the frames sends out those that wait. The time that the first frame of a batch waits is
 * part of the latency that is reported. Live frames, and those without a framerate, do not wait.
 * |[
 * gst-launch-1.0 filesrc location=clip.mkv ! decodebin ! videoconvert ! unetseg batch-size=16 output=mask ! pngenc ! multifilesink location=mask-%05d.png
 * ]| A recording's masks, sixteen frames at a time.
 *
 * ## Several elements
 *
 * Elements of one process that run one model file on the same device and in the same precision share
 * its weights. On the CPU all share their threads: their inferences take turns, or, where
 * #GstUnetseg:threads is set to a part of the cores, as many run side by side as there is room for.
 *
 * ## Faulty frames
 *
 * What happens to a frame that cannot be segmented is the #GstUnetseg:on-error property's to say.
 * A frame without a mask leaves as it came, or as a mask of zeros or a transparent frame with the GAP
 * flag.
 *
 * An inference that takes longer than #GstUnetseg:inference-timeout is given up: its frame is faulty,
 * live frames that come before it returns leave without a mask, and its result is dropped. One that
 * has not returned five seconds after the element is stopped (or ten times what it took at the start)
 * is left behind with its memory, which is an error; the element can be started again.
 *
 * ## Statistics
 *
 * #GstUnetseg:stats counts since the start. Each frame is one of the first four kinds.
 *
 * * `inferred` (#guint64): frames that the network was given
 * * `held` (#guint64): frames that an earlier mask was there for, be it too old to be shown
 * * `gaps` (#guint64): frames without any mask: marked as gaps, or before the first one
 * * `faulty` (#guint64): frames that could not be segmented
 * * `frames` (#guint64): these four together
 * * `skipped` (#guint64): those of `held` and `gaps` that were to be inferred, but the network was
 *   busy, or the sink said that they come late
 * * `inferences` (#guint64): frames or batches that came back from the network
 * * `inference-time-median`, `inference-time-p95`, `inference-time-p99` (#guint64, nanoseconds): of
 *   the last 512
 * * `mask-age`, `mask-age-max` (#guint64, nanoseconds): of the last mask that was shown, and the
 *   largest: from the frame that it was inferred from to the one that showed it
 * * `live` (#gboolean), `mode` (#gchararray), `batch-size` (#guint): what is in use; what is
 *   automatic is settled with the first caps
 */

// clang-format on

#include "plugin/gstunetseg.h"

#include <new>

#include "plugin/caps.h"
#include "plugin/debug.h"
#include "plugin/element.h"
#include "plugin/errors.h"
#include "plugin/fork_guard.h"
#include "plugin/results.h"

using unetseg::Element;

struct _GstUnetseg {
  GstElement parent;
  Element* impl;  // made in init, deleted in finalize
};

G_DEFINE_TYPE(GstUnetseg, gst_unetseg, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(unetseg, "unetseg", GST_RANK_NONE, GST_TYPE_UNETSEG)

namespace {

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(UNETSEG_CAPS));
GstStaticPadTemplate source_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(UNETSEG_CAPS));

GstStaticPadTemplate mask_template = GST_STATIC_PAD_TEMPLATE(
    "mask", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("GRAY8")));

void refuse_forked_child(gpointer object) {
  unetseg::post_error(GST_ELEMENT(object),
                      {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
                       "The network does not run in a process that was forked off from another one "
                       "with it: start a program of its own (exec)",
                       "fork() without exec()"});
}

// The one place where C++ exceptions end: they become the element's error message. In a forked
// child nothing is called.
template <typename Result, typename Call>
Result guarded(gpointer object, Result otherwise, Call&& call) {
  if (unetseg::is_forked_child()) return otherwise;
  try {
    return call(*GST_UNETSEG(object)->impl);
  } catch (...) {
    unetseg::post_error(GST_ELEMENT(object), unetseg::failure_from_exception());
    return otherwise;
  }
}

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  unetseg::BufferPtr owned(buffer);
  if (unetseg::is_forked_child()) refuse_forked_child(parent);
  return guarded(parent, GST_FLOW_ERROR, [&](Element& e) { return e.chain(std::move(owned)); });
}

GstFlowReturn sink_event(GstPad*, GstObject* parent, GstEvent* event) {
  unetseg::EventPtr owned(event);
  if (unetseg::is_forked_child()) refuse_forked_child(parent);
  const GstFlowReturn flow =
      guarded(parent, GST_FLOW_ERROR, [&](Element& e) { return e.sink_event(&owned); });
  // Where the last frames have failed the stream ends all the same, after the error.
  if (owned && GST_EVENT_TYPE(event) == GST_EVENT_EOS)
    guarded(parent, GST_FLOW_ERROR, [&](Element& e) { return e.forward(std::move(owned)); });
  return flow;
}

gboolean source_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  return guarded(parent, FALSE, [&](Element& e) { return e.source_event(pad, event); });
}

gboolean sink_query(GstPad*, GstObject* parent, GstQuery* query) {
  return guarded(parent, FALSE, [&](Element& e) { return e.sink_query(query); });
}

gboolean source_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  return guarded(parent, FALSE, [&](Element& e) { return e.source_query(pad, query); });
}

// False: the step failed, and an error was posted.
template <typename Step>
bool takes(GstElement* element, Step step) {
  return guarded(element, false, [&](Element& e) {
    (e.*step)();
    return true;
  });
}

// Down it goes without anything being done: the streaming thread that shutting the pads would wait
// for is not there.
GstStateChangeReturn change_state_of_forked_child(GstElement* element, GstStateChange transition) {
  if (GST_STATE_TRANSITION_NEXT(transition) < GST_STATE_TRANSITION_CURRENT(transition))
    return GST_STATE_CHANGE_SUCCESS;
  refuse_forked_child(element);
  return GST_STATE_CHANGE_FAILURE;
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  if (unetseg::is_forked_child()) return change_state_of_forked_child(element, transition);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !takes(element, &Element::find_device))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !takes(element, &Element::load_model))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) takes(element, &Element::unblock);

  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_unetseg_parent_class)->change_state(element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) takes(element, &Element::stop);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL) takes(element, &Element::unload);
  return result;
}

GstPad* new_source_pad(GstStaticPadTemplate* pad_template) {
  GstPad* pad = gst_pad_new_from_static_template(pad_template, pad_template->name_template);
  gst_pad_set_event_function(pad, source_event);
  gst_pad_set_query_function(pad, source_query);
  return pad;
}

// There is one pad for masks at most.
GstPad* request_new_pad(GstElement* element, GstPadTemplate*, const gchar*, const GstCaps*) {
  if (GstPad* mask = gst_element_get_static_pad(element, "mask")) {
    gst_object_unref(mask);
    return nullptr;
  }
  GstPad* pad = new_source_pad(&mask_template);
  guarded(element, false, [&](Element& e) {
    e.add_mask_pad(pad);
    return true;
  });
  gst_element_add_pad(element, pad);
  return pad;
}

void release_pad(GstElement* element, GstPad* pad) {
  takes(element, &Element::remove_mask_pad);
  gst_pad_set_active(pad, FALSE);
  gst_element_remove_pad(element, pad);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  if (!guarded(object, true, [&](Element& e) { return e.set_property(id, value); }))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (!guarded(object, true, [&](Element& e) { return e.get_property(id, value); }))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void finalize(GObject* object) {
  if (!unetseg::is_forked_child()) delete GST_UNETSEG(object)->impl;
  G_OBJECT_CLASS(gst_unetseg_parent_class)->finalize(object);
}

}  // namespace

static void gst_unetseg_class_init(GstUnetsegClass* klass) {
  GST_DEBUG_CATEGORY_INIT(gst_unetseg_debug, "unetseg", 0, "skin lesion segmentation");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  element_class->change_state = change_state;
  element_class->request_new_pad = request_new_pad;
  element_class->release_pad = release_pad;
  unetseg::install_properties(object_class);
  unetseg::register_result_meta();
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &source_template);
  gst_element_class_add_static_pad_template(element_class, &mask_template);
  gst_element_class_set_static_metadata(
      element_class, "Skin lesion segmentation", "Filter/Effect/Video",
      "Outlines skin lesions in dermatoscope video with an Improved UNet",
      "The unetseg developers");
}

static void gst_unetseg_init(GstUnetseg* self) {
  GstPad* sink = gst_pad_new_from_static_template(&sink_template, "sink");
  GstPad* source = new_source_pad(&source_template);
  gst_pad_set_chain_function(sink, chain);
  gst_pad_set_event_full_function(sink, sink_event);
  gst_pad_set_query_function(sink, sink_query);
  gst_element_add_pad(GST_ELEMENT(self), sink);
  gst_element_add_pad(GST_ELEMENT(self), source);
  self->impl = new Element(GST_ELEMENT(self), sink, source);
}
