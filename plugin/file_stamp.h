// SPDX-License-Identifier: MIT
// Tells whether a file is still the one that was read.
#pragma once

#include <glib.h>
#include <sys/stat.h>

#include <string>

namespace unetseg {

// Differs after the file was written to, or another was put in its place.
struct FileStamp {
  guint64 device = 0, inode = 0;
  gint64 bytes = 0, seconds = 0, nanoseconds = 0;  // the last two: when its content changed

  bool operator==(const FileStamp& other) const {
    return device == other.device && inode == other.inode && bytes == other.bytes &&
           seconds == other.seconds && nanoseconds == other.nanoseconds;
  }
};

// Of what `path` leads to, links followed; all zero where there is nothing.
inline FileStamp stamp_of(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
          status.st_mtim.tv_nsec};
}

}  // namespace unetseg
