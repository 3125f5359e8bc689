// SPDX-License-Identifier: MIT
// A regular file, read from start to end through one descriptor, that must not change meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "model/storage/file_identity.h"

namespace unetseg {

class InputFile {
 public:
  // Opens without blocking and follows links. Throws Error(not_found) where there is no file, and
  // Error(open_read) where it may not be opened, is no regular file or has more than `most_bytes`.
  InputFile(const std::string& path, std::uint64_t most_bytes);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // As it was when the file was opened.
  const FileIdentity& identity() const { return identity_; }
  std::uint64_t size() const { return identity_.bytes; }

  // Reads exactly `bytes` bytes more. Throws Error(read).
  void read(void* to, std::size_t bytes);

  // Throws Error(read) where size or modification time differ from what they were at first. A file
  // that was renamed over is not changed: the descriptor still shows the old one, whole.
  void expect_unchanged() const;

 private:
  std::string path_;
  int descriptor_;
  FileIdentity identity_;
  std::uint64_t position_ = 0;
};

}  // namespace unetseg
