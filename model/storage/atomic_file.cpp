// SPDX-License-Identifier: MIT
#include "model/storage/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "model/error.h"
#include "model/storage/shown.h"

namespace unetseg {

FileOperations file_operations = {
    [](const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); },
    ::write,
    ::fsync,
    ::close,
    std::rename,
    ::unlink,
};

namespace {

[[noreturn]] void fail(const std::string& path, const char* step, int reason) {
  const char* why = "the system refused it; check the disk";
  Fault fault = Fault::write;
  switch (reason) {
    case ENOSPC:
      fault = Fault::no_space;
      why = "the disk is full; free some space";
      break;
    case EDQUOT:
      fault = Fault::no_space;
      why = "the disk quota is used up; free some space";
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      why = "this user may not write there; choose another folder";
      break;
    case ENOENT:
    case ENOTDIR:
      why = "its folder does not exist; create it";
      break;
    case EIO:
      why = "the disk reports an error; check it";
      break;
  }
  throw Error(fault, fmt::format("{}: cannot be written: {}", shown_path(path), why),
              fmt::format("{}: {}", step, g_strerror(reason)));
}

// Calls until it is not a signal that made it return.
template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) file_operations.close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }
  // The descriptor is gone even where close() fails, which is how network disks report a late
  // error.
  int close() {
    const int descriptor = descriptor_;
    descriptor_ = -1;
    const int result = file_operations.close(descriptor);
    return result < 0 && errno == EINTR ? 0 : result;
  }

 private:
  int descriptor_;
};

// The name of a file that goes away with the object unless it was renamed.
class TemporaryName {
 public:
  explicit TemporaryName(std::string name) : name_(std::move(name)) {}
  ~TemporaryName() {
    if (!name_.empty()) file_operations.unlink(name_.c_str());
  }
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  const char* get() const { return name_.c_str(); }
  void release() { name_.clear(); }

 private:
  std::string name_;
};

// Where the bytes go: behind a link, its target. Renaming onto a device or a pipe would replace it.
std::string target_of(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return path;
  if (!S_ISREG(status.st_mode))
    throw Error(Fault::write,
                fmt::format("{}: cannot be written: it is there and is no regular file; choose "
                            "another name",
                            shown_path(path)));
  const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr),
                                                             std::free);
  return resolved ? resolved.get() : path;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Opens a new file with a name that nobody has; a short one, since the target's may be of full
// length.
int open_temporary(const std::string& folder, std::string* name) {
  for (int attempt = 0;; ++attempt) {
    *name = fmt::format("{}/.unetseg-{:08x}{:08x}.tmp", folder, g_random_int(), g_random_int());
    const int descriptor = uninterrupted([&] {
      return file_operations.open(name->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    });
    if (descriptor >= 0 || errno != EEXIST || attempt == 100) return descriptor;
  }
}

int open_folder(const std::string& folder) {
  return uninterrupted(
      [&] { return file_operations.open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); });
}

// EINVAL: a file system that has no fsync for folders, and needs none or cannot help it.
void sync_folder(const std::string& path, const Descriptor& folder) {
  if (uninterrupted([&] { return file_operations.fsync(folder.get()); }) != 0 && errno != EINVAL)
    fail(path, "fsync of the folder", errno);
}

void write_all(const std::string& path, int descriptor, const BytesView& piece) {
  const auto* at = static_cast<const std::uint8_t*>(piece.data);
  std::size_t left = piece.size;
  while (left > 0) {
    const ssize_t n = uninterrupted([&] { return file_operations.write(descriptor, at, left); });
    if (n <= 0) fail(path, "write", n < 0 ? errno : EIO);
    at += n;
    left -= static_cast<std::size_t>(n);
  }
}

}  // namespace

void write_file_atomically(const std::string& path, const std::vector<BytesView>& pieces) {
  const std::string target = target_of(path), folder_path = folder_of(target);
  // Opened before anything is replaced, so that less can fail afterwards.
  const Descriptor folder(open_folder(folder_path));
  if (folder.get() < 0) fail(path, "open of the folder", errno);

  std::string name;
  Descriptor file(open_temporary(folder_path, &name));
  if (file.get() < 0) fail(path, "open", errno);
  TemporaryName temporary(std::move(name));
  for (const BytesView& piece : pieces) write_all(path, file.get(), piece);
  if (uninterrupted([&] { return file_operations.fsync(file.get()); }) != 0)
    fail(path, "fsync", errno);
  if (file.close() != 0) fail(path, "close", errno);
  if (file_operations.rename(temporary.get(), target.c_str()) != 0) fail(path, "rename", errno);
  temporary.release();
  sync_folder(path, folder);
}

void rename_file_durably(const std::string& from, const std::string& to) {
  const Descriptor folder(open_folder(folder_of(to)));
  if (folder.get() < 0) fail(to, "open of the folder", errno);
  if (file_operations.rename(from.c_str(), to.c_str()) != 0) fail(to, "rename", errno);
  sync_folder(to, folder);
}

void write_file_atomically(const std::string& path, std::string_view text) {
  write_file_atomically(path, std::vector<BytesView>{{text.data(), text.size()}});
}

void write_file_atomically(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  write_file_atomically(path, std::vector<BytesView>{{bytes.data(), bytes.size()}});
}

}  // namespace unetseg
