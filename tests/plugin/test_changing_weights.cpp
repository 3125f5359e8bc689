// SPDX-License-Identifier: MIT
// Weights that somebody writes to while the element reads them (M10), and how it reads them, with
// the real module. Run with CK_FORK=no: LibTorch's threads do not survive a fork.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/temporary_folder.h"

#include "tests/plugin/lone_element.h"
#include "tests/plugin/small_weights.h"

namespace {

// Done once, at a read of more than `bytes` bytes from the file, whose descriptor it gets.
struct Change {
  struct stat file = {};
  std::size_t bytes = 0;
  std::function<void(int)> call;
} change;

}  // namespace

// In place of the C library's: what the program itself defines is found first.
extern "C" ssize_t read(int descriptor, void* to, size_t bytes) {
  struct stat status = {};
  if (change.call && bytes > change.bytes && fstat(descriptor, &status) == 0 &&
      status.st_ino == change.file.st_ino && status.st_dev == change.file.st_dev)
    std::exchange(change.call, nullptr)(descriptor);
  return syscall(SYS_read, descriptor, to, bytes);
}

namespace {

// Weights that are changed when their tensors are about to be read.
class ChangingWeights {
 public:
  explicit ChangingWeights(std::function<void(int)> call) {
    write(path(), "before");
    ck_assert_int_eq(stat(path().c_str(), &change.file), 0);
    change.bytes = static_cast<std::size_t>(change.file.st_size) / 2;
    change.call = std::move(call);
  }
  static std::string path() { return folder() + "/weights"; }
  static void write(const std::string& file, const std::string& name) {
    SmallWeights weights;
    weights.card.name = name;
    weights.write(file);
  }

 private:
  static std::string folder() {
    static const TemporaryFolder folder;
    return folder.path();
  }
};

std::string model_name(GstElement* element) {
  GstStructure* info = nullptr;
  g_object_get(element, "model-info", &info, nullptr);
  const StructurePtr owned(info);
  return info != nullptr ? gst_structure_get_string(info, "name") : "";
}

void assert_refused_and_cured(std::function<void(int)> call, const std::string& mentions) {
  const ChangingWeights weights(std::move(call));
  LoneElement element({{"model-file", weights.path()}, {"threads", "1"}});
  ck_assert_int_eq(element.set(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  ck_assert_msg(!change.call, "the change never happened");
  assert_only(element.errors(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, mentions);
  weights.write(weights.path(), "whole");
  ck_assert_int_eq(element.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  ck_assert(model_name(element.get()) == "whole");
}

}  // namespace

START_TEST(test_m10_weights_cut_off_while_they_are_read_are_an_error) {
  assert_refused_and_cured(
      [](int) { ck_assert_int_eq(truncate(ChangingWeights::path().c_str(), 100000), 0); },
      "became shorter while it was read: it ends at byte 100000");
}
END_TEST

START_TEST(test_m10_weights_rewritten_while_they_are_read_are_an_error) {
  assert_refused_and_cured(
      [](int) {
        std::fstream(ChangingWeights::path(), std::ios::in | std::ios::out).seekp(-4, std::ios::end)
            << "late";
        // The clock of the file system may be too coarse to show the difference.
        const auto time = std::filesystem::last_write_time(ChangingWeights::path());
        std::filesystem::last_write_time(ChangingWeights::path(),
                                         time + std::chrono::milliseconds(1));
      },
      "was written to while it was read");
}
END_TEST

START_TEST(test_m10_weights_renamed_over_while_they_are_read_are_those_from_before) {
  const ChangingWeights weights([](int) {
    ChangingWeights::write(ChangingWeights::path() + "-new", "after");
    std::filesystem::rename(ChangingWeights::path() + "-new", ChangingWeights::path());
  });
  LoneElement element({{"model-file", weights.path()}, {"threads", "1"}});
  ck_assert_int_eq(element.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  ck_assert_msg(!change.call, "the change never happened");
  ck_assert(model_name(element.get()) == "before");
  ck_assert_int_eq(element.set(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  ck_assert_int_eq(element.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  ck_assert(model_name(element.get()) == "after");
  ck_assert_uint_eq(element.errors().size(), 0);
}
END_TEST

START_TEST(test_s15_weights_are_not_left_open_to_programs_that_are_started) {
  int flags = -1;
  const ChangingWeights weights([&flags](int descriptor) { flags = fcntl(descriptor, F_GETFD); });
  LoneElement element({{"model-file", weights.path()}, {"threads", "1"}});
  ck_assert_int_eq(element.set(GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
  ck_assert_msg(!change.call, "the weights were never read");
  ck_assert(flags >= 0 && (flags & FD_CLOEXEC));
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("changing weights");
  TCase* tests = tcase_create("reading");
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, test_m10_weights_cut_off_while_they_are_read_are_an_error);
  tcase_add_test(tests, test_m10_weights_rewritten_while_they_are_read_are_an_error);
  tcase_add_test(tests, test_m10_weights_renamed_over_while_they_are_read_are_those_from_before);
  tcase_add_test(tests, test_s15_weights_are_not_left_open_to_programs_that_are_started);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
