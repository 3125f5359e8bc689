// SPDX-License-Identifier: MIT
// LibTorch's engine and the session around it: batches, precisions, test-time augmentation, weights
// that several of them share. Run with CK_FORK=no: LibTorch's threads do not survive a fork.
#include <atomic>
#include <cmath>
#include <memory>
#include <thread>

#include "model/backend/session.h"
#include "model/engine/engine.h"
#include "model/engine/fused/kernels.h"
#include "tests/temporary_folder.h"
#include "trainer/predict/predictor.h"

#include "tests/assertions.h"
#include "tests/model/allocation_watch.h"
#include "tests/plugin/small_weights.h"

using namespace unetseg;

namespace {

constexpr int kSide = 32;  // of SmallWeights' input
constexpr std::size_t kPixels = std::size_t{kSide} * kSide;
constexpr int kPictures = 5;

UnetsegOpenOptions options_for(const std::string& file,
                               UnetsegPrecision precision = UNETSEG_PRECISION_AUTO) {
  UnetsegOpenOptions options = {};
  options.model_file = file.c_str();
  options.device = "cpu";
  options.precision = precision;
  options.n_slots = kPictures;
  return options;
}

// A dark disc on skin, each number another.
trainer::Image picture(int number, int side = kSide) {
  trainer::Image image = {side, side, 3, {}};
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const double r = std::hypot(x - side * (.4 + .05 * number), y - side * .5);
      const bool lesion = r < side * (.2 + .02 * number);
      for (const int value : {lesion ? 90 : 220, lesion ? 60 : 170, lesion ? 50 : 150})
        image.pixels.push_back(static_cast<std::uint8_t>(value + (x * 7 + y * 13) % 10));
    }
  return image;
}

std::vector<float> input(const ModelCard& card, int number) {
  const int side = card.input_width;
  std::vector<float> planes(static_cast<std::size_t>(3 * side * side));
  Sampler(side, side, card.normalisation)
      .sample(trainer::frame_of(picture(number, side)), planes.data());
  return planes;
}

// Of pictures `first` and up, as one batch.
std::vector<std::vector<float>> infer(Engine& engine, int first, int n) {
  std::vector<std::vector<float>> inputs, results(static_cast<std::size_t>(n));
  std::vector<const float*> from;
  std::vector<float*> to;
  for (int i = 0; i < n; ++i) inputs.push_back(input(engine.card(), first + i));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    results[i].resize(inputs[i].size() / 3);
    from.push_back(inputs[i].data());
    to.push_back(results[i].data());
  }
  engine.run(from.data(), to.data(), n);
  return results;
}

std::vector<float> infer_one(Engine& engine, int number = 0) {
  return infer(engine, number, 1)[0];
}

// The trained network, made to see less: emulated arithmetic takes a while.
constexpr int kTrainedSide = 64;
void write_trained(const std::string& path) {
  const SafetensorsFile file = read_safetensors(UNETSEG_TEST_WEIGHTS);
  std::vector<TensorToWrite> tensors;
  for (const TensorEntry& entry : file.tensors)
    tensors.push_back({entry.name, entry.dtype, entry.shape, file.data.data() + entry.offset});
  auto metadata = file.metadata;
  metadata["input_width"] = metadata["input_height"] = std::to_string(kTrainedSide);
  write_safetensors(path, tensors, metadata);
}

double dice(const std::vector<float>& a, const std::vector<float>& b, double threshold) {
  int both = 0, sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool in_a = a[i] >= threshold, in_b = b[i] >= threshold;
    both += in_a && in_b;
    sum += in_a + in_b;
  }
  ck_assert_int_gt(sum, 0);
  return 2.0 * both / sum;
}

}  // namespace

START_TEST(test_a_batch_gives_bit_for_bit_what_single_pictures_give) {
  const TemporaryFolder folder;
  for (const char* architecture : {"improved-unet", "seed-unet"}) {
    const std::string file = folder.path() + "/" + architecture;
    SmallWeights(architecture, 8).write(file);
    const auto engine = make_engine(options_for(file));
    const auto together = infer(*engine, 0, kPictures);
    for (int i = 0; i < kPictures; ++i)
      ck_assert(together[static_cast<std::size_t>(i)] == infer_one(*engine, i));
    ck_assert(together[0] != together[1]);
  }
}
END_TEST

// Whoever has no such instructions gets float32; who has them, no emulation of them.
START_TEST(test_auto_is_float32_or_bfloat16_that_is_not_emulated) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights";
  SmallWeights().write(file);
  const auto automatic = make_engine(options_for(file));
  const auto wide = make_engine(options_for(file, UNETSEG_PRECISION_FP32));
  assert_equal(wide->precision(), "fp32");
  assert_equal(automatic->notice(), "");
  if (automatic->precision() == "bf16") {
    assert_equal(automatic->name(), "fused-cpu");
    ck_assert(fused::best_bf16_kernels() != nullptr);
  } else {
    assert_equal(automatic->precision(), "fp32");
    ck_assert(infer_one(*automatic) == infer_one(*wide));
  }
}
END_TEST

START_TEST(test_bfloat16_gives_the_masks_of_float32) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights";
  write_trained(file);
  const auto wide = make_engine(options_for(file, UNETSEG_PRECISION_FP32));
  UnetsegOpenOptions options = options_for(file, UNETSEG_PRECISION_BF16);
  options.engine = UNETSEG_ENGINE_LIBTORCH;
  const auto narrow = make_engine(options);
  assert_equal(narrow->precision(), "bf16");
  // The largest disc: of the smallest a network may see but a few pixels, so that each counts.
  constexpr int kLargest = kPictures - 1;
  const auto expected = infer_one(*wide, kLargest), found = infer_one(*narrow, kLargest);
  ck_assert(found != expected);
  ck_assert_double_ge(dice(found, expected, wide->card().threshold), .99);
#if defined(__x86_64__)
  ck_assert(narrow->notice().empty() == (__builtin_cpu_supports("avx512bf16") != 0));
#endif
}
END_TEST

START_TEST(test_precisions_that_are_not_available_name_those_that_are) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights";
  SmallWeights().write(file);
  for (const UnetsegPrecision precision : {UNETSEG_PRECISION_INT8, UNETSEG_PRECISION_FP16}) {
    const Error error = error_of([&] { make_engine(options_for(file, precision)); });
    assert_fault(error, Fault::settings);
    assert_presentable(error);
    assert_mentions(error, precision == UNETSEG_PRECISION_INT8 ? "precision=int8 is not available"
                                                               : "precision=fp16 is not available");
    assert_mentions(error, "use auto");
  }
}
END_TEST

START_TEST(test_the_session_augments_as_the_trainers_evaluation_does) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights";
  SmallWeights().write(file);
  Session session(options_for(file));
  const trainer::Image image = picture(0, 50);
  const UnetsegMaskOptions mask = {-1, UNETSEG_SWITCH_MODEL, UNETSEG_SWITCH_MODEL, -1, -1, nullptr};
  const UnetsegStyle style = {UNETSEG_DRAW_PROBABILITY, 0, 0, 0, 0};
  std::vector<std::vector<std::uint8_t>> pictures;
  for (const UnetsegTta tta : {UNETSEG_TTA_NONE, UNETSEG_TTA_FLIPS, UNETSEG_TTA_D4}) {
    trainer::PredictorOptions options;
    options.weights = file;
    options.device = "cpu";
    options.augmentation = tta;
    trainer::Predictor predictor(options);
    const ProbabilityView expected = predictor.probabilities(image);

    const guint slot = 2;
    session.sample(slot, trainer::frame_of(image), UNETSEG_FIT_MODEL);
    session.infer(&slot, 1, tta);
    trainer::Image shown = {kSide, kSide, 1, std::vector<std::uint8_t>(kPixels)};
    session.draw(slot, trainer::frame_of(shown), mask, style);
    for (std::size_t i = 0; i < kPixels; ++i)
      ck_assert_int_eq(shown.pixels[i], static_cast<int>(std::lround(255 * expected.data[i])));
    const UnetsegMeasurement told = session.measure(slot, image.width, image.height, mask),
                             measured = predictor.measure(image.width, image.height);
    ck_assert(told.found);
    ck_assert_double_eq(told.confidence, measured.confidence);
    ck_assert_double_eq(told.area, measured.area);
    pictures.push_back(shown.pixels);
  }
  ck_assert(pictures[0] != pictures[1] && pictures[1] != pictures[2]);
}
END_TEST

START_TEST(test_s13_a_second_engine_reads_no_weights) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights", link = folder.path() + "/link";
  SmallWeights("improved-unet", 8).write(file);
  std::filesystem::create_symlink(file, link);
  const std::size_t bytes = std::filesystem::file_size(file);
  const auto first = make_engine(options_for(file));
  for (const std::string& path : {file, link}) {
    allocation_watch::largest = 0;
    const auto second = make_engine(options_for(path));
    ck_assert_uint_lt(allocation_watch::largest, bytes / 10);
    ck_assert(infer_one(*second) == infer_one(*first));
  }
  // In another type they are others.
  allocation_watch::largest = 0;
  const auto narrow = make_engine(options_for(file, UNETSEG_PRECISION_BF16));
  ck_assert_uint_gt(allocation_watch::largest, bytes / 2);
}
END_TEST

START_TEST(test_s13_weights_go_with_their_last_user) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights";
  SmallWeights("improved-unet", 8).write(file);
  const std::size_t bytes = std::filesystem::file_size(file);
  auto first = make_engine(options_for(file));
  auto second = make_engine(options_for(file));
  const auto expected = infer_one(*first);
  first.reset();
  ck_assert(infer_one(*second) == expected);
  second.reset();
  allocation_watch::largest = 0;
  const auto third = make_engine(options_for(file));
  ck_assert_uint_gt(allocation_watch::largest, bytes / 2);
  ck_assert(infer_one(*third) == expected);
}
END_TEST

START_TEST(test_s13_a_replaced_file_is_a_new_entry) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights", other = folder.path() + "/other";
  SmallWeights weights;
  weights.write(file);
  const auto first = make_engine(options_for(file));
  const auto before = infer_one(*first);
  const auto changed = [&] {
    for (float& value : weights.tensors[0]) value = -value;
    weights.tensors[1][0] += 1;
  };

  changed();
  weights.write(other);
  std::filesystem::rename(other, file);
  const auto renamed_over = make_engine(options_for(file));
  const auto after = infer_one(*renamed_over);
  ck_assert(after != before);

  changed();
  weights.write(other);
  std::filesystem::copy_file(other, file, std::filesystem::copy_options::overwrite_existing);
  const auto rewritten = make_engine(options_for(file));
  ck_assert(infer_one(*rewritten) != after);
  ck_assert(infer_one(*first) == before);
  ck_assert(infer_one(*renamed_over) == after);
}
END_TEST

START_TEST(test_s13_a_shared_network_serves_several_threads_at_once) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights";
  SmallWeights("improved-unet", 8).write(file);
  UnetsegOpenOptions options = options_for(file);
  options.threads = 1;  // so that there are as many teams as cores
  std::vector<std::vector<float>> expected;
  std::vector<std::unique_ptr<Engine>> engines;
  for (int i = 0; i < 4; ++i) {
    engines.push_back(make_engine(options));
    expected.push_back(infer_one(*engines[0], i));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < engines.size(); ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 20; ++k)
        if (infer_one(*engines[i], static_cast<int>(i)) != expected[i]) ++wrong;
    });
  for (std::thread& thread : threads) thread.join();
  ck_assert_int_eq(wrong, 0);
}
END_TEST

int main() {
  Suite* suite = suite_create("engine");
  TCase* tests = tcase_create("libtorch");
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, test_a_batch_gives_bit_for_bit_what_single_pictures_give);
  tcase_add_test(tests, test_auto_is_float32_or_bfloat16_that_is_not_emulated);
  tcase_add_test(tests, test_bfloat16_gives_the_masks_of_float32);
  tcase_add_test(tests, test_precisions_that_are_not_available_name_those_that_are);
  tcase_add_test(tests, test_the_session_augments_as_the_trainers_evaluation_does);
  tcase_add_test(tests, test_s13_a_second_engine_reads_no_weights);
  tcase_add_test(tests, test_s13_weights_go_with_their_last_user);
  tcase_add_test(tests, test_s13_a_replaced_file_is_a_new_entry);
  tcase_add_test(tests, test_s13_a_shared_network_serves_several_threads_at_once);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
