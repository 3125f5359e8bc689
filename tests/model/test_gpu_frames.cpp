// SPDX-License-Identifier: MIT
// The GPU's kernels, run by the processor in the same blocks and threads.
#include "model/frame/cuda/gpu_frames.h"
#include "model/frame/painter.h"

#include "tests/assertions.h"
#include "tests/check.h"
#include "tests/model/gpu_pixels.h"
#include "tests/model/host_gpu.h"

using namespace unetseg;
using namespace gpu_pixels;

namespace {

struct HostSampler {
  explicit HostSampler(int width, int height) : sampler(gpu, width, height, kNormalisation) {}
  HostGpu::Record record;
  HostGpu gpu{record};
  GpuSampler sampler;
};

struct HostPainter {
  HostGpu::Record record;
  HostGpu gpu{record};
  GpuPainter painter{gpu};
  void draw(const Map& map, TestFrame& frame, const UnetsegStyle& style) {
    painter.draw(map.view(), .5, frame.view(), style);
    record.finish(frame.view().cuda_stream);
  }
};

}  // namespace

START_TEST(test_c1_samples_of_every_format_and_odd_size_equal_the_samplers) {
  HostGpu::Record record;
  HostGpu gpu(record);
  ck_assert_double_gt(check_samples(gpu), 0);  // or there was nothing to compare
}
END_TEST

START_TEST(test_c1_overlays_equal_the_painters_byte_for_byte) {
  HostGpu::Record record;
  HostGpu gpu(record);
  check_overlays(gpu);
}
END_TEST

START_TEST(test_overlays_of_parts_of_a_frame_equal_the_painters) {
  HostGpu::Record record;
  HostGpu gpu(record);
  check_overlays_of_parts(gpu);
}
END_TEST

START_TEST(test_masks_probabilities_and_alpha_equal_the_painters) {
  HostGpu::Record record;
  HostGpu gpu(record);
  check_values(gpu);
}
END_TEST

START_TEST(test_what_the_painter_refuses_is_refused) {
  HostPainter host;
  TestFrame frame(kNv12, 8, 8);
  const TestFrame before = frame;
  const Map map = uniform(1);
  for (const UnetsegDrawMode m : {UNETSEG_DRAW_MASK, UNETSEG_DRAW_ALPHA})
    assert_fault(error_of([&] { host.draw(map, frame, mode(m)); }), Fault::frame_format);
  frame.view().kr = 0;
  assert_fault(error_of([&] { host.draw(map, frame, overlay(0xffffffff, 1)); }),
               Fault::frame_format);
  ck_assert(frame.memory() == before.memory());
}
END_TEST

// Streams of the next two tests: in one, memory is in use for long; of three, the last may be
// first.
constexpr int kStreams[] = {1, 3};

static void finish_last_first(HostGpu::Record& record, int (&streams)[3]) {
  for (int i = 2; i >= 0; --i) record.finish(&streams[i]);
}

// Many draws before the first of them is run, each with its own map.
START_TEST(test_draws_under_way_keep_what_they_need) {
  HostPainter host;
  int streams[3];
  std::deque<TestFrame> frames, expected;  // which stay where they are
  for (int i = 0; i < 9; ++i) {
    frames.emplace_back(kNv12, i < 7 ? 97 : 61, 55);
    frames.back().set_noise(2);
    frames.back().view().cuda_stream = &streams[i % kStreams[_i]];
    expected.push_back(frames.back());
    const Map map = disc(16, 3 + i, 8, 4);
    const UnetsegStyle style = overlay(0xff30d060, .4, 0xffffffff, 3);
    Painter().draw(map.view(), .5, expected.back().view(), style);
    host.painter.draw(map.view(), .5, frames.back().view(), style);
  }
  finish_last_first(host.record, streams);
  for (std::size_t i = 0; i < frames.size(); ++i)
    ck_assert_msg(frames[i].memory() == expected[i].memory(), "frame %zu", i);
}
END_TEST

START_TEST(test_pictures_under_way_keep_what_they_need) {
  HostSampler host(16, 16);
  int streams[3];
  std::vector<std::unique_ptr<GpuPicture>> pictures;
  std::vector<TestFrame> frames;
  for (int i = 0; i < 6; ++i) {
    frames.emplace_back(i == 2 ? kYuy2 : kNv12, i < 4 ? 97 : 61, 55);
    frames.back().set_noise(static_cast<std::uint32_t>(i));
  }
  for (std::size_t i = 0; i < frames.size(); ++i) {
    frames[i].view().cuda_stream = &streams[i % static_cast<std::size_t>(kStreams[_i])];
    pictures.push_back(std::make_unique<GpuPicture>(host.gpu));
    host.sampler.sample(frames[i].view(), UNETSEG_FIT_STRETCH, *pictures.back());
  }
  finish_last_first(host.record, streams);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    std::vector<float> expected(3 * 16 * 16);
    Sampler(16, 16, kNormalisation).sample(frames[i].view(), expected.data());
    for (std::size_t k = 0; k < expected.size(); ++k)
      ck_assert_double_lt(std::fabs(pictures[i]->planar()[k] - expected[k]), 1e-5);
  }
}
END_TEST

START_TEST(test_frames_of_a_size_seen_before_allocate_nothing_on_the_gpu) {
  HostPainter painter;
  HostSampler sampler(16, 16);
  GpuPicture picture(sampler.gpu);
  std::size_t drawn = 0, sampled = 0;
  for (int i = 0; i < 8; ++i) {
    TestFrame frame(kNv12, 97, 55);
    painter.draw(disc(16, 8, 8, 6 - .2 * i), frame, overlay(0xff30d060, .4, ~0u, 3));
    sampler.sampler.sample(frame.view(), UNETSEG_FIT_STRETCH, picture);
    picture.planar();
    if (i == 3) drawn = painter.record.allocations, sampled = sampler.record.allocations;
  }
  ck_assert_uint_eq(painter.record.allocations, drawn);
  ck_assert_uint_eq(sampler.record.allocations, sampled);
}
END_TEST

START_TEST(test_b6_a_full_gpu_is_told_and_gets_over) {
  HostPainter painter;
  HostSampler sampler(16, 16);
  GpuPicture picture(sampler.gpu);
  TestFrame frame(kNv12, 97, 55);
  frame.set_noise(4);
  const UnetsegStyle style = overlay(0xff30d060, .4, 0xffffffff, 3);
  painter.record.is_full = sampler.record.is_full = true;
  assert_fault(error_of([&] { painter.draw(uniform(1), frame, style); }), Fault::no_space);
  assert_fault(
      error_of([&] { sampler.sampler.sample(frame.view(), UNETSEG_FIT_STRETCH, picture); }),
      Fault::no_space);
  painter.record.is_full = sampler.record.is_full = false;
  assert_drawn_alike(painter.gpu, painter.painter, uniform(1).view(), frame, style);
  sampler.sampler.sample(frame.view(), UNETSEG_FIT_STRETCH, picture);
  ck_assert(std::isfinite(picture.planar()[0]));
}
END_TEST

START_TEST(test_kernels_that_compute_something_else_are_refused) {
  HostGpu::Record record;
  {
    const GpuFrames right(std::make_unique<HostGpu>(record), 16, 16, kNormalisation);
    ck_assert_uint_gt(record.kernels, 1);
  }
  record.wrong_by = 2;
  const Error error =
      error_of([&] { GpuFrames(std::make_unique<HostGpu>(record), 16, 16, kNormalisation); });
  assert_fault(error, Fault::failed);
  assert_presentable(error);
}
END_TEST

int main() {
  Suite* suite = suite_create("gpu frames");
  TCase* tests = tcase_create("gpu frames");
  tcase_set_timeout(tests, 180);  // thousands of frames, thread by thread
  tcase_add_test(tests, test_c1_samples_of_every_format_and_odd_size_equal_the_samplers);
  tcase_add_test(tests, test_c1_overlays_equal_the_painters_byte_for_byte);
  tcase_add_test(tests, test_overlays_of_parts_of_a_frame_equal_the_painters);
  tcase_add_test(tests, test_masks_probabilities_and_alpha_equal_the_painters);
  tcase_add_test(tests, test_what_the_painter_refuses_is_refused);
  tcase_add_loop_test(tests, test_draws_under_way_keep_what_they_need, 0, 2);
  tcase_add_loop_test(tests, test_pictures_under_way_keep_what_they_need, 0, 2);
  tcase_add_test(tests, test_frames_of_a_size_seen_before_allocate_nothing_on_the_gpu);
  tcase_add_test(tests, test_b6_a_full_gpu_is_told_and_gets_over);
  tcase_add_test(tests, test_kernels_that_compute_something_else_are_refused);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
