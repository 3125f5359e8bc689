// SPDX-License-Identifier: MIT
// Sampling, drawing and measuring allocate for the first frame of a size, and not for the next.
#include "model/frame/sampler.h"
#include "model/measure/measurer.h"

#include "tests/check.h"
#include "tests/model/allocation_watch.h"
#include "tests/model/drawing.h"
#include "tests/model/frames.h"

using namespace unetseg;

namespace {

constexpr int kSizes[][2] = {{385, 289}, {640, 360}};

// The largest allocation in bytes that `call` makes, 0 where it makes none.
template <typename Call>
std::size_t allocated_by(Call call) {
  allocation_watch::largest = 0;
  call();
  return allocation_watch::largest;
}

}  // namespace

START_TEST(test_sampling_allocates_for_the_first_frame_alone) {
  for (const FormatCase& format : all_formats())
    for (const auto& size : kSizes) {
      TestFrame frame(format, size[0], size[1]);
      Sampler sampler(64, 48);
      std::vector<float> out(3 * 64 * 48);
      const auto sample = [&] { sampler.sample(frame.view(), out.data()); };
      ck_assert_uint_gt(allocated_by(sample), 0);
      ck_assert_msg(allocated_by(sample) == 0, "%s", format.name);
    }
}
END_TEST

START_TEST(test_drawing_allocates_for_the_first_frame_alone) {
  const Map first = disc(64, 30, 30, 20), second = disc(64, 36, 33, 18);
  for (const FormatCase& format : all_formats())
    for (const auto& size : kSizes) {
      TestFrame frame(format, size[0], size[1]);
      Painter painter;
      const UnetsegStyle style = overlay(0xff20c040, .35, 0xffffffff, 3);
      const auto draw = [&](const Map& map) {
        return allocated_by([&] { painter.draw(map.view(), .5, frame.view(), style); });
      };
      ck_assert_uint_gt(draw(first), 0);
      ck_assert_msg(draw(second) == 0 && draw(first) == 0, "%s", format.name);
    }
}
END_TEST

START_TEST(test_masks_allocate_for_the_first_frame_alone) {
  const Map first = disc(64, 30, 30, 20), second = disc(64, 36, 33, 18);
  for (const UnetsegDrawMode m : {UNETSEG_DRAW_MASK, UNETSEG_DRAW_PROBABILITY}) {
    TestFrame frame(kGrey, 385, 289);
    Painter painter;
    const auto draw = [&](const Map& map) {
      return allocated_by([&] { painter.draw(map.view(), .5, frame.view(), mode(m)); });
    };
    ck_assert_uint_gt(draw(first), 0);
    ck_assert_uint_eq(draw(second), 0);
  }
}
END_TEST

START_TEST(test_measuring_allocates_for_the_first_frame_alone) {
  const Map first = disc(64, 30, 30, 20), second = disc(64, 36, 33, 18);
  Measurer measurer;
  const auto measure = [&](const Map& map) {
    return allocated_by(
        [&] { measurer.measure(map.view(), map.values.data(), map.values.data(), 640, 360, .5); });
  };
  ck_assert_uint_gt(measure(first), 0);
  ck_assert_uint_eq(measure(second), 0);
}
END_TEST

int main() {
  Suite* suite = suite_create("frame allocations");
  TCase* tests = tcase_create("frame allocations");
  tcase_add_test(tests, test_sampling_allocates_for_the_first_frame_alone);
  tcase_add_test(tests, test_drawing_allocates_for_the_first_frame_alone);
  tcase_add_test(tests, test_masks_allocate_for_the_first_frame_alone);
  tcase_add_test(tests, test_measuring_allocates_for_the_first_frame_alone);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
