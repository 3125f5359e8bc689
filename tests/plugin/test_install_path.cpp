// SPDX-License-Identifier: MIT
// Where the module and the weights are looked for. The test program stands for the plugin's file:
// folders are found from where it lies.
#include "plugin/install_path.h"

#include <glib.h>

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

int main() {
  Suite* suite = suite_create("install path");
  TCase* tests = tcase_create("folders");
  tcase_add_test(tests, test_the_plugins_own_place_comes_before_the_compiled_in_one);
  tcase_add_test(tests, test_one_place_that_is_both_is_looked_at_once);
  tcase_add_test(tests, test_the_environment_alone_counts_where_it_is_set);
  tcase_add_test(tests, test_b3_a_relative_path_in_the_environment_names_no_folder);
  tcase_add_test(tests, test_the_first_that_exists_is_taken);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
