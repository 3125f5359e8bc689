// SPDX-License-Identifier: MIT
// Sampling and drawing of frames in GPU memory on the device that UNETSEG_TEST_DEVICE names,
// against the processor's, and how long they take. Skipped without it, and in a build without nvcc.
#include <chrono>
#include <cstdio>

#include "model/error.h"
#include "model/frame/cuda/kernel_check.h"

#include "tests/model/gpu_pixels.h"

using namespace unetseg;
using namespace gpu_pixels;

namespace {

constexpr int kSkipped = 77;

std::unique_ptr<Gpu> gpu;

// Microseconds a call, with as many under way as there are pictures or uploads.
template <typename Call>
double microseconds(Call call) {
  constexpr int kCalls = 400;
  for (int i = 0; i < kCalls / 10; ++i) call(i);
  Staging end(*gpu);
  const auto finish = [&end] {
    end.in_use(nullptr);
    end.wait();
  };
  finish();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) call(i);
  finish();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  return took.count() / kCalls;
}

void print_times(const FormatCase& format, int width, int height) {
  TestFrame frame(format, width, height);
  frame.set_noise(1);
  const FrameOnGpu there(*gpu, frame);
  GpuSampler sampler(*gpu, 128, 128);
  std::vector<std::unique_ptr<GpuPicture>> pictures;
  for (int i = 0; i < 8; ++i) pictures.push_back(std::make_unique<GpuPicture>(*gpu));
  const double sampling = microseconds([&](int i) {
    sampler.sample(there.view(), UNETSEG_FIT_STRETCH, *pictures[static_cast<std::size_t>(i % 8)]);
  });
  GpuPainter painter(*gpu);
  const Map map = disc(128, 60, 66, 40);
  const UnetsegStyle filled = overlay(0xff30d060, .4), both = overlay(0xff30d060, .4, ~0u, 3);
  const double fill =
      microseconds([&](int) { painter.draw(map.view(), .5, there.view(), filled); });
  const double drawing =
      microseconds([&](int) { painter.draw(map.view(), .5, there.view(), both); });
  std::printf("%s %dx%d: sampled to 128x128 in %.1f us, filled in %.1f, with a contour in %.1f\n",
              format.name, width, height, sampling, fill, drawing);
}

}  // namespace

START_TEST(test_the_kernels_pass_the_check_at_load) {
  check_kernels(*gpu);
}
END_TEST

START_TEST(test_samples_equal_the_samplers) {
  std::printf("samples differ by %.2g at most\n", check_samples(*gpu));
}
END_TEST

START_TEST(test_samples_are_the_same_to_the_bit_each_time) {
  TestFrame frame(kNv12, 1920, 1080);
  frame.set_noise(3);
  const FrameOnGpu there(*gpu, frame);
  GpuSampler sampler(*gpu, 128, 128);
  GpuPicture first(*gpu), again(*gpu);
  sampler.sample(there.view(), UNETSEG_FIT_STRETCH, first);
  for (int i = 0; i < 50; ++i) {
    sampler.sample(there.view(), UNETSEG_FIT_STRETCH, again);
    ck_assert_mem_eq(first.planar(), again.planar(), 3 * 128 * 128 * sizeof(float));
  }
}
END_TEST

START_TEST(test_overlays_equal_the_painters_byte_for_byte) {
  check_overlays(*gpu);
  check_overlays_of_parts(*gpu);
}
END_TEST

START_TEST(test_masks_probabilities_and_alpha_equal_the_painters) {
  check_values(*gpu);
}
END_TEST

START_TEST(test_large_frames_equal_the_processors) {
  for (const FormatCase& format : {kNv12, kP010, kPackedFormats[0]}) {
    TestFrame frame(format, 3840, 2160);
    frame.set_noise(2);
    ck_assert_double_lt(sampling_error(*gpu, frame, 128, 128, UNETSEG_FIT_STRETCH), 1e-5);
    GpuPainter painter(*gpu);
    assert_drawn_alike(*gpu, painter, disc(128, 60, 66, 40).view(), frame,
                       overlay(0xff30d060, .4, 0xffffffff, 3));
  }
}
END_TEST

int main() {
  const char* device = std::getenv("UNETSEG_TEST_DEVICE");
  if (device == nullptr || std::string(device).rfind("cuda", 0) != 0) {
    std::fprintf(stderr, "UNETSEG_TEST_DEVICE names no CUDA device\n");
    return kSkipped;
  }
  try {
    gpu = make_gpu(device);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s (%s)\n", error.what(), error.detail().c_str());
    return error.fault() == Fault::settings ? kSkipped : EXIT_FAILURE;
  }
  Suite* suite = suite_create("pixels");
  TCase* tests = tcase_create(device);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, test_the_kernels_pass_the_check_at_load);
  tcase_add_test(tests, test_samples_equal_the_samplers);
  tcase_add_test(tests, test_samples_are_the_same_to_the_bit_each_time);
  tcase_add_test(tests, test_overlays_equal_the_painters_byte_for_byte);
  tcase_add_test(tests, test_masks_probabilities_and_alpha_equal_the_painters);
  tcase_add_test(tests, test_large_frames_equal_the_processors);
  suite_add_tcase(suite, tests);
  const int verdict = run_suite(suite);
  if (verdict == EXIT_SUCCESS)
    for (const auto& size : {std::pair<int, int>{1920, 1080}, {3840, 2160}})
      for (const FormatCase& format : {kNv12, kYuy2, kP010, kPackedFormats[2]})
        print_times(format, size.first, size.second);
  gpu.reset();
  return verdict;
}
