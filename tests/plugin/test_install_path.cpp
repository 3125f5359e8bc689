// SPDX-License-Identifier: MIT
// Where the module and the weights are looked for. The test program stands for the plugin's file:
// folders are found from where it lies.
#include "plugin/install_path.h"

#include <glib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>

#include "tests/assertions.h"
#include "tests/temporary_folder.h"

using namespace unetseg;

namespace {

const InstallFolder kFolder = {"UNETSEG_TEST_FOLDER", "../elsewhere", "/compiled/in"};

std::string folder_of_this_program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

}  // namespace

START_TEST(test_the_plugins_own_place_comes_before_the_compiled_in_one) {
  g_unsetenv(kFolder.variable);
  const std::vector<std::string> folders = folders_of(kFolder);
  ck_assert_uint_eq(folders.size(), 2);
  assert_equal(folders[0],
               std::filesystem::path(folder_of_this_program()).parent_path() / "elsewhere");
  assert_equal(folders[1], kFolder.compiled_in);
}
END_TEST

START_TEST(test_one_place_that_is_both_is_looked_at_once) {
  const std::string here = folder_of_this_program();
  ck_assert_uint_eq(folders_of({kFolder.variable, ".", here.c_str()}).size(), 1);
}
END_TEST

START_TEST(test_the_environment_alone_counts_where_it_is_set) {
  g_setenv(kFolder.variable, "/from/environment", TRUE);
  const std::vector<std::string> folders = folders_of(kFolder);
  ck_assert_uint_eq(folders.size(), 1);
  assert_equal(folders[0], "/from/environment");
  g_setenv(kFolder.variable, "", TRUE);
  ck_assert_uint_eq(folders_of(kFolder).size(), 2);
}
END_TEST

START_TEST(test_b3_a_relative_path_in_the_environment_names_no_folder) {
  for (const char* relative : {"modules", "./modules", "..", "~/modules"}) {
    g_setenv(kFolder.variable, relative, TRUE);
    ck_assert_msg(folders_of(kFolder).empty(), "%s", relative);
  }
}
END_TEST

namespace {

const char* const kPrint = "--print-folders";

// What main() prints for kPrint, of the program that lies at `path`.
std::string folders_printed_by(const std::string& path) {
  gchar* output = nullptr;
  gint status = 0;
  const std::string command = path + " " + kPrint;
  ck_assert(g_spawn_command_line_sync(command.c_str(), &output, nullptr, &status, nullptr));
  ck_assert_int_eq(status, 0);
  const std::string printed = output;
  g_free(output);
  return printed;
}

// LeakSanitizer, for one, ends a program that runs with them.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kRunsWithRaisedPrivileges = false;
#else
constexpr bool kRunsWithRaisedPrivileges = true;
#endif

bool may_raise_privileges(const std::string& folder) {
  struct statvfs status = {};
  return kRunsWithRaisedPrivileges && geteuid() == 0 && statvfs(folder.c_str(), &status) == 0 &&
         (status.f_flag & ST_NOSUID) == 0;
}

}  // namespace

// A program that runs with another user's rights must not open what its caller names.
START_TEST(test_b3_the_environment_is_ignored_with_raised_privileges) {
  const TemporaryFolder folder;
  if (!may_raise_privileges(folder.path())) {
    std::printf("skipped: only root can make a setuid program, and not on a nosuid file system\n");
    return;
  }
  const std::string program = folder.path() + "/program";
  std::filesystem::copy_file("/proc/self/exe", program);
  ck_assert_int_eq(chmod(folder.path().c_str(), 0755), 0);
  g_setenv(kFolder.variable, "/from/environment", TRUE);
  assert_equal(folders_printed_by(program), "/from/environment");
  const uid_t nobody = 65534;
  ck_assert_int_eq(chown(program.c_str(), nobody, static_cast<gid_t>(-1)), 0);
  ck_assert_int_eq(chmod(program.c_str(), 04755), 0);
  const std::string beside = std::filesystem::path(folder.path()).parent_path() / "elsewhere";
  assert_equal(folders_printed_by(program), beside + " or " + kFolder.compiled_in);
}
END_TEST

START_TEST(test_the_first_that_exists_is_taken) {
  const TemporaryFolder folder;
  const std::string missing = folder.path() + "/missing", file = folder.path() + "/file";
  std::ofstream(file.c_str());
  assert_equal(first_existing({missing, file, folder.path()}), file);
  assert_equal(first_existing({missing}), "");
  assert_equal(first_existing({}), "");
  assert_equal(listed({"a", "b"}), "a or b");
}
END_TEST

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == kPrint) {
    std::fputs(listed(folders_of(kFolder)).c_str(), stdout);
    return 0;
  }
  Suite* suite = suite_create("install path");
  TCase* tests = tcase_create("folders");
  tcase_add_test(tests, test_the_plugins_own_place_comes_before_the_compiled_in_one);
  tcase_add_test(tests, test_one_place_that_is_both_is_looked_at_once);
  tcase_add_test(tests, test_the_environment_alone_counts_where_it_is_set);
  tcase_add_test(tests, test_b3_a_relative_path_in_the_environment_names_no_folder);
  tcase_add_test(tests, test_b3_the_environment_is_ignored_with_raised_privileges);
  tcase_add_test(tests, test_the_first_that_exists_is_taken);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
