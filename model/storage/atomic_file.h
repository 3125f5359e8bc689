// SPDX-License-Identifier: MIT
// Writes a file so that at any time, whatever fails, it is either the old one or the new one.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unetseg {

// A piece of the file, borrowed. `data` may be null where `size` is 0.
struct BytesView {
  const void* data;
  std::size_t size;
};

// Replaces `path` by the pieces one after the other: a temporary file in the same folder, fsync,
// rename, fsync of the folder. The file gets the permissions of a new one; a link to a file is
// followed and stays. On failure the temporary file is removed and what was at `path` is untouched
// (only where the folder's own fsync fails does the new file stand there already, whole).
// Throws Error(no_space) for a full disk or quota, Error(write) otherwise; a folder that does not
// exist and a `path` that is a folder, a pipe or a device are among those.
void write_file_atomically(const std::string& path, const std::vector<BytesView>& pieces);
void write_file_atomically(const std::string& path, std::string_view text);
void write_file_atomically(const std::string& path, const std::vector<std::uint8_t>& bytes);

// Gives a file another name in its folder, in place of what has that name, and returns when the
// disk has it so: rename, fsync of the folder. Throws Error(no_space), Error(write).
void rename_file_durably(const std::string& from, const std::string& to);

// The system calls behind it, with their meaning and errno. Tests put failing ones here, in a
// process without other threads; nothing else writes to it.
struct FileOperations {
  int (*open)(const char* path, int flags, mode_t mode);
  ssize_t (*write)(int descriptor, const void* bytes, std::size_t size);
  int (*fsync)(int descriptor);
  int (*close)(int descriptor);
  int (*rename)(const char* from, const char* to);
  int (*unlink)(const char* path);
};
extern FileOperations file_operations;

}  // namespace unetseg
