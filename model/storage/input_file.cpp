// SPDX-License-Identifier: MIT
#include "model/storage/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "model/error.h"
#include "model/storage/shown.h"

namespace unetseg {
namespace {

bool is_link(const std::string& path) {
  struct stat status = {};
  return lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

[[noreturn]] void cannot_open(const std::string& path, int reason) {
  const std::string shown = shown_path(path), detail = fmt::format("open: {}", g_strerror(reason));
  switch (reason) {
    case ENOENT:
    case ENOTDIR:
      throw Error(Fault::not_found,
                  is_link(path) ? fmt::format("{}: is a link to a file that does not exist; mend "
                                              "the link or give another file",
                                              shown)
                                : fmt::format("{}: there is no such file; check the path", shown),
                  detail);
    case EACCES:
    case EPERM:
      throw Error(Fault::open_read,
                  fmt::format("{}: this user may not read it; change its permissions or its "
                              "folder's",
                              shown),
                  detail);
    case ELOOP:
      throw Error(Fault::open_read,
                  fmt::format("{}: is a link that leads back to itself; mend the link", shown),
                  detail);
    case ENXIO:
    case ENODEV:
      throw Error(Fault::open_read,
                  fmt::format("{}: is a socket or a device; give a regular file", shown), detail);
    default:
      throw Error(Fault::open_read, fmt::format("{}: cannot be opened", shown), detail);
  }
}

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

InputFile::InputFile(const std::string& path, std::uint64_t most_bytes) : path_(path) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  descriptor_ = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (descriptor_ < 0) cannot_open(path, errno);
  try {
    struct stat status = {};
    if (fstat(descriptor_, &status) != 0)
      throw Error(Fault::open_read, fmt::format("{}: cannot be examined", shown_path(path)),
                  fmt::format("fstat: {}", g_strerror(errno)));
    if (!S_ISREG(status.st_mode))
      throw Error(Fault::open_read, fmt::format("{}: is {}; give a regular file", shown_path(path),
                                                kind_of(status.st_mode)));
    identity_ = FileIdentity(status);
    if (size() > most_bytes)
      throw Error(Fault::open_read,
                  fmt::format("{}: has {} bytes, more than the {} that are accepted; give another "
                              "file",
                              shown_path(path), size(), most_bytes));
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

InputFile::~InputFile() {
  close(descriptor_);
}

void InputFile::read(void* to, std::size_t bytes) {
  auto* at = static_cast<std::uint8_t*>(to);
  while (bytes > 0) {
    const ssize_t n = ::read(descriptor_, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      throw Error(
          Fault::read,
          fmt::format("{}: cannot be read at byte {}; check the disk and copy the file anew",
                      shown_path(path_), position_),
          fmt::format("read: {}", g_strerror(errno)));
    if (n == 0)
      throw Error(Fault::read,
                  fmt::format("{}: became shorter while it was read: it ends at byte {} of {}; try "
                              "again when nothing writes to it",
                              shown_path(path_), position_, size()));
    at += n;
    bytes -= static_cast<std::size_t>(n);
    position_ += static_cast<std::uint64_t>(n);
  }
}

void InputFile::expect_unchanged() const {
  struct stat status = {};
  if (fstat(descriptor_, &status) == 0 && FileIdentity(status) == identity_) return;
  throw Error(
      Fault::read,
      fmt::format("{}: was written to while it was read; try again when nothing writes to it",
                  shown_path(path_)),
      fmt::format("{} bytes at first, {} at last", size(), status.st_size));
}

}  // namespace unetseg
