// SPDX-License-Identifier: MIT
// The real module with weights that are missing, broken or of another network, and devices that are
// not there: each is one message that says which and what to do, and the same element plays after
// it. Run with CK_FORK=no: the module is opened once, and LibTorch's threads do not survive a fork.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <limits>

#include "tests/temporary_folder.h"

#include "tests/model/bad_safetensors.h"
#include "tests/plugin/lone_element.h"
#include "tests/plugin/small_weights.h"

namespace {

constexpr int kNotFound = GST_RESOURCE_ERROR_NOT_FOUND;
constexpr int kOpenRead = GST_RESOURCE_ERROR_OPEN_READ;
constexpr int kRead = GST_RESOURCE_ERROR_READ;
constexpr int kSettings = GST_RESOURCE_ERROR_SETTINGS;

// Makes at `path` something that no network can be loaded from.
struct BadWeights {
  const char* name;
  std::function<void(const std::string& path)> make;
  int code;  // of GST_RESOURCE_ERROR
  const char* mentions;
};

void make_socket(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  ck_assert_uint_lt(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  const int socket_file = socket(AF_UNIX, SOCK_STREAM, 0);
  ck_assert_int_eq(bind(socket_file, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(socket_file);
}

std::string good_bytes() {
  const TemporaryFolder folder;
  SmallWeights().write(folder.path() + "/good");
  return bytes_of_file(folder.path() + "/good");
}

// What follows is wrong with good weights.
template <typename Change>
std::function<void(const std::string&)> changed(Change change) {
  return [change](const std::string& path) {
    SmallWeights weights;
    change(weights);
    weights.write(path);
  };
}

std::function<void(const std::string&)> with_bytes(const std::string& bytes) {
  return [bytes](const std::string& path) { write_bytes(path, bytes); };
}

std::vector<BadWeights> bad_weights() {
  const auto link_to = [](const std::string& target) {
    return [target](const std::string& path) {
      ck_assert_int_eq(symlink(target.c_str(), path.c_str()), 0);
    };
  };
  std::string flipped = good_bytes();
  flipped[flipped.size() - 2] ^= 1;
  return {
      {"M1 missing", [](const std::string&) {}, kNotFound, ""},
      {"M1 dangling link", link_to("/nowhere/at/all"), kNotFound, ""},
      {"M2 directory", [](const std::string& path) { mkdir(path.c_str(), 0700); }, kOpenRead, ""},
      {"M2 FIFO", [](const std::string& path) { mkfifo(path.c_str(), 0600); }, kOpenRead, ""},
      {"M2 socket", make_socket, kOpenRead, ""},
      {"M2 device", link_to("/dev/zero"), kOpenRead, ""},
      {"M2 link loop",
       [](const std::string& path) { ck_assert_int_eq(symlink(path.c_str(), path.c_str()), 0); },
       kOpenRead, ""},
      {"M2 above 1 GiB",
       [](const std::string& path) {
         std::ofstream(path.c_str()).close();
         ck_assert_int_eq(truncate(path.c_str(), (std::int64_t{1} << 30) + 1), 0);
       },
       kOpenRead, ""},
      {"M4 cut off", with_bytes(good_bytes().substr(0, good_bytes().size() / 2)), kRead, ""},
      {"M7 missing tensor", changed([](SmallWeights& w) { w.layout.pop_back(); }), kSettings, ""},
      {"M7 tensor of another name", changed([](SmallWeights& w) { w.layout[3].name = "surplus"; }),
       kSettings, "surplus"},
      {"M7 tensor of another shape",
       changed([](SmallWeights& w) { w.layout[0].shape.push_back(1); }), kSettings,
       "[2, 3, 3, 3, 1]"},
      {"M7 another width", changed([](SmallWeights& w) { w.card.base_width = 4; }), kSettings, ""},
      {"M7 another architecture",
       changed([](SmallWeights& w) { w.card.architecture = "seed-unet"; }), kSettings, ""},
      {"M7 unknown architecture", changed([](SmallWeights& w) { w.card.architecture = "unet-7"; }),
       kSettings, "unet-7"},
      {"M8 NaN",
       changed([](SmallWeights& w) { w.tensors[2][0] = std::numeric_limits<float>::quiet_NaN(); }),
       kRead, "finite"},
      {"M8 infinity",
       changed([](SmallWeights& w) { w.tensors[0][0] = std::numeric_limits<float>::infinity(); }),
       kRead, "finite"},
      {"M9 a bit flipped", with_bytes(flipped), kRead, "inspect --rehash"},
      {"M11 zip", with_bytes("PK\x03\x04" + std::string(100, 'x')), kSettings, "convert"},
      {"M11 pickle", with_bytes("\x80\x02" + std::string(100, '}')), kSettings, "convert"},
  };
}

void assert_refused(LoneElement& element, const std::string& path, int code,
                    const std::string& mentions, const std::string& name) {
  set_properties(element.get(), {{"model-file", path}});
  ck_assert_int_eq(element.set(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  ck_assert_msg(element.set(GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE, "%s", name.c_str());
  const std::vector<Notice> errors = element.errors();
  ck_assert_msg(errors.size() == 1, "%s: %zu errors", name.c_str(), errors.size());
  ck_assert_msg(errors[0].domain == GST_RESOURCE_ERROR && errors[0].code == code,
                "%s: code %d instead of %d: %s", name.c_str(), errors[0].code, code,
                errors[0].text.c_str());
  for (const std::string& words : {path, mentions})
    ck_assert_msg((errors[0].text + errors[0].detail).find(words) != std::string::npos,
                  "%s: '%s' is not in: %s", name.c_str(), words.c_str(), errors[0].text.c_str());
}

}  // namespace

START_TEST(test_m1_to_m11_each_bad_file_is_one_error_and_the_element_plays_after_it) {
  const TemporaryFolder folder;
  const std::string good = folder.path() + "/good.safetensors";
  SmallWeights().write(good);
  LoneElement element({{"threads", "1"}});
  for (const BadWeights& bad : bad_weights()) {
    const std::string path = folder.path() + "/bad";
    bad.make(path);
    assert_refused(element, path, bad.code, bad.mentions, bad.name);
    set_properties(element.get(), {{"model-file", good}});
    ck_assert_msg(element.set(GST_STATE_PLAYING) == GST_STATE_CHANGE_SUCCESS, "after %s", bad.name);
    std::filesystem::remove_all(path);
  }
}
END_TEST

START_TEST(test_m4_m5_m6_each_fault_of_the_format_is_named) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/bad";
  LoneElement element({{"threads", "1"}});
  for (const auto& rows : {size_faults(), header_faults(), layout_faults()})
    for (const BadFile& bad : rows) {
      write_bytes(path, bad.bytes);
      assert_refused(element, path, kRead, bad.mentions, bad.name);
    }
}
END_TEST

START_TEST(test_b4_devices_that_are_not_there_are_one_error) {
  std::vector<std::pair<const char*, int>> cases = {
      {"cuda:99", kNotFound}, {"nonsense", kSettings}, {"cuda:", kSettings}, {"cuda:x", kSettings}};
  if (!std::filesystem::exists("/dev/nvidiactl")) cases.push_back({"cuda", kNotFound});
  for (const auto& c : cases) {
    LoneElement element({{"device", c.first}});
    ck_assert_msg(element.set(GST_STATE_READY) == GST_STATE_CHANGE_FAILURE, "%s", c.first);
    assert_only(element.errors(), GST_RESOURCE_ERROR, c.second, c.first);
  }
}
END_TEST

START_TEST(test_m3_both_networks_play_from_a_file_and_from_a_link_to_it) {
  const TemporaryFolder folder;
  for (const char* architecture : {"improved-unet", "seed-unet"}) {
    const std::string file = folder.path() + "/" + architecture, link = file + "-link";
    SmallWeights(architecture).write(file);
    std::filesystem::create_symlink(file, link);
    for (const std::string& path : {file, link})
      for (const char* output : {"overlay", "probability"}) {
        Bench bench({{"model-file", path}, {"output", output}, {"threads", "1"}});
        ck_assert(bench.send_caps(caps_of("NV12", 50, 40)));
        for (int i = 0; i < 3; ++i)
          ck_assert_int_eq(bench.push(bytes_buffer(52 * 60, 100)), GST_FLOW_OK);
        ck_assert_uint_eq(bench.stat("inferred"), 3);
        ck_assert_uint_eq(bench.errors().size(), 0);
        GstStructure* info = nullptr;
        g_object_get(bench.element(), "model-info", &info, nullptr);
        const std::string engine = gst_structure_get_string(info, "engine");
        ck_assert(engine == "libtorch" ||
                  (engine == "fused-cpu" && std::string(architecture) == "improved-unet"));
        gst_structure_free(info);
      }
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("weights faults");
  TCase* tests = tcase_create("real module");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, test_m1_to_m11_each_bad_file_is_one_error_and_the_element_plays_after_it);
  tcase_add_test(tests, test_m4_m5_m6_each_fault_of_the_format_is_named);
  tcase_add_test(tests, test_b4_devices_that_are_not_there_are_one_error);
  tcase_add_test(tests, test_m3_both_networks_play_from_a_file_and_from_a_link_to_it);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
