// SPDX-License-Identifier: MIT
#include "trainer/data/file_bytes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <new>

#include "model/error.h"

namespace unetseg::trainer {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

int open_to_read(const std::string& path) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd >= 0) return fd;
  const int reason = errno;
  if (reason == ENOENT || reason == ENOTDIR)
    throw Error(Fault::not_found, fmt::format("{}: no such file", path));
  throw Error(Fault::open_read, fmt::format("{}: cannot be opened: {}", path, g_strerror(reason)));
}

}  // namespace

std::vector<std::uint8_t> read_file(const std::string& path) {
  const Descriptor file(open_to_read(path));
  struct stat status = {};
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    throw Error(Fault::open_read, fmt::format("{}: is no regular file", path));
  if (status.st_size == 0) throw Error(Fault::read, fmt::format("{}: has zero bytes", path));
  if (static_cast<std::uint64_t>(status.st_size) > kMostBytes)
    throw Error(Fault::read, fmt::format("{}: has {} bytes, more than any picture that can be used",
                                         path, status.st_size));

  std::vector<std::uint8_t> bytes;
  try {
    bytes.resize(static_cast<std::size_t>(status.st_size));
  } catch (const std::bad_alloc&) {
    throw Error(Fault::no_space,
                fmt::format("{}: no memory for its {} bytes", path, status.st_size));
  }
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = read(file.get(), bytes.data() + done, bytes.size() - done);
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (n == 0) {
      throw Error(Fault::read, fmt::format("{}: became shorter while it was read", path));
    } else if (errno != EINTR) {
      throw Error(Fault::read, fmt::format("{}: cannot be read: {}", path, g_strerror(errno)));
    }
  }
  return bytes;
}

std::string sha256_of(const void* bytes, std::size_t size) {
  const std::unique_ptr<GChecksum, decltype(&g_checksum_free)> checksum(
      g_checksum_new(G_CHECKSUM_SHA256), g_checksum_free);
  g_checksum_update(checksum.get(), static_cast<const guchar*>(bytes), static_cast<gssize>(size));
  return g_checksum_get_string(checksum.get());
}

std::string sha256_of_file(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_file(path);
  return sha256_of(bytes.data(), bytes.size());
}

}  // namespace unetseg::trainer
