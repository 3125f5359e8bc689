// SPDX-License-Identifier: MIT
#include "trainer/commands/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>

#include "model/error.h"
#include "trainer/data/folder.h"

namespace unetseg::trainer {
namespace {

namespace fs = std::filesystem;

// What a process that was killed while it wrote leaves of a file.
bool is_unfinished_file(const std::string& name) {
  return name.rfind(".unetseg-", 0) == 0 && has_suffix(name, ".tmp");
}

bool holds_nothing(const fs::path& folder) {
  std::error_code error;  // no folder at all, say
  const fs::directory_iterator entries(folder, error);
  return !error && std::all_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
    return is_unfinished_file(entry.path().filename().string());
  });
}

// A run that ended before its first checkpoint, over a fault in the data for instance, leaves
// nothing worth keeping: the same command may be given again.
bool may_start_in(const std::string& path) {
  std::set<std::string> early = {"lock", "config.json", "log.txt", "run.json", "augmentation.png"};
  // Without a lock it is no run's: somebody's own.
  if (fs::exists(path + "/lock")) early.insert("manifest.csv");
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    const bool folder_of_run = name == "checkpoint" || name == "panels";
    if (folder_of_run ? !holds_nothing(entry.path())
                      : early.count(name) == 0 && !is_unfinished_file(name))
      return false;
  }
  return true;
}

void refuse_mixture(const std::string& path) {
  if (!may_start_in(path))
    throw Error(Fault::settings,
                path + " is not empty: give another --output, or --resume to go on with that run");
}

void refuse_other_files(const std::string& path) {
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    const bool of_seeds =
        name == "log.txt" || (name.rfind("seed-", 0) == 0 && entry.is_directory());
    if (!of_seeds)
      throw Error(Fault::settings,
                  path + " is not empty (" + name + "): give another --output for --seeds");
  }
}

void make_folders(const std::string& path) {
  for (const char* name : {"/checkpoint", "/panels"}) make_folder(path + name);
}

}  // namespace

RunFolder::RunFolder(const std::string& path, bool resume) : path_(path) {
  std::error_code error;
  if (resume && !fs::is_directory(path, error))
    throw Error(Fault::settings, path + " holds no run to resume");
  make_folder(path);
  // Somebody's own folder gets no lock file. A folder with one may be in use, which is to be said
  // before that it is not empty.
  const std::string lock = path + "/lock";
  if (!resume && !fs::exists(lock)) refuse_mixture(path);
  lock_ = open(lock.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (lock_ < 0) throw Error(Fault::write, path + " cannot be written to", std::strerror(errno));
  try {
    if (flock(lock_, LOCK_EX | LOCK_NB) != 0)
      throw Error(Fault::write,
                  path + " is in use by another trainer: wait for it or give another --output");
    if (!resume) refuse_mixture(path);
    make_folders(path);
  } catch (...) {
    close(lock_);
    throw;
  }
}

// The file stays: were it removed, a trainer that waits with it open and one that makes it anew
// could both hold a lock.
RunFolder::~RunFolder() {
  close(lock_);
}

void RunFolder::require_space(std::uint64_t bytes) const {
  std::error_code error;
  const fs::space_info space = fs::space(path_, error);
  if (!error && space.available < bytes)
    throw Error(Fault::no_space,
                fmt::format("{} has {} MB left on its disk, a run needs about {} MB", path_,
                            space.available / 1000000, bytes / 1000000 + 1));
}

void require_folder_of_seeds(const std::string& path) {
  std::error_code none_yet;
  if (fs::is_directory(path, none_yet)) refuse_other_files(path);
}

ScratchFolder::ScratchFolder(const std::string& path) {
  if (fs::is_directory(path)) refuse_mixture(path);
  fs::path near = fs::absolute(path).lexically_normal().parent_path();
  while (!fs::exists(near)) near = near.parent_path();
  path_ = (near / "unetseg-dry-run-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr)
    throw Error(Fault::write, near.string() + " cannot be written to", std::strerror(errno));
  make_folders(path_);
}

ScratchFolder::~ScratchFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

}  // namespace unetseg::trainer
