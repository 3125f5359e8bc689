// SPDX-License-Identifier: MIT
// What memory a frame costs once the first ones are through: GStreamer's small objects (metas,
// structures, lists) and nothing else. Told apart by who asked: the first file in the stack of
// calls above the allocators is neither the plugin nor its module, and all is small.
#include <memory>

#include "tests/plugin/heap_watch.h"
#include "tests/plugin/mask_sink.h"
#include "tests/plugin/steps.h"

namespace {

constexpr int kWidth = 1920, kHeight = 1080, kLuma = kWidth * kHeight;
constexpr int kFirst = 12, kWatched = 40;  // frames
constexpr std::size_t kFrameSized = 65536;
// GstAnalytics takes a mask of the network's size with each frame.
constexpr std::size_t kSmall = GST_CHECK_VERSION(1, 26, 0) ? kFrameSized : 4096;

const std::string kScript = ",size=128x128";  // of a network as large as those that are used

// A camera with buffers of its own, that come round.
class Camera {
 public:
  explicit Camera(Bench& bench) : bench_(bench), pool_(gst_video_buffer_pool_new()) {
    const std::string caps = caps_of("NV12", kWidth, kHeight);
    ck_assert(bench.send_caps(caps));
    const CapsPtr pool_caps(gst_caps_from_string(caps.c_str()));
    GstStructure* config = gst_buffer_pool_get_config(pool_);
    gst_buffer_pool_config_set_params(config, pool_caps.get(), kLuma * 3 / 2, 6, 6);
    ck_assert(gst_buffer_pool_set_config(pool_, config));
    ck_assert(gst_buffer_pool_set_active(pool_, TRUE));
  }
  ~Camera() {
    gst_buffer_pool_set_active(pool_, FALSE);
    gst_object_unref(pool_);
  }
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  // A bright lesion on dark skin, a little further to the right with each frame.
  BufferPtr shoot() {
    GstBuffer* buffer = nullptr;
    ck_assert_int_eq(gst_buffer_pool_acquire_buffer(pool_, &buffer, nullptr), GST_FLOW_OK);
    GstMapInfo map;
    ck_assert(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    std::fill_n(map.data, kLuma, guint8{40});
    std::fill_n(map.data + kLuma, kLuma / 2, guint8{128});
    for (int y = 300; y < 700; ++y)
      std::fill_n(map.data + y * kWidth + 500 + y / 4 + frames_, 600, guint8{220});
    gst_buffer_unmap(buffer, &map);
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(frames_++) * GST_SECOND / 30;
    return BufferPtr(buffer);
  }
  void push() { ck_assert_int_eq(bench_.push(shoot()), GST_FLOW_OK); }

 private:
  Bench& bench_;
  GstBufferPool* pool_;
  int frames_ = 0;
};

bool is_ours(const heap_watch::Allocation& allocation) {
  return allocation.asker.rfind("libgstunetseg", 0) == 0 ||
         allocation.asker.rfind("libunetseg", 0) == 0;
}

// `push` once for each frame; what comes out is taken. Where inferences take as many frames as it
// happens, `inferred` tells how many have begun: so many that all buffers were used before the
// watch, and then some more.
template <typename Push>
std::vector<heap_watch::Allocation> watched(Bench& bench, MaskSink* masks, Push push,
                                            const guint64* inferred = nullptr) {
  const auto one_frame = [&] {
    push();
    while (bench.pull()) {
    }
    while (masks != nullptr && masks->pull()) {
    }
  };
  const auto frames = [&](int at_least, guint64 inferences) {
    for (int i = 0; i < at_least || (inferred != nullptr && *inferred < inferences); ++i)
      one_frame();
  };
  frames(kFirst, 4);
  heap_watch::begin();
  frames(kWatched, 9);
  return heap_watch::end();
}

void assert_small_and_not_ours(const std::vector<heap_watch::Allocation>& all, const char* what) {
  ck_assert_msg(!all.empty(), "%s: not even GStreamer's allocations are seen", what);
  for (const heap_watch::Allocation& allocation : all)
    ck_assert_msg(!is_ours(allocation) && allocation.bytes < kSmall, "%s: %zu bytes for %s:%s",
                  what, allocation.bytes, allocation.asker.c_str(), allocation.calls.c_str());
}

void assert_frames_cost_nothing(Properties properties, bool mask_pad = false) {
  if (!HEAP_CAN_BE_WATCHED) return;
  const std::string what = properties.all.empty() ? "overlay" : properties.all[0].second;
  properties.all.push_back({"model-file", "fake:" + kScript.substr(1)});
  Bench bench(properties);
  const std::unique_ptr<MaskSink> masks(mask_pad ? new MaskSink(bench) : nullptr);
  Camera camera(bench);
  assert_small_and_not_ours(watched(bench, masks.get(), [&] { camera.push(); }), what.c_str());
  ck_assert_uint_ge(bench.stat("inferred"), kFirst + kWatched - 2);  // a batch may be under way
}

}  // namespace

// Otherwise what follows would find nothing whatever happened.
START_TEST(test_the_watch_sees_who_asks_for_how_much) {
  if (!HEAP_CAN_BE_WATCHED) return;
  heap_watch::begin();
  const std::vector<guint8> bytes(70000, 1);
  const BufferPtr buffer = bytes_buffer(80000, bytes[12345]);
  Bench bench;
  const auto all = heap_watch::end();
  const auto has = [&all](auto is_it) { return std::any_of(all.begin(), all.end(), is_it); };
  ck_assert(has([](const heap_watch::Allocation& a) {
    return a.bytes == 70000 && a.asker.rfind("test_allocations", 0) == 0;
  }));
  ck_assert(has([](const heap_watch::Allocation& a) {
    return a.bytes >= 80000 && a.asker.rfind("libgstreamer", 0) == 0;
  }));
  ck_assert(has([](const heap_watch::Allocation& a) {  // to start
    return is_ours(a) && a.asker.rfind("libgstunetseg", 0) == 0;
  }));
  ck_assert(has([](const heap_watch::Allocation& a) {
    return is_ours(a) && a.asker.rfind("libunetseg", 0) == 0;
  }));
}
END_TEST

START_TEST(test_an_overlay_costs_no_memory) {
  assert_frames_cost_nothing({});
  assert_frames_cost_nothing({{"smoothing", "0.5"}});
  assert_frames_cost_nothing({{"batch-size", "3"}});
  assert_frames_cost_nothing({{"tta", "flips"}});
  assert_frames_cost_nothing({{"post-messages", "true"}});
}
END_TEST

START_TEST(test_masks_cost_no_memory) {
  assert_frames_cost_nothing({{"output", "mask"}});
  assert_frames_cost_nothing({{"output", "probability"}});
  assert_frames_cost_nothing({{"output", "cutout"}});
}
END_TEST

START_TEST(test_the_mask_pad_costs_no_memory) {
  assert_frames_cost_nothing({}, true);
  assert_frames_cost_nothing({{"output", "none"}}, true);
}
END_TEST

// Frames that somebody else still looks at are copied.
START_TEST(test_copies_of_shared_frames_cost_no_memory) {
  if (!HEAP_CAN_BE_WATCHED) return;
  Bench bench({{"model-file", "fake:" + kScript.substr(1)}});
  Camera camera(bench);
  const auto all = watched(bench, nullptr, [&] {
    const BufferPtr frame = camera.shoot();
    ck_assert_int_eq(bench.push(BufferPtr(gst_buffer_ref(frame.get()))), GST_FLOW_OK);
  });
  assert_small_and_not_ours(all, "shared frames");
}
END_TEST

// Each inference lasts for three frames, in which the mask before follows the picture.
START_TEST(test_latest_mode_costs_no_memory) {
  if (!HEAP_CAN_BE_WATCHED) return;
  Steps steps;
  Bench bench({{"mode", "latest"}, {"model-file", steps.script() + kScript}});
  Camera camera(bench);
  guint64 inferred = 0;
  int frames_left = 0;  // of the inference that is running
  const auto finish = [&] {
    steps.wait_until_begun();
    steps.go();
    steps.wait_until_done();
  };
  const auto push = [&] {
    camera.push();
    if (bench.stat("inferred") > inferred) {
      ++inferred;
      frames_left = 3;
    }
    if (frames_left > 0 && --frames_left == 0) finish();
  };
  const auto all = watched(bench, nullptr, push, &inferred);
  if (frames_left > 0) finish();
  assert_small_and_not_ours(all, "latest");
  ck_assert_uint_gt(bench.stat("held"), 16);
}
END_TEST

START_TEST(test_cleaning_up_costs_no_memory) {
  assert_frames_cost_nothing({{"largest-only", "on"},
                              {"fill-holes", "on"},
                              {"min-area", "0.01"},
                              {"min-confidence", "0.1"}});
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("allocations");
  TCase* tests = tcase_create("allocations");
  tcase_add_test(tests, test_the_watch_sees_who_asks_for_how_much);
  tcase_add_test(tests, test_an_overlay_costs_no_memory);
  tcase_add_test(tests, test_masks_cost_no_memory);
  tcase_add_test(tests, test_the_mask_pad_costs_no_memory);
  tcase_add_test(tests, test_copies_of_shared_frames_cost_no_memory);
  tcase_add_test(tests, test_latest_mode_costs_no_memory);
  tcase_add_test(tests, test_cleaning_up_costs_no_memory);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
