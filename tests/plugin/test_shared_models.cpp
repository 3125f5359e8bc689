// SPDX-License-Identifier: MIT
// Several elements in one process, and files that change under an element, with the real module.
// Run with CK_FORK=no: the module is opened once, and LibTorch's threads do not survive a fork.
#include <cstdio>
#include <memory>
#include <thread>

#include "tests/temporary_folder.h"

#include "tests/plugin/lone_element.h"
#include "tests/plugin/small_weights.h"

namespace {

constexpr int kElements = 8;
constexpr int kSide = 32;
constexpr double kMiB = 1 << 20;
// What an element's frames are in, of the shipped network: input, probabilities, cleaned ones.
constexpr double kSlots = 3.0 * 128 * 128 * 5 * sizeof(float);

// Bytes of memory in use by the process.
double resident() {
  std::ifstream file("/proc/self/statm");
  long total = 0, resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

int thread_count() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

// Threads that were told to end may need a moment.
void wait_for_threads(int most) {
  while (thread_count() > most) g_usleep(1000);
}

std::string sha256_of(GstElement* element) {
  GstStructure* info = nullptr;
  g_object_get(element, "model-info", &info, nullptr);
  ck_assert(info != nullptr);
  const StructurePtr owned(info);
  return gst_structure_get_string(info, "sha256");
}

BufferPtr noise(int number) {
  BufferPtr buffer = bytes_buffer(kSide * kSide * 3, 0);
  std::uint32_t seed = static_cast<std::uint32_t>(number) + 1;
  for (gsize i = 0; i < kSide * kSide * 3; ++i) {
    seed = seed * 1664525u + 1013904223u;
    gst_buffer_memset(buffer.get(), i, static_cast<guint8>(seed >> 24), 1);
  }
  return buffer;
}

std::unique_ptr<Bench> playing(const std::string& file, const Properties& more = {}) {
  auto bench = std::make_unique<Bench>(Properties{{"model-file", file}, {"output", "probability"}});
  set_properties(bench->element(), more);
  ck_assert(bench->send_caps(caps_of("RGB", kSide, kSide)));
  return bench;
}

std::vector<guint8> mask_of(Bench& bench, int number) {
  ck_assert_int_eq(bench.push(noise(number)), GST_FLOW_OK);
  const BufferPtr mask = bench.pull();
  ck_assert(mask != nullptr);
  return bytes_of(mask.get());
}

// Other weights than before, of the same size.
void change(SmallWeights* weights) {
  for (float& value : weights->tensors[0]) value = -value;
  weights->tensors[1][0] += 1;
}

}  // namespace

START_TEST(test_s13_further_elements_of_one_model_add_little_memory) {
  const auto first = playing("fast");
  mask_of(*first, 0);
  const double before = resident();
  std::vector<std::unique_ptr<Bench>> others;
  constexpr int kOthers = 4;
  for (int i = 0; i < kOthers; ++i) {
    others.push_back(playing("fast"));
    mask_of(*others.back(), 0);
  }
  const double each = (resident() - before) / kOthers;
  std::fprintf(stderr, "a further element takes %.2f MiB\n", each / kMiB);
  ck_assert(each <= 2 * kMiB + kSlots);
}
END_TEST

START_TEST(test_s13_errors_and_ends_of_one_element_leave_the_other_alone) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights";
  SmallWeights().write(file);
  const auto first = playing(file);
  const auto expected = mask_of(*first, 1);
  for (int i = 0; i < 3; ++i) {
    LoneElement other({{"model-file", file}});
    ck_assert_int_eq(other.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
    ck_assert_int_eq(other.set(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    set_properties(other.get(), {{"model-file", folder.path() + "/missing"}});
    ck_assert_int_eq(other.set(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    assert_only(other.errors(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "missing");
    ck_assert(mask_of(*first, 1) == expected);
  }
  ck_assert_uint_eq(first->errors().size(), 0);
}
END_TEST

START_TEST(test_s13_a_file_that_was_replaced_in_ready_is_read_anew) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights", other = folder.path() + "/other";
  SmallWeights weights;
  weights.write(file);
  LoneElement element({{"model-file", file}});
  std::string before;
  // As it was, renamed over, rewritten.
  for (int i = 0; i < 3; ++i) {
    ck_assert_int_eq(element.set(GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
    const std::string first = sha256_of(element.get());
    ck_assert(first != before);
    before = first;
    ck_assert_int_eq(element.set(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    ck_assert_int_eq(element.set(GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
    ck_assert(sha256_of(element.get()) == first);
    ck_assert_int_eq(element.set(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    change(&weights);
    weights.write(other);
    if (i == 0)
      std::filesystem::rename(other, file);
    else
      std::filesystem::copy_file(other, file, std::filesystem::copy_options::overwrite_existing);
  }
  std::filesystem::remove(file);
  ck_assert_int_eq(element.set(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  assert_only(element.errors(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, file);
}
END_TEST

START_TEST(test_s14_eight_elements_give_the_masks_of_one_and_share_their_threads) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights";
  SmallWeights("improved-unet", 4).write(file);
  constexpr int kFrames = 10;
  std::vector<std::vector<guint8>> expected;
  {
    const auto alone = playing(file);
    for (int i = 0; i < kFrames; ++i) expected.push_back(mask_of(*alone, i));
  }
  const int none = thread_count();
  std::vector<std::unique_ptr<Bench>> benches;
  benches.push_back(playing(file));
  mask_of(*benches[0], 0);
  const int one = thread_count();
  for (int i = 1; i < kElements; ++i) benches.push_back(playing(file));

  std::atomic<int> wrong{0};
  std::vector<std::thread> cameras;
  for (const auto& bench : benches)
    cameras.emplace_back([&expected, &wrong, &bench] {
      for (int i = 0; i < kFrames; ++i)
        if (mask_of(*bench, i) != expected[static_cast<std::size_t>(i)]) ++wrong;
    });
  for (std::thread& camera : cameras) camera.join();
  ck_assert_int_eq(wrong, 0);
  // One waits for each element's frames; the rest is what one element alone has.
  wait_for_threads(one + kElements - 1);
  benches.clear();
  wait_for_threads(none);
}
END_TEST

START_TEST(test_s7_memory_and_threads_are_back_after_fifty_cycles) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights";
  SmallWeights().write(file);
  const auto cycles = [&file](int n) {
    for (int i = 0; i < n; ++i) mask_of(*playing(file), i);
  };
  cycles(5);
  const double before = resident();
  const int threads = thread_count();
  constexpr int kCycles = 50;
  cycles(kCycles);
  wait_for_threads(threads);
  const double each = (resident() - before) / kCycles;
  std::fprintf(stderr, "a cycle leaves %.1f KiB\n", each / 1024);
  ck_assert(each <= kMiB / 16);
}
END_TEST

START_TEST(test_a_precision_that_is_not_available_is_one_error) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights";
  SmallWeights().write(file);
  LoneElement element({{"model-file", file}});
  for (const char* precision : {"int8", "fp16"}) {
    set_properties(element.get(), {{"precision", precision}, {"device", "cpu"}});
    ck_assert_int_eq(element.set(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    ck_assert_int_eq(element.set(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    assert_only(element.errors(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                std::string("precision=") + precision + " is not available");
    set_properties(element.get(), {{"precision", "auto"}});
    ck_assert_int_eq(element.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  }
}
END_TEST

START_TEST(test_the_precision_in_use_is_shown) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/weights";
  SmallWeights().write(file);
  const std::pair<const char*, const char*> cases[] = {
      {"auto", nullptr}, {"fp32", "fp32"}, {"bf16", "bf16"}};
  for (const auto& c : cases) {
    LoneElement element({{"model-file", file}, {"precision", c.first}, {"device", "cpu"}});
    ck_assert_int_eq(element.set(GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
    GstStructure* info = nullptr;
    g_object_get(element.get(), "model-info", &info, nullptr);
    const StructurePtr owned(info);
    const std::string precision = gst_structure_get_string(info, "precision");
    if (c.second != nullptr)
      ck_assert_str_eq(precision.c_str(), c.second);
    else  // by the processor
      ck_assert(precision == "fp32" || precision == "bf16");
    for (const Notice& warning : element.warnings())
      assert_notice(warning, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "is emulated");
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("shared models");
  TCase* tests = tcase_create("real module");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, test_s13_further_elements_of_one_model_add_little_memory);
  tcase_add_test(tests, test_s13_errors_and_ends_of_one_element_leave_the_other_alone);
  tcase_add_test(tests, test_s13_a_file_that_was_replaced_in_ready_is_read_anew);
  tcase_add_test(tests, test_s14_eight_elements_give_the_masks_of_one_and_share_their_threads);
  tcase_add_test(tests, test_s7_memory_and_threads_are_back_after_fifty_cycles);
  tcase_add_test(tests, test_a_precision_that_is_not_available_is_one_error);
  tcase_add_test(tests, test_the_precision_in_use_is_shown);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
