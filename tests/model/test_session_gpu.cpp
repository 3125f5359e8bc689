// SPDX-License-Identifier: MIT
// A session on a GPU that the processor plays, through the C table: frames in its memory give what
// the same frames in system memory do.
#include <memory>

#include "model/backend/table.h"
#include "model/engine/engine.h"

#include "tests/assertions.h"
#include "tests/check.h"
#include "tests/model/drawing.h"
#include "tests/model/frames.h"
#include "tests/model/host_gpu.h"

using namespace unetseg;

namespace {

constexpr int kInput = 64, kPixels = kInput * kInput;

// How the next session's GPU is.
std::string device = "cuda:0";
bool has_kernels = true;
bool infers_on_device = false;
HostGpu::Record record;

// Dark is lesion.
class DarkEngine final : public Engine, private DeviceInference {
 public:
  DarkEngine() {
    card_.input_width = card_.input_height = kInput;
    card_.threshold = .5;
    card_.clean_up.largest_only = true;
  }
  const ModelCard& card() const override { return card_; }
  std::string device() const override { return ::device; }
  std::string name() const override { return "dark"; }
  std::string precision() const override { return "fp32"; }
  void run(const float* const* inputs, float* const* probabilities, int n) override {
    for (int i = 0; i < n; ++i) infer(inputs[i], probabilities[i]);
  }
  DeviceInference* on_device() override { return infers_on_device ? this : nullptr; }
  void run(const DevicePicture* inputs, float* const* probabilities, int n) override {
    for (int i = 0; i < n; ++i) {
      HostGpu::wait_for(inputs[i].ready);
      infer(inputs[i].planar, probabilities[i]);
    }
  }

 private:
  static void infer(const float* input, float* probabilities) {
    for (int k = 0; k < kPixels; ++k)
      probabilities[k] = std::min(std::max(1.5f - 2 * input[k], 0.f), 1.f);
  }

  ModelCard card_;
};

class Session {
 public:
  explicit Session(const std::string& on = "cuda:0") {
    device = on;
    UnetsegOpenOptions options = {};
    options.model_file = "none";
    options.device = "auto";
    options.n_slots = 3;
    session_ = table_->open(&options, &error_);
    ck_assert_ptr_nonnull(session_);
  }
  bool takes_cuda_frames() const { return table_->info(session_)->takes_cuda_frames; }
  ~Session() {
    table_->close(session_);
    g_clear_error(&error_);
  }

  bool sample(guint slot, const UnetsegFrame& frame, UnetsegFit fit = UNETSEG_FIT_LETTERBOX) {
    g_clear_error(&error_);
    return table_->sample(session_, slot, &frame, fit, &error_);
  }
  void infer(guint slot, UnetsegTta tta = UNETSEG_TTA_NONE) {
    infer(std::vector<guint>{slot}, tta);
  }
  void infer(const std::vector<guint>& slots, UnetsegTta tta = UNETSEG_TTA_NONE) {
    const auto n = static_cast<guint>(slots.size());
    ck_assert(table_->infer(session_, slots.data(), n, tta, &error_));
  }
  bool draw(guint slot, const UnetsegFrame& frame) {
    g_clear_error(&error_);
    const UnetsegStyle style = overlay(0xff30d060, .4, 0xffffffff, 3);
    return table_->draw(session_, slot, &frame, &mask_, &style, &error_);
  }
  UnetsegMeasurement measure(guint slot, int width, int height) {
    UnetsegMeasurement measured;
    ck_assert(table_->measure(session_, slot, width, height, &mask_, &measured, &error_));
    return measured;
  }
  UnetsegMotion track(guint from, guint to) {
    UnetsegMotion motion = {{1, 0, 0, 0, 1, 0}, 0, FALSE};
    ck_assert(table_->track(session_, from, to, &motion, &error_));
    return motion;
  }
  const GError* error() const { return error_; }

 private:
  const UnetsegBackend* table_ = &backend_table();
  const UnetsegMaskOptions mask_ = {-1,     UNETSEG_SWITCH_MODEL, UNETSEG_SWITCH_MODEL, -1, -1,
                                    nullptr};
  GError* error_ = nullptr;
  UnetsegSession* session_ = nullptr;
};

// Noise that is darker within a disc.
TestFrame picture(const FormatCase& format, int width, int height, double x, double y) {
  TestFrame frame(format, width, height, kPlacements[1]);
  frame.set_noise(7);
  for (int v = 0; v < frame.sample_rows(0); ++v)
    for (int u = 0; u < frame.sample_columns(0); ++u)
      for (int c = 0; c < (frame.is_yuv() ? 1 : frame.components()); ++c) {
        const bool lesion = std::hypot(u - x, v - y) < height / 4.;
        const int noise = frame.sample(c, u, v) / frame.format().code_scale() / 8;
        frame.sample(c, u, v) = (noise + (lesion ? 40 : 200)) * frame.format().code_scale();
      }
  for (int c = 1; frame.is_yuv() && c < 3; ++c) frame.set_all(c, 128 * format.code_scale());
  return frame;
}

TestFrame on_gpu(const TestFrame& frame, int* stream) {
  TestFrame there = frame;
  there.view().memory = UNETSEG_MEMORY_CUDA;
  there.view().cuda_stream = stream;
  return there;
}

}  // namespace

namespace unetseg {

std::unique_ptr<Engine> make_engine(const UnetsegOpenOptions&) {
  return std::make_unique<DarkEngine>();
}

std::string probe_device(const std::string&, std::string*) {
  return device;
}

std::unique_ptr<Gpu> make_gpu(const std::string& device) {
  ck_assert_str_eq(device.c_str(), "cuda:0");
  if (!has_kernels) throw Error(Fault::settings, "There are no kernels.");
  return std::make_unique<HostGpu>(record);
}

}  // namespace unetseg

START_TEST(test_frames_in_gpu_memory_are_drawn_and_measured_as_others_are) {
  infers_on_device = _i == 1;
  Session session;
  ck_assert(session.takes_cuda_frames());
  int stream;
  for (const FormatCase& format : all_formats()) {
    TestFrame here = picture(format, 141, 97, 60, 50), there = on_gpu(here, &stream);
    ck_assert(session.sample(0, here.view()));
    ck_assert(session.sample(1, there.view()));
    session.infer(0);
    session.infer(1);
    ck_assert(session.draw(0, here.view()));
    const TestFrame before = there;
    ck_assert(session.draw(1, there.view()));
    ck_assert(there.memory() == before.memory());  // put into the stream, and not waited for
    record.finish(&stream);
    // Probabilities differ by rounding, which decides no pixel here but may move a contour's edge.
    const auto expected = here.memory(), found = there.memory();
    for (std::size_t p = 0; p < found.size(); ++p)
      for (std::size_t i = 0; i < found[p].size(); ++i)
        ck_assert_msg(std::abs(expected[p][i] - found[p][i]) <= 1, "%s", format.name);
    ck_assert(there.memory() != before.memory());
    const UnetsegMeasurement a = session.measure(0, 141, 97), b = session.measure(1, 141, 97);
    ck_assert(a.found && b.found);
    ck_assert_double_eq_tol(a.area, b.area, 2);
    ck_assert_double_eq_tol(a.perimeter, b.perimeter, .1);
  }
}
END_TEST

START_TEST(test_pictures_stay_on_the_gpu_where_nobody_else_needs_them) {
  infers_on_device = true;
  Session session;
  int stream;
  const TestFrame here = picture(kNv12, 141, 97, 60, 50);
  const TestFrame first = on_gpu(here, &stream), second = on_gpu(here, &stream);
  ck_assert(session.sample(0, first.view()) && session.sample(1, second.view()));
  record.downloads = 0;
  session.infer({0, 1});
  ck_assert_uint_eq(record.downloads, 0);
  ck_assert(session.measure(0, 141, 97).found && session.measure(1, 141, 97).found);
  session.infer(0, UNETSEG_TTA_FLIPS);
  ck_assert_uint_eq(record.downloads, 1);
  session.track(0, 1);
  ck_assert_uint_eq(record.downloads, 2);  // each picture once

  ck_assert(session.sample(0, first.view()));
  ck_assert(session.sample(2, here.view()));
  session.infer({0, 2});  // one of them is not there
  ck_assert_uint_eq(record.downloads, 3);
  const double on_gpu = session.measure(0, 141, 97).area,
               in_memory = session.measure(2, 141, 97).area;
  ck_assert_double_gt(in_memory, 0);
  ck_assert_double_eq_tol(on_gpu, in_memory, 2);
}
END_TEST

START_TEST(test_movement_is_seen_between_memories) {
  Session session;
  int stream;
  const TestFrame first = picture(kNv12, 160, 160, 70, 80),
                  second = picture(kNv12, 160, 160, 90, 80);
  const TestFrame first_there = on_gpu(first, &stream), second_there = on_gpu(second, &stream);
  ck_assert(session.sample(0, first.view()) && session.sample(1, second.view()));
  const UnetsegMotion expected = session.track(0, 1);
  ck_assert_double_gt(expected.confidence, 0);
  ck_assert(session.sample(0, first_there.view()) && session.sample(1, second_there.view()));
  const UnetsegMotion there = session.track(0, 1);
  ck_assert(session.sample(0, first.view()));
  const UnetsegMotion mixed = session.track(0, 1);
  for (int i = 0; i < 6; ++i) {
    ck_assert_double_eq_tol(there.m[i], expected.m[i], 1e-3);
    ck_assert_double_eq_tol(mixed.m[i], expected.m[i], 1e-3);
  }
}
END_TEST

START_TEST(test_a_closed_session_leaves_nothing_under_way) {
  int stream;
  TestFrame frame = on_gpu(picture(kNv12, 64, 48, 30, 20), &stream);
  {
    Session session;
    ck_assert(session.sample(0, frame.view()));
    ck_assert(session.draw(0, frame.view()));
  }
  record.finish(&stream);  // under AddressSanitizer: of freed memory
}
END_TEST

START_TEST(test_a_session_without_kernels_takes_frames_in_system_memory_alone) {
  has_kernels = false;
  Session session;
  has_kernels = true;
  ck_assert(!session.takes_cuda_frames());
  int stream;
  TestFrame here = picture(kNv12, 64, 48, 30, 20), there = on_gpu(here, &stream);
  ck_assert(session.sample(0, here.view()));
  ck_assert(!session.sample(0, there.view()));
  ck_assert_int_eq(session.error()->code, UNETSEG_BACKEND_ERROR_SETTINGS);
  assert_equal(session.error()->message, "There are no kernels.");
  ck_assert(session.sample(0, here.view()));
  session.infer(0);
  ck_assert(!session.draw(0, there.view()));
  ck_assert_int_eq(session.error()->code, UNETSEG_BACKEND_ERROR_SETTINGS);
  ck_assert(session.draw(0, here.view()));
}
END_TEST

START_TEST(test_a_session_on_the_processor_refuses_frames_in_gpu_memory) {
  Session session("cpu");
  ck_assert(!session.takes_cuda_frames());
  int stream;
  const TestFrame there = on_gpu(picture(kNv12, 64, 48, 30, 20), &stream);
  ck_assert(!session.sample(0, there.view()));
  ck_assert_int_eq(session.error()->code, UNETSEG_BACKEND_ERROR_FAILED);
}
END_TEST

START_TEST(test_b6_a_full_gpu_costs_a_frame_and_not_the_session) {
  Session session;
  int stream;
  TestFrame frame = on_gpu(picture(kNv12, 64, 48, 30, 20), &stream);
  record.is_full = true;
  ck_assert(!session.sample(0, frame.view()));
  ck_assert_int_eq(session.error()->code, UNETSEG_BACKEND_ERROR_NO_SPACE);
  record.is_full = false;
  ck_assert(session.sample(0, frame.view()));
  session.infer(0);
  record.is_full = true;
  ck_assert(!session.draw(0, frame.view()));
  ck_assert_int_eq(session.error()->code, UNETSEG_BACKEND_ERROR_NO_SPACE);
  record.is_full = false;
  ck_assert(session.draw(0, frame.view()));
  record.finish(&stream);
}
END_TEST

int main() {
  Suite* suite = suite_create("session on a gpu");
  TCase* tests = tcase_create("session on a gpu");
  tcase_add_loop_test(tests, test_frames_in_gpu_memory_are_drawn_and_measured_as_others_are, 0, 2);
  tcase_add_test(tests, test_pictures_stay_on_the_gpu_where_nobody_else_needs_them);
  tcase_add_test(tests, test_movement_is_seen_between_memories);
  tcase_add_test(tests, test_a_closed_session_leaves_nothing_under_way);
  tcase_add_test(tests, test_a_session_without_kernels_takes_frames_in_system_memory_alone);
  tcase_add_test(tests, test_a_session_on_the_processor_refuses_frames_in_gpu_memory);
  tcase_add_test(tests, test_b6_a_full_gpu_costs_a_frame_and_not_the_session);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
