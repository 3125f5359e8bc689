// SPDX-License-Identifier: MIT
// A regular file, read from start to end through one descriptor, that must not change meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

namespace unetseg {

class InputFile {
 public:
  // Opens without blocking and follows links. Throws Error(not_found) where there is no file, and
  // Error(open_read) where it may not be opened, is no regular file or has more than `most_bytes`.
  InputFile(const std::string& path, std::uint64_t most_bytes);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // In bytes, as it was when the file was opened.
  std::uint64_t size() const { return size_; }

  // Reads exactly `bytes` bytes more. Throws Error(read).
  void read(void* to, std::size_t bytes);

  // Throws Error(read) where size or modification time differ from what they were at first. A file
  // that was renamed over is not changed: the descriptor still shows the old one, whole.
  void expect_unchanged() const;

 private:
  std::string path_;
  int descriptor_;
  std::uint64_t size_ = 0, position_ = 0;
  std::timespec modified_ = {};
};

}  // namespace unetseg
