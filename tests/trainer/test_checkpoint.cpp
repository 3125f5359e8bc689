// SPDX-License-Identifier: MIT
// Power failures: at each system call of saving a checkpoint, whatever the disk may then hold, the
// new checkpoint or the one before it can be loaded bit for bit (T3).
#include <ATen/ATen.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "model/error.h"
#include "model/network/layout.h"
#include "model/storage/atomic_file.h"
#include "trainer/train/checkpoint.h"
#include "trainer/train/flat_parameters.h"

#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;
using namespace unetseg::trainer;

namespace {

const FileOperations kSystem = file_operations;

struct DiskFile {
  std::string content;
  bool synced = false;
};
using FilePointer = std::shared_ptr<DiskFile>;
using Names = std::map<std::string, FilePointer>;

// A folder on a disk that promises no more than POSIX does. Content that was not synchronised may
// be missing, cut, zero or whole; names that changed since the folder was synchronised may each
// have changed or not. Watches the operations and lets the real ones do their work.
class Disk {
 public:
  // Called before each operation, with the disk as it then is.
  std::function<void()> before_call;

  void put(const std::string& name, const std::string& content) {
    durable_[name] = current_[name] = std::make_shared<DiskFile>(DiskFile{content, true});
  }
  void created(const std::string& name, int descriptor) {
    const auto file = std::make_shared<DiskFile>();
    open_[descriptor] = current_[name] = file;
    changes_.push_back({{}, name, file});
  }
  void wrote(int descriptor, const void* bytes, std::size_t size) {
    open_.at(descriptor)->content.append(static_cast<const char*>(bytes), size);
    open_.at(descriptor)->synced = false;
  }
  void synced_file(int descriptor) { open_.at(descriptor)->synced = true; }
  void synced_folder() {
    durable_ = current_;
    changes_.clear();
  }
  void renamed(const std::string& from, const std::string& to) {
    const FilePointer file = current_.at(from);
    current_.erase(from);
    current_[to] = file;
    changes_.push_back({from, to, file});
  }
  void removed(const std::string& name) {
    current_.erase(name);
    changes_.push_back({name, {}, nullptr});
  }

  // Every state that a power failure may leave now: name -> content.
  std::vector<std::map<std::string, std::string>> after_power_failure() const {
    std::vector<std::map<std::string, std::string>> states;
    for (unsigned kept = 0; kept < 1u << changes_.size(); ++kept) {
      Names names = durable_;
      for (std::size_t i = 0; i < changes_.size(); ++i) {
        if ((kept >> i & 1) == 0) continue;
        names.erase(changes_[i].from);
        if (changes_[i].file) names[changes_[i].to] = changes_[i].file;
      }
      for (int fate = 0; fate < 4; ++fate) {
        std::map<std::string, std::string> state;
        for (const auto& [name, file] : names) state[name] = content_after(*file, fate);
        states.push_back(state);
      }
    }
    return states;
  }

 private:
  struct Change {
    std::string from, to;  // empty: created, removed
    FilePointer file;
  };
  static std::string content_after(const DiskFile& file, int fate) {
    if (file.synced || fate == 0) return file.content;
    if (fate == 1) return {};
    if (fate == 2) return file.content.substr(0, file.content.size() / 2);
    return std::string(file.content.size(), '\0');
  }

  Names current_, durable_;
  std::vector<Change> changes_;  // since the folder was synchronised
  std::map<int, FilePointer> open_;
};

Disk* disk = nullptr;

std::string name_of(const char* path) {
  return std::filesystem::path(path).filename();
}

bool is_folder(int descriptor) {
  struct stat status = {};
  return fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
}

const FileOperations kWatched = {
    [](const char* path, int flags, mode_t mode) {
      disk->before_call();
      const int descriptor = kSystem.open(path, flags, mode);
      if ((flags & O_CREAT) != 0) disk->created(name_of(path), descriptor);
      return descriptor;
    },
    [](int descriptor, const void* bytes, std::size_t size) -> ssize_t {
      disk->before_call();
      const ssize_t written = kSystem.write(descriptor, bytes, size);
      disk->wrote(descriptor, bytes, static_cast<std::size_t>(written));
      return written;
    },
    [](int descriptor) {
      disk->before_call();
      is_folder(descriptor) ? disk->synced_folder() : disk->synced_file(descriptor);
      return 0;
    },
    [](int descriptor) {
      disk->before_call();
      return kSystem.close(descriptor);
    },
    [](const char* from, const char* to) {
      disk->before_call();
      disk->renamed(name_of(from), name_of(to));
      return kSystem.rename(from, to);
    },
    [](const char* path) {
      disk->before_call();
      disk->removed(name_of(path));
      return kSystem.unlink(path);
    },
};

Checkpoint checkpoint_at(std::int64_t step) {
  Checkpoint checkpoint;
  checkpoint.config = recipe("default");
  checkpoint.config.base_width = 1;
  checkpoint.progress.step = step;
  const std::int64_t size = total_elements(network_layout(checkpoint.config.architecture, 1));
  checkpoint.values = at::arange(size, at::kFloat) + static_cast<double>(step);
  checkpoint.first_moment = checkpoint.values * 2;
  checkpoint.second_moment = checkpoint.values * 3;
  checkpoint.average = checkpoint.values * 4;
  return checkpoint;
}

void assert_whole(const Checkpoint& loaded) {
  const Checkpoint saved = checkpoint_at(loaded.progress.step);
  ck_assert(at::equal(loaded.values, saved.values));
  ck_assert(at::equal(loaded.first_moment, saved.first_moment));
  ck_assert(at::equal(loaded.second_moment, saved.second_moment));
  ck_assert(at::equal(loaded.average, saved.average));
}

// Saves under a watching eye, and loads from every state that a power failure may leave.
struct Scene {
  Scene() {
    disk = &watched;
    watched.before_call = [this] { assert_loadable(finished, under_way); };
  }

  void assert_loadable(std::int64_t before, std::int64_t after) {
    for (const auto& state : watched.after_power_failure()) {
      std::string key = std::to_string(before) + " " + std::to_string(after);
      for (const auto& [name, content] : state)
        key += name + std::to_string(std::hash<std::string>()(content));
      if (!judged.insert(key).second) continue;
      const TemporaryFolder copy;
      for (const auto& [name, content] : state)
        std::ofstream(copy.path() + "/" + name, std::ios::binary) << content;
      try {
        const Checkpoint loaded = load_checkpoint(copy.path(), nullptr);
        ck_assert_msg(loaded.progress.step == before || loaded.progress.step == after,
                      "step %lld instead of %lld or %lld",
                      static_cast<long long>(loaded.progress.step), static_cast<long long>(before),
                      static_cast<long long>(after));
        assert_whole(loaded);
      } catch (const Error& error) {
        ck_assert_msg(before == 0, "call %d of step %lld: %s", calls, static_cast<long long>(after),
                      error.what());
      }
    }
    ++calls;
  }

  void save(std::int64_t step) {
    under_way = step;
    file_operations = kWatched;
    save_checkpoint(folder.path(), checkpoint_at(step));
    file_operations = kSystem;
    finished = step;
    assert_loadable(step, step);
  }

  // What an earlier run left, durably.
  void put(const std::string& name, const std::string& content) {
    std::ofstream(folder.path() + "/" + name, std::ios::binary) << content;
    watched.put(name, content);
  }

  TemporaryFolder folder;
  Disk watched;
  std::int64_t finished = 0, under_way = 0;  // steps of checkpoints
  int calls = 0;
  std::set<std::string> judged;
};

std::string file_with(std::int64_t step) {
  const TemporaryFolder folder;
  save_checkpoint(folder.path(), checkpoint_at(step));
  std::ifstream file(folder.path() + "/last.safetensors", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

START_TEST(test_t3_power_failure_at_any_call_leaves_this_checkpoint_or_the_one_before) {
  Scene scene;
  for (const std::int64_t step : {1, 2, 3}) scene.save(step);
  ck_assert_int_gt(scene.calls, 3 * 10);
  ck_assert_uint_gt(scene.judged.size(), 20);
}
END_TEST

// After a run that went on from `prev` since `last` was damaged, `prev` is all there is.
START_TEST(test_t3_power_failure_while_last_is_damaged_does_not_cost_prev) {
  Scene scene;
  const std::string damaged = file_with(2);
  scene.put("last.safetensors", damaged.substr(0, damaged.size() / 2));
  scene.put("prev.safetensors", file_with(1));
  scene.finished = 1;
  scene.save(3);
}
END_TEST

START_TEST(test_t3_power_failure_after_one_between_the_renames_is_survived_too) {
  Scene scene;
  scene.put("next.safetensors", file_with(2));
  scene.put("prev.safetensors", file_with(1));
  scene.finished = 2;
  scene.save(3);
}
END_TEST

START_TEST(test_t3_broken_off_saving_is_told_when_it_is_gone_on_from) {
  const TemporaryFolder folder;
  save_checkpoint(folder.path(), checkpoint_at(1));
  std::filesystem::rename(folder.path() + "/last.safetensors", folder.path() + "/next.safetensors");
  std::string warning;
  ck_assert_int_eq(load_checkpoint(folder.path(), &warning).progress.step, 1);
  ck_assert(warning.find("last.safetensors is missing; going on from") != std::string::npos);
  ck_assert(warning.find("next.safetensors") != std::string::npos);
}
END_TEST

}  // namespace

Suite* checkpoint_suite() {
  Suite* suite = suite_create("checkpoint");
  TCase* tests = tcase_create("power failures");
  tcase_set_timeout(tests, 600);
  tcase_add_test(tests, test_t3_power_failure_at_any_call_leaves_this_checkpoint_or_the_one_before);
  tcase_add_test(tests, test_t3_power_failure_while_last_is_damaged_does_not_cost_prev);
  tcase_add_test(tests, test_t3_power_failure_after_one_between_the_renames_is_survived_too);
  tcase_add_test(tests, test_t3_broken_off_saving_is_told_when_it_is_gone_on_from);
  suite_add_tcase(suite, tests);
  return suite;
}
