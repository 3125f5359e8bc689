// SPDX-License-Identifier: MIT
// The atomic write: each of its system calls fails, is interrupted, or is the last one of the
// process.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "model/storage/atomic_file.h"
#include "model/storage/safetensors.h"

#include "tests/check.h"
#include "tests/assertions.h"
#include "tests/model/safetensors_bytes.h"
#include "tests/temporary_folder.h"

using namespace unetseg;

namespace {

const FileOperations kSystem = file_operations;
const std::string kOld = "the old content", kNew(100000, 'n');

// What the replaced operations do at the call number `fault_at`, counted from 0.
enum class At { nothing, fail, kill };
struct {
  At what = At::nothing;
  int fault_at = -1, reason = 0, calls = 0;
  std::string log;  // the first letter of each call; F for the folder's
} script;

bool strikes(char call) {
  script.log += call;
  if (script.calls++ != script.fault_at) return false;
  if (script.what == At::kill) raise(SIGKILL);
  errno = script.reason;
  return script.what == At::fail;
}

bool is_folder(int descriptor) {
  struct stat status = {};
  return fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
}

const FileOperations kScripted = {
    [](const char* path, int flags, mode_t mode) {
      return strikes('o') ? -1 : kSystem.open(path, flags, mode);
    },
    [](int descriptor, const void* bytes, std::size_t size) -> ssize_t {
      // Two calls for the content, so that a fault can come after a part of it.
      const std::size_t some = size == kNew.size() ? size / 2 : size;
      return strikes('w') ? -1 : kSystem.write(descriptor, bytes, some);
    },
    [](int descriptor) {
      return strikes(is_folder(descriptor) ? 'F' : 'f') ? -1 : kSystem.fsync(descriptor);
    },
    [](int descriptor) {
      if (is_folder(descriptor)) return kSystem.close(descriptor);
      const bool struck = strikes('c');
      kSystem.close(descriptor);
      if (struck) errno = script.reason;
      return struck ? -1 : 0;
    },
    [](const char* from, const char* to) { return strikes('r') ? -1 : kSystem.rename(from, to); },
    ::unlink,
};

// Every call of one successful write: folder and file opened, ..., folder synchronised.
constexpr char kCalls[] = "oowwfcrF";
constexpr int kCallCount = sizeof kCalls - 1;

void set_script(At what, int fault_at, int reason) {
  file_operations = kScripted;
  script = {what, fault_at, reason, 0, {}};
}

int files_in(const std::string& folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<int>(std::distance(begin(all), end(all)));
}

}  // namespace

START_TEST(test_t3_the_file_is_on_disk_before_its_name_and_the_name_before_the_end) {
  const TemporaryFolder folder;
  set_script(At::nothing, -1, 0);
  write_file_atomically(folder.path() + "/file", kNew);
  assert_equal(script.log, kCalls);
  ck_assert(bytes_of_file(folder.path() + "/file") == kNew);
}
END_TEST

START_TEST(test_t1_a_failing_call_leaves_the_old_file_and_no_temporary_one) {
  for (const int reason : {ENOSPC, EDQUOT, EIO, EROFS}) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/file";
    write_bytes(path, kOld);
    set_script(At::fail, _i, reason);
    const Error error = error_of([&] { write_file_atomically(path, kNew); });
    assert_presentable(error);
    assert_fault(error, reason == ENOSPC || reason == EDQUOT ? Fault::no_space : Fault::write);
    assert_mentions(error, path + ": cannot be written: ");
    ck_assert(error.detail().find(g_strerror(reason)) != std::string::npos);
    // Only when the folder's fsync fails does the new file stand there already, whole.
    ck_assert(bytes_of_file(path) == (kCalls[_i] == 'F' ? kNew : kOld));
    ck_assert_int_eq(files_in(folder.path()), 1);
  }
}
END_TEST

START_TEST(test_t1_a_failing_call_leaves_no_new_file_where_there_was_none) {
  if (kCalls[_i] == 'F') return;
  const TemporaryFolder folder;
  set_script(At::fail, _i, ENOSPC);
  error_of([&] { write_file_atomically(folder.path() + "/file", kNew); });
  ck_assert_int_eq(files_in(folder.path()), 0);
}
END_TEST

START_TEST(test_t1_a_failing_call_leaves_the_old_weights) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file.safetensors";
  const float first = 1, second = 2;
  write_safetensors(path, {{"a", DType::f32, {1}, &first}}, {});
  set_script(At::fail, _i, ENOSPC);
  const Error error = error_of([&] {
    write_safetensors(path, {{"a", DType::f32, {1}, &second}}, {});
  });
  assert_fault(error, Fault::no_space);
  const SafetensorsFile file = read_safetensors(path);
  ck_assert_mem_eq(file.data.data(), kCalls[_i] == 'F' ? &second : &first, sizeof first);
  ck_assert_int_eq(files_in(folder.path()), 1);
}
END_TEST

START_TEST(test_t3_killed_at_any_call_the_file_is_the_old_or_the_new_one) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  write_bytes(path, kOld);
  const pid_t child = fork();
  if (child == 0) {
    set_script(At::kill, _i, 0);
    write_file_atomically(path, kNew);
    _exit(0);
  }
  int status = 0;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  ck_assert(bytes_of_file(path) == (kCalls[_i] == 'F' ? kNew : kOld));
  write_file_atomically(path, "the next one");
  assert_equal(bytes_of_file(path), "the next one");
}
END_TEST

// Folder opened, renamed, folder synchronised.
START_TEST(test_t1_a_failing_rename_is_told_and_loses_no_file) {
  const TemporaryFolder folder;
  const std::string from = folder.path() + "/from", to = folder.path() + "/to";
  write_bytes(from, kNew);
  write_bytes(to, kOld);
  set_script(At::fail, _i, EIO);
  const Error error = error_of([&] { rename_file_durably(from, to); });
  assert_presentable(error);
  assert_fault(error, Fault::write);
  assert_mentions(error, to + ": cannot be written: the disk reports an error");
  ck_assert(bytes_of_file(to) == (script.log == "orF" ? kNew : kOld));
  set_script(At::nothing, -1, 0);
  if (std::filesystem::exists(from)) rename_file_durably(from, to);
  ck_assert(bytes_of_file(to) == kNew);
  ck_assert_int_eq(files_in(folder.path()), 1);
}
END_TEST

START_TEST(test_interrupted_and_short_writes_are_continued) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  static int turn = 0;
  file_operations.write = [](int descriptor, const void* bytes, std::size_t size) -> ssize_t {
    errno = EINTR;
    return turn++ % 2 == 0 ? -1 : kSystem.write(descriptor, bytes, std::min<std::size_t>(size, 7));
  };
  file_operations.fsync = [](int descriptor) {
    errno = EINTR;
    return turn++ % 2 == 0 ? -1 : kSystem.fsync(descriptor);
  };
  const std::string text = "longer than seven bytes";
  write_file_atomically(path, {{text.data(), 10}, {nullptr, 0}, {text.data() + 10, 13}});
  assert_equal(bytes_of_file(path), text);
}
END_TEST

START_TEST(test_a_write_that_takes_nothing_is_an_error_and_no_endless_loop) {
  const TemporaryFolder folder;
  file_operations.write = [](int, const void*, std::size_t) -> ssize_t { return 0; };
  assert_fault(error_of([&] { write_file_atomically(folder.path() + "/file", kNew); }),
               Fault::write);
  ck_assert_int_eq(files_in(folder.path()), 0);
}
END_TEST

START_TEST(test_a_folder_without_fsync_is_accepted) {
  const TemporaryFolder folder;
  file_operations.fsync = [](int descriptor) {
    errno = EINVAL;
    return is_folder(descriptor) ? -1 : kSystem.fsync(descriptor);
  };
  write_file_atomically(folder.path() + "/file", kNew);
  ck_assert(bytes_of_file(folder.path() + "/file") == kNew);
}
END_TEST

START_TEST(test_a_temporary_name_in_use_is_not_touched) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  static int refusals = 0;
  file_operations.open = [](const char* name, int flags, mode_t mode) {
    if ((flags & O_CREAT) == 0 || refusals++ >= 3) return kSystem.open(name, flags, mode);
    ck_assert_int_ne(flags & O_EXCL, 0);
    write_bytes(name, "somebody's");
    return kSystem.open(name, flags, mode);
  };
  write_file_atomically(path, kNew);
  ck_assert_int_eq(refusals, 4);
  ck_assert_int_eq(files_in(folder.path()), 4);
  ck_assert(bytes_of_file(path) == kNew);
}
END_TEST

START_TEST(test_text_bytes_and_nothing_can_be_written) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  write_file_atomically(path, std::vector<std::uint8_t>{0, 255, 10});
  ck_assert(bytes_of_file(path) == std::string("\0\xff\n", 3));
  write_file_atomically(path, "");
  ck_assert(bytes_of_file(path).empty());
}
END_TEST

START_TEST(test_a_link_stays_and_its_target_is_replaced) {
  const TemporaryFolder folder;
  const std::string target = folder.path() + "/below/target", link = folder.path() + "/link";
  std::filesystem::create_directory(folder.path() + "/below");
  write_bytes(target, kOld);
  std::filesystem::create_symlink("below/target", link);
  write_file_atomically(link, kNew);
  ck_assert(std::filesystem::is_symlink(link));
  ck_assert(bytes_of_file(target) == kNew);
}
END_TEST

START_TEST(test_what_is_no_regular_file_is_not_replaced) {
  const TemporaryFolder folder;
  const std::string pipe = folder.path() + "/pipe", below = folder.path() + "/below";
  ck_assert_int_eq(mkfifo(pipe.c_str(), 0600), 0);
  std::filesystem::create_directory(below);
  for (const std::string& path : {pipe, below, std::string("/dev/null")}) {
    const Error error = error_of([&] { write_file_atomically(path, kNew); });
    assert_fault(error, Fault::write);
    assert_mentions(error, path + ": cannot be written: it is there and is no regular file");
  }
  ck_assert(std::filesystem::is_fifo(pipe) && std::filesystem::is_empty(below));
  ck_assert_int_eq(files_in(folder.path()), 2);
}
END_TEST

START_TEST(test_a_missing_folder_is_named_as_the_cause) {
  const TemporaryFolder folder;
  const Error error = error_of([&] { write_file_atomically(folder.path() + "/no/file", kNew); });
  assert_fault(error, Fault::write);
  assert_mentions(error, "its folder does not exist; create it");
}
END_TEST

START_TEST(test_a_name_of_full_length_and_one_without_folder_work) {
  const TemporaryFolder folder;
  std::filesystem::current_path(folder.path());
  const std::string name(255, 'x');
  write_file_atomically(name, kNew);
  ck_assert(bytes_of_file(folder.path() + "/" + name) == kNew);
  std::filesystem::current_path("/");
}
END_TEST

START_TEST(test_permissions_follow_the_umask) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  umask(027);
  write_file_atomically(path, kNew);
  struct stat status = {};
  ck_assert_int_eq(stat(path.c_str(), &status), 0);
  ck_assert_uint_eq(status.st_mode & 07777, 0640);
}
END_TEST

int main() {
  TCase* tests = tcase_create("atomic file");
  tcase_add_test(tests, test_t3_the_file_is_on_disk_before_its_name_and_the_name_before_the_end);
  tcase_add_loop_test(tests, test_t1_a_failing_call_leaves_the_old_file_and_no_temporary_one, 0,
                      kCallCount);
  tcase_add_loop_test(tests, test_t1_a_failing_call_leaves_no_new_file_where_there_was_none, 0,
                      kCallCount);
  tcase_add_loop_test(tests, test_t1_a_failing_call_leaves_the_old_weights, 0, kCallCount);
  tcase_add_loop_test(tests, test_t3_killed_at_any_call_the_file_is_the_old_or_the_new_one, 0,
                      kCallCount);
  tcase_add_loop_test(tests, test_t1_a_failing_rename_is_told_and_loses_no_file, 0, 3);
  tcase_add_test(tests, test_interrupted_and_short_writes_are_continued);
  tcase_add_test(tests, test_a_write_that_takes_nothing_is_an_error_and_no_endless_loop);
  tcase_add_test(tests, test_a_folder_without_fsync_is_accepted);
  tcase_add_test(tests, test_a_temporary_name_in_use_is_not_touched);
  tcase_add_test(tests, test_text_bytes_and_nothing_can_be_written);
  tcase_add_test(tests, test_a_link_stays_and_its_target_is_replaced);
  tcase_add_test(tests, test_what_is_no_regular_file_is_not_replaced);
  tcase_add_test(tests, test_a_missing_folder_is_named_as_the_cause);
  tcase_add_test(tests, test_a_name_of_full_length_and_one_without_folder_work);
  tcase_add_test(tests, test_permissions_follow_the_umask);
  Suite* suite = suite_create("atomic file");
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
