// SPDX-License-Identifier: MIT
// The folder of one training run, held against a second trainer.
#pragma once

#include <cstdint>
#include <string>

namespace unetseg::trainer {

// Holds the folder for as long as the object lives; the system lets go of it with the process.
class RunFolder {
 public:
  // Creates what is missing. Throws Error(settings) where a new run would mix with other files, or
  // where there is no run to resume; Error(write) where another trainer has the folder, or where it
  // cannot be written to.
  RunFolder(const std::string& path, bool resume);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // Throws Error(no_space) where the disk has less than this many bytes left.
  void require_space(std::uint64_t bytes) const;

 private:
  std::string path_;
  int lock_ = -1;
};

// For --seeds, whose runs lie in folders of their own below `path`: throws Error(settings) where
// other files lie there, a finished run's for instance.
void require_folder_of_seeds(const std::string& path);

// A folder for files that nobody is to keep, on the disk of `path` and removed with the object.
class ScratchFolder {
 public:
  // Throws Error(settings) where a new run could not begin in `path`, Error(write) where nothing
  // can be written beside it.
  explicit ScratchFolder(const std::string& path);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace unetseg::trainer
