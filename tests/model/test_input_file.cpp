// SPDX-License-Identifier: MIT
// Opening a file to read: whatever is at the path, the answer comes at once and says what it is.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "model/storage/safetensors.h"

#include "tests/check.h"
#include "tests/assertions.h"
#include "tests/model/safetensors_bytes.h"
#include "tests/temporary_folder.h"

using namespace unetseg;

namespace {

const std::string kWhole =
    safetensors_bytes("{" + entry("a", "F32", "1", "0,4") + "}", std::string("\0\0\x80\x3f", 4));

void assert_refused(const std::string& path, Fault fault, const char* mentions) {
  const Error error = error_of([&] { read_safetensors(path); });
  assert_presentable(error);
  assert_fault(error, fault);
  assert_mentions(error, path);
  assert_mentions(error, mentions);
}

// For its lifetime the process is nobody, whom permissions bind; root reads everything.
class AsNobody {
 public:
  AsNobody() {
    if (was_ == 0) ck_assert_int_eq(seteuid(65534), 0);
  }
  ~AsNobody() {
    if (was_ == 0 && seteuid(0) != 0) std::abort();
  }

 private:
  uid_t was_ = geteuid();
};

}  // namespace

START_TEST(test_m1_missing_files_are_not_found) {
  const TemporaryFolder folder;
  assert_refused(folder.path() + "/none.safetensors", Fault::not_found, "check the path");
  assert_refused(folder.path() + "/no/such/folder", Fault::not_found, "check the path");
  write_bytes(folder.path() + "/file", kWhole);
  assert_refused(folder.path() + "/file/below", Fault::not_found, "check the path");
  assert_refused("", Fault::not_found, "check the path");
}
END_TEST

START_TEST(test_m1_a_dangling_link_is_not_found) {
  const TemporaryFolder folder;
  const std::string link = folder.path() + "/link";
  std::filesystem::create_symlink("nowhere", link);
  assert_refused(link, Fault::not_found, "a link to a file that does not exist");
}
END_TEST

START_TEST(test_m2_a_link_loop_is_refused) {
  const TemporaryFolder folder;
  const std::string link = folder.path() + "/link";
  std::filesystem::create_symlink("link", link);
  assert_refused(link, Fault::open_read, "leads back to itself");
}
END_TEST

START_TEST(test_m2_a_folder_is_refused) {
  const TemporaryFolder folder;
  assert_refused(folder.path(), Fault::open_read, "is a folder; give a regular file");
}
END_TEST

START_TEST(test_m2_a_pipe_is_refused_without_waiting_for_a_writer) {
  const TemporaryFolder folder;
  const std::string pipe = folder.path() + "/pipe";
  ck_assert_int_eq(mkfifo(pipe.c_str(), 0600), 0);
  assert_refused(pipe, Fault::open_read, "is a pipe; give a regular file");
}
END_TEST

START_TEST(test_m2_a_socket_is_refused) {
  const TemporaryFolder folder;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path = folder.path() + "/socket";
  ck_assert_uint_lt(path.size(), sizeof address.sun_path);
  std::strcpy(address.sun_path, path.c_str());
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ck_assert_int_ge(listener, 0);
  ck_assert_int_eq(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  assert_refused(path, Fault::open_read, "is a socket or a device");
  close(listener);
}
END_TEST

START_TEST(test_m2_a_device_is_refused) {
  assert_refused("/dev/zero", Fault::open_read, "is a device; give a regular file");
}
END_TEST

START_TEST(test_m2_a_file_above_the_limit_is_refused) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  write_bytes(path, kWhole);
  std::filesystem::resize_file(path, (std::uint64_t{1} << 30) + 1);  // a hole: takes no space
  assert_refused(path, Fault::open_read,
                 "has 1073741825 bytes, more than the 1073741824 that are accepted");
}
END_TEST

START_TEST(test_m2_a_file_without_permission_is_refused) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  write_bytes(path, kWhole);
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(path, std::filesystem::perms::none);
  const AsNobody nobody;
  assert_refused(path, Fault::open_read, "change its permissions");
  ck_assert(error_of([&] { read_safetensors(path); }).detail().find("open: ") == 0);
}
END_TEST

START_TEST(test_m2_a_name_too_long_is_refused) {
  assert_refused(std::string(300, 'x'), Fault::open_read, "cannot be opened");
}
END_TEST

START_TEST(test_m3_links_to_a_regular_file_are_followed) {
  const TemporaryFolder folder;
  write_bytes(folder.path() + "/file", kWhole);
  std::filesystem::create_symlink("file", folder.path() + "/first");
  std::filesystem::create_symlink("first", folder.path() + "/second");
  ck_assert_uint_eq(read_safetensors(folder.path() + "/second").tensors.size(), 1);
}
END_TEST

START_TEST(test_a_path_that_is_no_utf8_gives_a_presentable_message) {
  const Error error = error_of([] { read_safetensors("/none/\xff\xfe.safetensors"); });
  assert_presentable(error);
  assert_fault(error, Fault::not_found);
}
END_TEST

START_TEST(test_no_descriptor_is_left_open) {
  const TemporaryFolder folder;
  const std::string good = folder.path() + "/good", bad = folder.path() + "/bad";
  write_bytes(good, kWhole);
  write_bytes(bad, "bad");
  const int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(before);
  read_safetensors(good);
  error_of([&] { read_safetensors(bad); });
  error_of([&] { read_safetensors(folder.path()); });
  const int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(after);
  ck_assert_int_eq(after, before);
}
END_TEST

int main() {
  TCase* tests = tcase_create("input file");
  tcase_add_test(tests, test_m1_missing_files_are_not_found);
  tcase_add_test(tests, test_m1_a_dangling_link_is_not_found);
  tcase_add_test(tests, test_m2_a_link_loop_is_refused);
  tcase_add_test(tests, test_m2_a_folder_is_refused);
  tcase_add_test(tests, test_m2_a_pipe_is_refused_without_waiting_for_a_writer);
  tcase_add_test(tests, test_m2_a_socket_is_refused);
  tcase_add_test(tests, test_m2_a_device_is_refused);
  tcase_add_test(tests, test_m2_a_file_above_the_limit_is_refused);
  tcase_add_test(tests, test_m2_a_file_without_permission_is_refused);
  tcase_add_test(tests, test_m2_a_name_too_long_is_refused);
  tcase_add_test(tests, test_m3_links_to_a_regular_file_are_followed);
  tcase_add_test(tests, test_a_path_that_is_no_utf8_gives_a_presentable_message);
  tcase_add_test(tests, test_no_descriptor_is_left_open);
  Suite* suite = suite_create("input file");
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
