// SPDX-License-Identifier: MIT
// Test-time augmentation as an application sees it. The fake network is as large as the frame.
#include "tests/plugin/bench.h"

namespace {

constexpr int kSide = 8;

BufferPtr spot(int x, int y) {
  BufferPtr buffer = bytes_buffer(kSide * kSide, 0);
  gst_buffer_memset(buffer.get(), static_cast<gsize>(y * kSide + x), 255, 1);
  return buffer;
}

std::vector<guint8> shown(Bench& bench, BufferPtr frame) {
  ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
  const BufferPtr out = bench.pull();
  ck_assert(out != nullptr);
  return bytes_of(out.get());
}

struct Pixel {
  int x, y;
  guint8 value;
};

void assert_pixels(const std::vector<guint8>& bytes, const std::vector<Pixel>& expected) {
  std::vector<guint8> all(kSide * kSide, 0);
  for (const Pixel& p : expected) all[static_cast<std::size_t>(p.y * kSide + p.x)] = p.value;
  for (std::size_t i = 0; i < all.size(); ++i)
    ck_assert_msg(bytes[i] == all[i], "(%zu, %zu) is %d instead of %d", i % kSide, i / kSide,
                  bytes[i], all[i]);
}

}  // namespace

START_TEST(test_a_network_that_sees_no_difference_gives_the_same_mask) {
  for (const char* tta : {"none", "flips", "d4"}) {
    Bench bench({{"output", "mask"}, {"tta", tta}});
    bench.send_caps(caps_of("GRAY8", kSide, kSide));
    assert_pixels(shown(bench, spot(2, 5)), {{2, 5, 255}});
  }
}
END_TEST

START_TEST(test_probabilities_are_the_mean_over_the_copies) {
  Bench bench({{"model-file", "fake:shift=1"}, {"output", "probability"}});
  bench.send_caps(caps_of("GRAY8", kSide, kSide));
  assert_pixels(shown(bench, spot(3, 5)), {{4, 5, 255}});
  set_properties(bench.element(), {{"tta", "flips"}});
  assert_pixels(shown(bench, spot(3, 5)), {{4, 5, 128}, {2, 5, 128}});
  set_properties(bench.element(), {{"tta", "d4"}});
  assert_pixels(shown(bench, spot(3, 5)), {{4, 5, 64}, {2, 5, 64}, {3, 4, 64}, {3, 6, 64}});
}
END_TEST

START_TEST(test_frames_of_a_batch_have_their_own) {
  Bench bench({{"model-file", "fake:shift=1"},
               {"output", "probability"},
               {"tta", "flips"},
               {"batch-size", "3"}});
  bench.send_caps(caps_of("GRAY8", kSide, kSide));
  for (int y = 0; y < 3; ++y) ck_assert_int_eq(bench.push(spot(3, y)), GST_FLOW_OK);
  for (int y = 0; y < 3; ++y) {
    const BufferPtr out = bench.pull();
    ck_assert(out != nullptr);
    assert_pixels(bytes_of(out.get()), {{4, y, 128}, {2, y, 128}});
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("tta");
  TCase* tests = tcase_create("element");
  tcase_add_test(tests, test_a_network_that_sees_no_difference_gives_the_same_mask);
  tcase_add_test(tests, test_probabilities_are_the_mean_over_the_copies);
  tcase_add_test(tests, test_frames_of_a_batch_have_their_own);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
