// SPDX-License-Identifier: MIT
// From frame to frame: which are inferred, and how their probabilities are smoothed.
#include <cmath>

#include "tests/plugin/grey_frame.h"

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);

BufferPtr grey(int value) {
  return bytes_buffer(64, static_cast<guint8>(value));
}

BufferPtr discontinuous(int value) {
  BufferPtr buffer = grey(value);
  GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  return buffer;
}

// The probability of the next frame that comes out, 0..255; all its pixels have the same.
int pulled(Bench& bench) {
  const BufferPtr out = bench.pull();
  ck_assert(out != nullptr);
  const int value = bytes_of(out.get())[0];
  ck_assert(is_uniform(out.get(), static_cast<guint8>(value)));
  return value;
}

int shown(Bench& bench, BufferPtr frame) {
  ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
  return pulled(bench);
}

int rounded(double value) {
  return static_cast<int>(std::lround(value));
}

// Numbers of the frames whose messages have come since the last call.
std::vector<guint64> inferred(Bench& bench) {
  std::vector<guint64> frames;
  for (const StructurePtr& result : bench.results()) {
    guint64 frame = 0;
    ck_assert(gst_structure_get_uint64(result.get(), "frame", &frame));
    frames.push_back(frame);
  }
  return frames;
}

void assert_frames(const std::vector<guint64>& got, const std::vector<guint64>& expected) {
  std::string text;
  for (const guint64 frame : got) text += std::to_string(frame) + " ";
  ck_assert_msg(got == expected, "%s", text.c_str());
}

constexpr int kLevels[] = {200, 40, 90, 255, 0, 0, 130, 130};

}  // namespace

START_TEST(test_smoothing_mixes_in_the_probabilities_before) {
  for (const char* batch : {"1", "4"})
    for (const double weight : {0., .3, .6}) {
      Bench bench({{"output", "probability"},
                   {"batch-size", batch},
                   {"smoothing", std::to_string(weight)}});
      ck_assert(bench.send_caps(kCaps));
      double p = kLevels[0];
      for (const int level : kLevels) ck_assert_int_eq(bench.push(grey(level)), GST_FLOW_OK);
      for (const int level : kLevels) {
        p = (1 - weight) * level + weight * p;
        ck_assert_int_eq(pulled(bench), rounded(p));
      }
    }
}
END_TEST

START_TEST(test_smoothing_of_one_keeps_the_first_frames_probabilities) {
  Bench bench({{"output", "probability"}, {"smoothing", "1"}});
  ck_assert(bench.send_caps(kCaps));
  for (const int level : kLevels) ck_assert_int_eq(shown(bench, grey(level)), kLevels[0]);
}
END_TEST

// The mask is cut out of the smoothed probabilities.
START_TEST(test_a_lesion_appears_and_goes_with_the_smoothed_probabilities) {
  Bench bench({{"output", "mask"}, {"smoothing", "0.6"}});
  ck_assert(bench.send_caps(kCaps));
  // 10, 86, 131.6, 159, 99.4 of 255; .5 is 127.5.
  const std::pair<int, int> frames[] = {{10, 0}, {200, 0}, {200, 255}, {200, 255}, {10, 0}};
  for (const auto& frame : frames) ck_assert_int_eq(shown(bench, grey(frame.first)), frame.second);
}
END_TEST

START_TEST(test_smoothing_can_be_changed_while_playing) {
  Bench bench({{"output", "probability"}, {"smoothing", "0.5"}});
  ck_assert(bench.send_caps(kCaps));
  ck_assert_int_eq(shown(bench, grey(200)), 200);
  ck_assert_int_eq(shown(bench, grey(100)), 150);
  set_properties(bench.element(), {{"smoothing", "0"}});
  ck_assert_int_eq(shown(bench, grey(60)), 60);
  set_properties(bench.element(), {{"smoothing", "0.25"}});
  ck_assert_int_eq(shown(bench, grey(100)), 90);
}
END_TEST

START_TEST(test_s3_smoothing_starts_anew_where_the_stream_does) {
  const std::function<void(Bench&)> breaks[] = {
      [](Bench& bench) { bench.send_segment(); },
      [](Bench& bench) {
        bench.send(gst_event_new_flush_start());
        bench.send(gst_event_new_flush_stop(TRUE));
        bench.send_segment();
      },
      [](Bench& bench) { ck_assert(bench.send_caps(caps_of("GRAY8", 4, 16))); },
      [](Bench& bench) { ck_assert(bench.send_caps(kCaps)); },
      // Its probabilities lie elsewhere.
      [](Bench& bench) {
        set_properties(bench.element(), {{"fit", "letterbox"}});
        ck_assert(bench.send_caps(caps_of("GRAY8", 16, 4)));
      },
  };
  for (const auto& breaks_off : breaks) {
    Bench bench({{"output", "probability"}, {"smoothing", "0.5"}});
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(shown(bench, grey(200)), 200);
    ck_assert_int_eq(shown(bench, grey(100)), 150);
    breaks_off(bench);
    ck_assert_int_eq(shown(bench, grey(60)), 60);
    ck_assert_int_eq(shown(bench, grey(100)), 80);
    ck_assert_int_eq(shown(bench, discontinuous(20)), 20);
    ck_assert_int_eq(shown(bench, grey(100)), 60);
  }
}
END_TEST

// In a batch as well, whose earlier frames belong to what was before.
START_TEST(test_s3_smoothing_starts_anew_within_a_batch) {
  Bench bench({{"output", "probability"}, {"smoothing", "0.5"}, {"batch-size", "3"}});
  ck_assert(bench.send_caps(kCaps));
  bench.push(grey(200));
  bench.push(grey(100));
  bench.push(discontinuous(20));
  bench.push(grey(60));
  bench.send(gst_event_new_eos());
  for (const int expected : {200, 150, 20, 40}) ck_assert_int_eq(pulled(bench), expected);
}
END_TEST

// A fault tells nothing of the frames after it.
START_TEST(test_smoothing_starts_anew_after_a_faulty_frame) {
  Bench bench({{"output", "probability"},
               {"smoothing", "0.5"},
               {"on-error", "pass"},
               {"model-file", "fake:nan-at=3"}});
  ck_assert(bench.send_caps(kCaps));
  const std::pair<int, int> frames[] = {{200, 200}, {100, 150}, {100, 0}, {60, 60}, {100, 80}};
  for (const auto& frame : frames) ck_assert_int_eq(shown(bench, grey(frame.first)), frame.second);
}
END_TEST

// Held masks do not count, nor do gaps, which nothing is inferred of.
START_TEST(test_smoothing_counts_inferred_frames_alone) {
  Bench bench({{"output", "probability"}, {"smoothing", "0.5"}, {"inference-interval", "2"}});
  ck_assert(bench.send_caps(kCaps));
  const std::pair<int, int> frames[] = {{200, 200}, {0, 200}, {100, 150}, {255, 150}};
  for (const auto& frame : frames) ck_assert_int_eq(shown(bench, grey(frame.first)), frame.second);
  BufferPtr gap = grey(0);
  GST_BUFFER_FLAG_SET(gap.get(), GST_BUFFER_FLAG_GAP);
  ck_assert_int_eq(shown(bench, std::move(gap)), 0);
  ck_assert_int_eq(shown(bench, grey(50)), 100);
}
END_TEST

// Probabilities of two fits lie in different places: they are not mixed.
START_TEST(test_another_fit_while_playing_is_not_mixed_with_the_one_before) {
  Bench bench({{"output", "probability"}, {"smoothing", "0.5"}, {"fit", "stretch"}});
  ck_assert(bench.send_caps(caps_of("GRAY8", 16, 4)));
  ck_assert_int_eq(shown(bench, grey(200)), 200);
  set_properties(bench.element(), {{"fit", "letterbox"}});
  ck_assert_int_eq(shown(bench, grey(100)), 100);
  ck_assert_int_eq(shown(bench, grey(60)), 80);
}
END_TEST

START_TEST(test_every_nth_frame_is_inferred_and_a_discontinuity_starts_the_count) {
  for (const char* batch : {"1", "4"}) {
    Bench bench({{"post-messages", "true"}, {"inference-interval", "3"}, {"batch-size", batch}});
    ck_assert(bench.send_caps(kCaps));
    for (int i = 0; i < 20; ++i) bench.push(i == 5 || i == 13 ? discontinuous(200) : grey(200));
    bench.send_segment();
    for (int i = 20; i < 25; ++i) bench.push(grey(200));
    bench.send(gst_event_new_eos());
    assert_frames(inferred(bench), {0, 3, 5, 8, 11, 13, 16, 19, 20, 23});
    ck_assert_uint_eq(bench.stat("inferred"), 10);
    ck_assert_uint_eq(bench.stat("held"), 15);
  }
}
END_TEST

START_TEST(test_a_flush_starts_the_count) {
  Bench bench({{"post-messages", "true"}, {"inference-interval", "4"}});
  ck_assert(bench.send_caps(kCaps));
  for (int i = 0; i < 6; ++i) bench.push(grey(200));
  bench.send(gst_event_new_flush_start());
  bench.send(gst_event_new_flush_stop(TRUE));
  bench.send_segment();
  for (int i = 6; i < 12; ++i) bench.push(grey(200));
  assert_frames(inferred(bench), {0, 4, 6, 10});
}
END_TEST

// Frames 0, N, 2N ... of a long stream, none more and none less, whatever waits together.
START_TEST(test_the_interval_is_exact) {
  for (const guint64 interval : {1, 2, 5, 7})
    for (const guint64 batch : {1, 3, 8}) {
      Bench bench({{"post-messages", "true"},
                   {"inference-interval", std::to_string(interval)},
                   {"batch-size", std::to_string(batch)}});
      ck_assert(bench.send_caps(kCaps));
      std::vector<guint64> expected;
      for (guint64 i = 0; i < 100; ++i) {
        if (i % interval == 0) expected.push_back(i);
        bench.push(grey(200));
      }
      bench.send(gst_event_new_eos());
      assert_frames(inferred(bench), expected);
    }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("temporal");
  TCase* tests = tcase_create("temporal");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_smoothing_mixes_in_the_probabilities_before);
  tcase_add_test(tests, test_smoothing_of_one_keeps_the_first_frames_probabilities);
  tcase_add_test(tests, test_a_lesion_appears_and_goes_with_the_smoothed_probabilities);
  tcase_add_test(tests, test_smoothing_can_be_changed_while_playing);
  tcase_add_test(tests, test_s3_smoothing_starts_anew_where_the_stream_does);
  tcase_add_test(tests, test_s3_smoothing_starts_anew_within_a_batch);
  tcase_add_test(tests, test_smoothing_starts_anew_after_a_faulty_frame);
  tcase_add_test(tests, test_smoothing_counts_inferred_frames_alone);
  tcase_add_test(tests, test_another_fit_while_playing_is_not_mixed_with_the_one_before);
  tcase_add_test(tests, test_every_nth_frame_is_inferred_and_a_discontinuity_starts_the_count);
  tcase_add_test(tests, test_a_flush_starts_the_count);
  tcase_add_test(tests, test_the_interval_is_exact);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
