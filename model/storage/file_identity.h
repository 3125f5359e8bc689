// SPDX-License-Identifier: MIT
// Which file it was, and in which state.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

namespace unetseg {

// Differs between two files that exist at the same time, and for one file before and after it was
// written to.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, bytes = 0;
  std::int64_t seconds = 0, nanoseconds = 0;  // of the last change of its content

  FileIdentity() = default;
  explicit FileIdentity(const struct stat& status)
      : device(status.st_dev),
        inode(status.st_ino),
        bytes(static_cast<std::uint64_t>(status.st_size)),
        seconds(status.st_mtim.tv_sec),
        nanoseconds(status.st_mtim.tv_nsec) {}

  bool operator==(const FileIdentity& other) const { return fields() == other.fields(); }
  bool operator<(const FileIdentity& other) const { return fields() < other.fields(); }

 private:
  std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::int64_t, std::int64_t> fields()
      const {
    return {device, inode, bytes, seconds, nanoseconds};
  }
};

// Of what `path` leads to, links followed; nothing where there is none.
inline std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileIdentity(status);
}

}  // namespace unetseg
