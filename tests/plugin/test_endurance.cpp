// SPDX-License-Identifier: MIT
// What must hold for long: pace, memory, threads, descriptors. UNETSEG_TEST_FULL=1 makes it long.
#include <optional>

#include "tests/assertions.h"
#include "tests/plugin/bench.h"
#include "tests/plugin/process.h"
#include "tests/plugin/steps.h"

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8, "framerate=60/1");

const bool kFull = g_getenv("UNETSEG_TEST_FULL") != nullptr;

int times(int usual, int full) {
  return kFull ? full : usual;
}

BufferPtr frame(guint8 value = 200, GstClockTime pts = GST_CLOCK_TIME_NONE) {
  return bytes_buffer(64, value, pts);
}

GstClockTime time_of(int number) {
  return gst_util_uint64_scale(static_cast<guint64>(number), GST_SECOND, 60);
}

// Shows which frame a mask is of.
guint8 value_of(int number) {
  return static_cast<guint8>(128 + number % 128);
}

void set_state(Bench& bench, GstState state) {
  ck_assert_int_eq(gst_element_set_state(bench.element(), state), GST_STATE_CHANGE_SUCCESS);
}

// What the bus and the harness keep grows with time.
void tidy(Bench& bench) {
  ck_assert_uint_eq(bench.errors().size(), 0);
  while (GstEvent* event = gst_harness_try_pull_event(bench.harness())) gst_event_unref(event);
}

class Random {
 public:
  guint32 below(guint32 limit) {
    seed_ = seed_ * 1664525u + 1013904223u;
    return static_cast<guint32>((static_cast<guint64>(seed_) * limit) >> 32);
  }

 private:
  guint32 seed_ = 1;
};

std::string text_stat(Bench& bench, const char* field) {
  GstStructure* stats = nullptr;
  g_object_get(bench.element(), "stats", &stats, nullptr);
  const StructurePtr owned(stats);
  gchar* text = gst_value_serialize(gst_structure_get_value(stats, field));
  const std::string result(text);
  g_free(text);
  return result;
}

}  // namespace

// An hour of a camera at 60 frames a second, with inferences that last 200 ms: time is what the
// frames say, and an inference ends when twelve of them have come.
START_TEST(test_s11_a_slow_network_never_delays_a_camera) {
  constexpr int kLasts = 12;
  const int frames = 60 * times(60, 3600);
  Steps steps;
  Bench bench({{"output", "probability"}, {"model-file", steps.script()}}, Upstream::live);
  ck_assert(bench.send_caps(kCaps));
  GstClockTime latency = GST_CLOCK_TIME_NONE;
  const QueryPtr query(gst_query_new_latency());
  ck_assert(gst_pad_peer_query(bench.harness()->sinkpad, query.get()));
  gst_query_parse_latency(query.get(), nullptr, &latency, nullptr);
  ck_assert_uint_eq(latency, 0);

  const NamedThread worker("unetseg-infer");
  std::optional<Footprint> footprint;
  int shown = -1, running = -1;
  for (int i = 0; i < frames; ++i) {
    if (i == frames / 20) footprint.emplace();
    if (running >= 0 && i - running == kLasts) {
      steps.go();
      steps.wait_until_done();
      worker.wait_until_asleep();
      shown = std::exchange(running, -1);
    }
    ck_assert_int_eq(bench.push(frame(value_of(i), time_of(i))), GST_FLOW_OK);
    if (running < 0) {
      steps.wait_until_begun();
      running = i;
    }
    // It is out before the next one comes, with the newest mask that is finished.
    const BufferPtr out = bench.pull();
    ck_assert(out != nullptr);
    ck_assert_uint_eq(GST_BUFFER_PTS(out.get()), time_of(i));
    ck_assert_int_eq(is_gap(out.get()), shown < 0);
    ck_assert(is_uniform(out.get(), shown < 0 ? 0 : value_of(shown)));
    ck_assert(bench.pull() == nullptr);
  }
  footprint->assert_kept();
  steps.go();

  const guint64 all = static_cast<guint64>(frames);
  ck_assert_uint_eq(bench.stat("frames"), all);
  ck_assert_uint_eq(bench.stat("inferred"), all / kLasts);
  ck_assert_uint_eq(bench.stat("inferences"), all / kLasts - 1);  // the last one is still running
  ck_assert_uint_eq(bench.stat("gaps"), kLasts - 1);
  ck_assert_uint_eq(bench.stat("held"), all - all / kLasts - (kLasts - 1));
  ck_assert_uint_eq(bench.stat("faulty"), 0);
  ck_assert_uint_eq(bench.stat("skipped"), all - all / kLasts);
  // Twelve frames for its own inference and eleven for the next one's.
  const guint64 oldest = bench.stat("mask-age-max"), expected = time_of(2 * kLasts - 1);
  ck_assert_uint_ge(oldest + 1, expected);
  ck_assert_uint_le(oldest, expected + 1);
  assert_equal(text_stat(bench, "mode"), "latest");
  assert_equal(text_stat(bench, "live"), "true");
  assert_equal(text_stat(bench, "batch-size"), "1");
}
END_TEST

START_TEST(test_s7_cycles_with_frames_leave_nothing_behind) {
  Bench bench;
  ck_assert(bench.send_caps(kCaps));
  Random random;
  std::optional<Footprint> footprint;
  const int cycles = times(500, 10000);
  for (int i = 0; i < cycles; ++i) {
    // Some detours on the way.
    for (guint32 steps = random.below(3); steps > 0; --steps)
      set_state(bench, static_cast<GstState>(GST_STATE_NULL + random.below(4)));
    set_state(bench, GST_STATE_PLAYING);
    for (int n = 0; n < 3; ++n) {
      ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
      ck_assert(bench.pull() != nullptr);
    }
    set_state(bench, GST_STATE_NULL);
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_FLUSHING);
    tidy(bench);
    if (i == cycles / 20) footprint.emplace();
  }
  footprint->assert_kept();
}
END_TEST

START_TEST(test_s7_s8_stops_during_an_inference_leave_nothing_behind) {
  Steps steps;
  Bench bench({{"model-file", steps.script()}});
  ck_assert(bench.send_caps(kCaps));
  std::optional<Footprint> footprint;
  const int cycles = times(200, 5000);
  for (int i = 0; i < cycles; ++i) {
    GstFlowReturn flow = GST_FLOW_OK;
    std::thread streaming([&] { flow = bench.push(frame()); });
    steps.wait_until_begun();
    std::thread stopping([&] { set_state(bench, i % 2 ? GST_STATE_READY : GST_STATE_NULL); });
    streaming.join();  // before the inference ends
    ck_assert_int_eq(flow, GST_FLOW_FLUSHING);
    steps.go();
    stopping.join();
    steps.wait_until_done();
    ck_assert(bench.pull() == nullptr);
    tidy(bench);
    if (i == cycles / 20) {
      set_state(bench, GST_STATE_NULL);
      footprint.emplace();
    }
    set_state(bench, GST_STATE_PLAYING);
  }
  set_state(bench, GST_STATE_NULL);
  footprint->assert_kept();
}
END_TEST

START_TEST(test_c11_renegotiations_lose_no_frame_and_leave_nothing_behind) {
  Bench bench({{"output", "mask"}});
  Random random;
  std::optional<Footprint> footprint;
  const int changes = times(500, 50000);
  for (int i = 0; i < changes; ++i) {
    if (i % 10 == 9) {
      bench.send_caps("video/x-raw,format=GRAY16_LE,width=8,height=8,framerate=30/1");
      ck_assert_int_eq(bench.push(frame()), GST_FLOW_NOT_NEGOTIATED);
    }
    const char* const formats[] = {"GRAY8", "RGB", "BGRA", "I420", "NV12", "YUY2"};
    const char* format = formats[random.below(G_N_ELEMENTS(formats))];
    const int width = 1 + static_cast<int>(random.below(64)),
              height = 1 + static_cast<int>(random.below(64));
    GstVideoInfo info;
    gst_video_info_set_format(&info, gst_video_format_from_string(format),
                              static_cast<guint>(width), static_cast<guint>(height));
    ck_assert(bench.send_caps(caps_of(format, width, height)));
    for (int n = 0; n < 2; ++n) {
      const GstClockTime pts = static_cast<GstClockTime>(2 * i + n);
      ck_assert_int_eq(bench.push(bytes_buffer(info.size, 220, pts)), GST_FLOW_OK);
      const BufferPtr mask = bench.pull();
      ck_assert(mask != nullptr);
      ck_assert_uint_eq(GST_BUFFER_PTS(mask.get()), pts);
      const guint8 lesion = 255;
      std::vector<guint8> pixels = bytes_of(mask.get());
      ck_assert_uint_ge(pixels.size(), static_cast<std::size_t>(width * height));
      ck_assert_msg(pixels[0] == lesion, "%s %dx%d", format, width, height);
    }
    tidy(bench);
    if (i == changes / 20) footprint.emplace();
  }
  footprint->assert_kept();
  ck_assert_uint_eq(bench.stat("inferred"), static_cast<guint64>(2 * changes));
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("endurance");
  TCase* tests = tcase_create("endurance");
  tcase_set_timeout(tests, times(60, 3600));
  tcase_add_test(tests, test_s11_a_slow_network_never_delays_a_camera);
  tcase_add_test(tests, test_s7_cycles_with_frames_leave_nothing_behind);
  tcase_add_test(tests, test_s7_s8_stops_during_an_inference_leave_nothing_behind);
  tcase_add_test(tests, test_c11_renegotiations_lose_no_frame_and_leave_nothing_behind);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
