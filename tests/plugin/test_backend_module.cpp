// SPDX-License-Identifier: MIT
// The backend module that is missing, broken or of another version; devices that are not there.
// Each ends with the fake module in its place, and the same element playing.
#include <dlfcn.h>

#include "model/backend/backend.h"

#include "tests/temporary_folder.h"

#include "tests/plugin/lone_element.h"

namespace {

const char* const kVariable = "UNETSEG_MODULE_DIR";
const char* const kFileName = "libunetseg-torch.so";

// Puts the module that was built as `name` into a folder, under the name that is looked for.
void install(const std::string& name, const TemporaryFolder& folder) {
  std::filesystem::create_symlink(std::string(UNETSEG_TEST_MODULES) + "/" + name,
                                  folder.path() + "/" + kFileName);
}

void assert_fails_and_is_cured(const std::string& folder, int code, const std::string& mentions) {
  LoneElement element({});
  {
    const Variable bad(kVariable, folder);
    ck_assert_int_eq(element.set(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
    assert_only(element.errors(), GST_LIBRARY_ERROR, code, mentions);
    ck_assert_int_eq(element.set(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  }
  ck_assert_int_eq(element.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  ck_assert_uint_eq(element.errors().size(), 0);
}

}  // namespace

START_TEST(test_b1_a_missing_module_is_named) {
  const TemporaryFolder folder;
  assert_fails_and_is_cured(folder.path(), GST_LIBRARY_ERROR_INIT,
                            folder.path() + "/" + kFileName + ": reinstall unetseg");
  assert_fails_and_is_cured(folder.path() + "/missing", GST_LIBRARY_ERROR_INIT,
                            "set UNETSEG_MODULE_DIR");
}
END_TEST

START_TEST(test_b1_a_file_that_is_no_module_is_named) {
  const TemporaryFolder text, empty, dangling, object;
  std::ofstream(text.path() + "/" + kFileName) << "not a library";
  std::ofstream(empty.path() + "/" + kFileName);
  assert_fails_and_is_cured(text.path(), GST_LIBRARY_ERROR_INIT, "cannot be loaded");
  assert_fails_and_is_cured(empty.path(), GST_LIBRARY_ERROR_INIT, "cannot be loaded");
  install("nothing.so", dangling);
  assert_fails_and_is_cured(dangling.path(), GST_LIBRARY_ERROR_INIT, "is missing");
  install("libno-table.so", object);
  assert_fails_and_is_cured(object.path(), GST_LIBRARY_ERROR_INIT, "unetseg_backend_get");
}
END_TEST

// Of Python's torch, say. Both would crash where they first touch what the linker made one of.
START_TEST(test_b1_another_libtorch_in_the_process_is_named) {
  const TemporaryFolder folder;
  const std::string other = folder.path() + "/libtorch_cpu.so";
  std::filesystem::copy_file(std::string(UNETSEG_TEST_MODULES) + "/libno-table.so", other);
  LoneElement element({});
  void* loaded = dlopen(other.c_str(), RTLD_NOW | RTLD_LOCAL);
  ck_assert(loaded != nullptr);
  ck_assert_int_eq(element.set(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  assert_only(element.errors(), GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, other);
  dlclose(loaded);
  ck_assert_int_eq(element.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
}
END_TEST

START_TEST(test_b2_both_versions_are_shown_and_nothing_else_is_called) {
  const TemporaryFolder abi, size;
  install("libother-abi.so", abi);
  install("libother-size.so", size);
  const auto numbers = [](guint version, gsize bytes) {
    return "version " + std::to_string(version) + " with " + std::to_string(bytes);
  };
  const guint version = UNETSEG_BACKEND_ABI;
  const gsize bytes = sizeof(UnetsegBackend);
  const std::string needed = ", the plugin needs " + numbers(version, bytes);
  assert_fails_and_is_cured(abi.path(), GST_LIBRARY_ERROR_INIT,
                            numbers(version + 1, bytes) + " bytes" + needed);
  assert_fails_and_is_cured(size.path(), GST_LIBRARY_ERROR_INIT,
                            numbers(version, bytes - 8) + " bytes" + needed);
}
END_TEST

START_TEST(test_a_module_that_is_put_right_is_opened_anew) {
  const TemporaryFolder folder;
  install("libno-table.so", folder);
  const Variable modules(kVariable, folder.path());
  LoneElement element({});
  ck_assert_int_eq(element.set(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  element.errors();
  std::filesystem::remove(folder.path() + "/" + kFileName);
  install(kFileName, folder);
  ck_assert_int_eq(element.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
}
END_TEST

START_TEST(test_b3_a_relative_module_folder_is_refused) {
  for (const char* folder : {".", "modules", "../modules"})
    assert_fails_and_is_cured(folder, GST_LIBRARY_ERROR_SETTINGS, "must be an absolute path");
}
END_TEST

START_TEST(test_b4_a_device_that_is_not_there_is_an_error) {
  struct {
    const char* device;
    int code;
  } const cases[] = {{"cuda", GST_RESOURCE_ERROR_NOT_FOUND},
                     {"cuda:3", GST_RESOURCE_ERROR_NOT_FOUND},
                     {"nonsense", GST_RESOURCE_ERROR_SETTINGS}};
  for (const auto& c : cases) {
    LoneElement element({{"device", c.device}});
    ck_assert_int_eq(element.set(GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
    assert_only(element.errors(), GST_RESOURCE_ERROR, c.code, c.device);
    ck_assert_int_eq(element.set(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
    set_properties(element.get(), {{"device", "auto"}});
    ck_assert_int_eq(element.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  }
}
END_TEST

// Most machines have no GPU: their users are told where they look for it, and not otherwise.
START_TEST(test_b4_no_gpu_is_for_the_log_alone) {
  static std::string logged;
  const GstLogFunction log = [](GstDebugCategory*, GstDebugLevel level, const gchar*, const gchar*,
                                gint, GObject*, GstDebugMessage* message, gpointer) {
    if (level == GST_LEVEL_INFO) logged += gst_debug_message_get(message);
  };
  gst_debug_set_threshold_for_name("unetseg", GST_LEVEL_INFO);
  gst_debug_add_log_function(log, nullptr, nullptr);
  LoneElement element({});
  ck_assert_int_eq(element.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  gst_debug_remove_log_function(log);
  ck_assert_msg(logged.find("there is no GPU with a driver") != std::string::npos, "%s",
                logged.c_str());
  ck_assert_uint_eq(element.warnings().size(), 0);
}
END_TEST

START_TEST(test_b4_a_gpu_that_cannot_be_used_is_one_warning) {
  const Variable notice("UNETSEG_FAKE_NOTICE", "the GPU is too old, the CPU is used");
  LoneElement element({});
  ck_assert_int_eq(element.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  assert_only(element.warnings(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
              "the GPU is too old");
}
END_TEST

START_TEST(test_m1_shipped_weights_that_are_not_installed_are_named) {
  const TemporaryFolder folder;
  struct {
    const char* model;
    std::string weights_folder;
    int code;
    std::string mentions;
  } const cases[] = {
      {"fast", folder.path(), GST_RESOURCE_ERROR_NOT_FOUND,
       folder.path() + "/unetseg-fast.safetensors"},
      {"best", folder.path(), GST_RESOURCE_ERROR_NOT_FOUND, "set UNETSEG_WEIGHTS_DIR"},
      {"FAST", folder.path(), GST_RESOURCE_ERROR_NOT_FOUND, "set model-file to fast, best or a"},
      {"fast", "relative", GST_RESOURCE_ERROR_SETTINGS, "must be an absolute path"}};
  for (const auto& c : cases) {
    const Variable weights("UNETSEG_WEIGHTS_DIR", c.weights_folder);
    LoneElement element({{"model-file", c.model}});
    ck_assert_int_eq(element.set(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    assert_only(element.errors(), GST_RESOURCE_ERROR, c.code, c.mentions);
    ck_assert_int_eq(element.set(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
    set_properties(element.get(), {{"model-file", "fake:"}});
    ck_assert_int_eq(element.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("backend module");
  TCase* tests = tcase_create("loading");
  // First, since it is looked for only while no module is open, and not every run forks.
  tcase_add_test(tests, test_b1_another_libtorch_in_the_process_is_named);
  tcase_add_test(tests, test_b1_a_missing_module_is_named);
  tcase_add_test(tests, test_b1_a_file_that_is_no_module_is_named);
  tcase_add_test(tests, test_b2_both_versions_are_shown_and_nothing_else_is_called);
  tcase_add_test(tests, test_a_module_that_is_put_right_is_opened_anew);
  tcase_add_test(tests, test_b3_a_relative_module_folder_is_refused);
  tcase_add_test(tests, test_b4_a_device_that_is_not_there_is_an_error);
  tcase_add_test(tests, test_b4_no_gpu_is_for_the_log_alone);
  tcase_add_test(tests, test_b4_a_gpu_that_cannot_be_used_is_one_warning);
  tcase_add_test(tests, test_m1_shipped_weights_that_are_not_installed_are_named);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
