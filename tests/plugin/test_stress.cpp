// SPDX-License-Identifier: MIT
// Everything at once, from many threads. UNETSEG_TEST_FULL=1 makes it long; ThreadSanitizer's build
// says whether it was clean.
#include <mutex>
#include <set>

#include "tests/plugin/bench.h"

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);

const bool kFull = g_getenv("UNETSEG_TEST_FULL") != nullptr;

class Random {
 public:
  explicit Random(guint32 seed) : seed_(seed) {}
  guint32 below(guint32 limit) {
    seed_ = seed_ * 1664525u + 1013904223u;
    return static_cast<guint32>((static_cast<guint64>(seed_) * limit) >> 32);
  }

 private:
  guint32 seed_;
};

// Threads that do the same again and again until it is enough.
class Crowd {
 public:
  ~Crowd() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  void add(const std::function<void(Random&)>& act) {
    const guint32 seed = static_cast<guint32>(threads_.size() + 1);
    threads_.emplace_back([this, act, seed] {
      Random random(seed);
      while (!stop_) {
        act(random);
        g_usleep(random.below(200));
      }
    });
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

const Properties::Property kChanges[] = {
    {"output", "mask"},
    {"output", "overlay"},
    {"output", "probability"},
    {"output", "none"},
    {"output", "cutout"},
    {"mode", "latest"},
    {"mode", "every-frame"},
    {"mode", "auto"},
    {"model-file", "fake:"},
    {"model-file", "fake:size=9x9"},
    {"device", "cpu"},
    {"threads", "2"},
    {"batch-size", "1"},
    {"batch-size", "4"},
    {"inference-interval", "1"},
    {"inference-interval", "3"},
    {"inference-timeout", "0"},
    {"inference-timeout", "60000000000"},
    {"max-mask-age", "-1"},
    {"max-mask-age", "1"},
    {"motion-compensation", "false"},
    {"motion-compensation", "true"},
    {"threshold", "0.3"},
    {"threshold", "-1"},
    {"smoothing", "0.5"},
    {"smoothing", "0"},
    {"largest-only", "on"},
    {"fill-holes", "on"},
    {"min-area", "0.1"},
    {"tta", "flips"},
    {"tta", "none"},
    {"fit", "letterbox"},
    {"fit", "stretch"},
    {"color", "0x80ff0000"},
    {"contour-width", "0"},
    {"contour-width", "2"},
    {"opacity", "1"},
    {"post-messages", "true"},
    {"post-messages", "false"},
    {"pixel-size", "0.1"},
    {"qos", "false"},
    {"qos", "true"},
};

void set_something(Bench& bench, Random& random) {
  set_properties(bench.element(), {kChanges[random.below(G_N_ELEMENTS(kChanges))]});
}

void read_everything(Bench& bench) {
  guint n = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(bench.element()), &n);
  for (guint i = 0; i < n; ++i) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, specs[i]->value_type);
    g_object_get_property(G_OBJECT(bench.element()), specs[i]->name, &value);
    g_value_unset(&value);
  }
  g_free(specs);
}

void ask_and_tell(Bench& bench, Random& random) {
  GstPad* from = bench.harness()->sinkpad;
  switch (random.below(4)) {
    case 0:
      gst_pad_push_event(from, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5, GST_MSECOND,
                                                 random.below(100) * GST_MSECOND));
      break;
    case 1:
      gst_pad_push_event(from, gst_event_new_latency(GST_MSECOND));
      break;
    case 2: {
      const QueryPtr query(gst_query_new_latency());
      gst_pad_peer_query(from, query.get());
      break;
    }
    default:
      const CapsPtr caps(gst_pad_peer_query_caps(from, nullptr));
      ck_assert(!gst_caps_is_empty(caps.get()));
  }
}

// By a pad of our own: a harness cannot be taken down while buffers come.
void take_masks_for_a_while(Bench& bench, Random& random) {
  GstPad* sink = GST_PAD(gst_object_ref_sink(gst_pad_new("sink", GST_PAD_SINK)));
  gst_pad_set_chain_function(sink, [](GstPad*, GstObject*, GstBuffer* buffer) {
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
  });
  gst_pad_set_active(sink, TRUE);
  GstPad* masks = gst_element_request_pad_simple(bench.element(), "mask");
  gst_pad_link(masks, sink);
  g_usleep(random.below(2000));
  gst_pad_unlink(masks, sink);
  gst_element_release_request_pad(bench.element(), masks);
  gst_object_unref(masks);
  gst_pad_set_active(sink, FALSE);
  gst_object_unref(sink);
}

void flush(Bench& bench) {
  bench.send(gst_event_new_flush_start());
  GST_PAD_STREAM_LOCK(bench.harness()->srcpad);
  bench.send(gst_event_new_flush_stop(TRUE));
  bench.send_segment();
  GST_PAD_STREAM_UNLOCK(bench.harness()->srcpad);
}

}  // namespace

START_TEST(test_s16_s9_everything_at_once) {
  Bench bench;
  ck_assert(bench.send_caps(kCaps));
  std::atomic<int> failures{0}, pushed{0};
  {
    Crowd crowd;
    crowd.add([&](Random& random) {
      GST_PAD_STREAM_LOCK(bench.harness()->srcpad);
      const GstClockTime pts = static_cast<GstClockTime>(pushed++) * 33 * GST_MSECOND;
      const GstFlowReturn flow =
          bench.push(bytes_buffer(64, static_cast<guint8>(random.below(256)), pts));
      GST_PAD_STREAM_UNLOCK(bench.harness()->srcpad);
      if (flow != GST_FLOW_OK && flow != GST_FLOW_FLUSHING) ++failures;
      while (bench.pull()) {
      }
    });
    for (int i = 0; i < 2; ++i) crowd.add([&](Random& random) { set_something(bench, random); });
    crowd.add([&](Random&) { read_everything(bench); });
    crowd.add([&](Random& random) { ask_and_tell(bench, random); });
    crowd.add([&](Random& random) { take_masks_for_a_while(bench, random); });
    for (int i = 0; i < (kFull ? 100000 : 500); ++i) {
      flush(bench);
      g_usleep(1000);
      if (i % 50 != 49) continue;
      const GstState down_to = i % 100 == 99 ? GST_STATE_READY : GST_STATE_PAUSED;
      for (const GstState state : {down_to, GST_STATE_PLAYING})
        ck_assert_int_ne(gst_element_set_state(bench.element(), state), GST_STATE_CHANGE_FAILURE);
    }
  }
  ck_assert_int_eq(failures, 0);
  ck_assert_uint_eq(bench.errors().size(), 0);
  ck_assert_uint_eq(bench.stat("frames"), bench.stat("inferred") + bench.stat("held") +
                                              bench.stat("gaps") + bench.stat("faulty"));
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("stress");
  TCase* tests = tcase_create("stress");
  tcase_set_timeout(tests, kFull ? 3600 : 60);
  tcase_add_test(tests, test_s16_s9_everything_at_once);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
