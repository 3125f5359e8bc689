// SPDX-License-Identifier: MIT
// Reads a safetensors file in the order of trust: the file's size, the header's length, the header,
// and only then the tensors' bytes, for which memory of a proven size is allocated.
#include <fmt/format.h>
#include <glib.h>

#include <algorithm>
#include <new>

#include "model/storage/finite.h"
#include "model/storage/foreign_format.h"
#include "model/storage/input_file.h"
#include "model/storage/safetensors.h"
#include "model/storage/safetensors_header.h"
#include "model/storage/shown.h"

namespace unetseg {
namespace {

static_assert(G_BYTE_ORDER == G_LITTLE_ENDIAN, "the format's numbers are little-endian");

[[noreturn]] void no_safetensors(const std::string& path, const std::string& rule) {
  throw Error(Fault::read, fmt::format("{}: is no safetensors file, or a damaged one: fetch or "
                                       "convert it again ({})",
                                       shown_path(path), rule));
}

// The file's first bytes, as far as there are any: the header's length and the header's first byte,
// which tell what kind of file it is.
std::string read_start(InputFile& file) {
  std::string start(std::min<std::uint64_t>(file.size(), kHeaderStart + 1), '\0');
  file.read(start.data(), start.size());
  return start;
}

// The length of the header, proven to lie within the file and the limits.
std::size_t header_length(const std::string& start, std::uint64_t file_bytes,
                          const SafetensorsLimits& limits, const std::string& path) {
  std::uint64_t length = 0;
  if (start.size() >= kHeaderStart)
    for (std::size_t i = kHeaderStart; i-- > 0;)
      length = length << 8 | static_cast<std::uint8_t>(start[i]);
  const bool plausible = start.size() > kHeaderStart && start[kHeaderStart] == '{' && length > 0 &&
                         length <= limits.header_bytes && length <= file_bytes - kHeaderStart;
  if (plausible) return length;

  const std::string foreign = foreign_format(start);
  if (!foreign.empty())
    throw Error(Fault::settings, fmt::format("{}: {}", shown_path(path), foreign));
  if (start.empty()) no_safetensors(path, "is empty");
  if (start.size() < kHeaderStart)
    no_safetensors(path, fmt::format("has {} bytes, less than the {} of the header's length",
                                     start.size(), kHeaderStart));
  if (length == 0) no_safetensors(path, "claims a header of 0 bytes at byte 0");
  if (length > file_bytes - kHeaderStart)
    no_safetensors(path, fmt::format("claims a header of {} bytes at byte 0, but only {} follow",
                                     length, file_bytes - kHeaderStart));
  if (length > limits.header_bytes)
    no_safetensors(
        path, fmt::format("claims a header of {} bytes at byte 0, more than the {} allowed", length,
                          limits.header_bytes));
  no_safetensors(path, fmt::format("its header does not begin with {{ at byte {}", kHeaderStart));
}

void check_sha256(const SafetensorsFile& file, const std::string& path) {
  const auto stated = file.metadata.find("sha256");
  if (stated == file.metadata.end()) return;
  const std::string found = tensors_sha256(file);
  if (g_ascii_strcasecmp(stated->second.c_str(), found.c_str()) == 0) return;
  throw Error(
      Fault::read,
      fmt::format("{}: its tensors do not have the SHA-256 that its metadata states: it was "
                  "damaged or changed; fetch it again, or, if you changed it on purpose, "
                  "run: unetseg-trainer inspect --rehash FILE",
                  shown_path(path)),
      fmt::format("stated {}, found {}", shown_name(stated->second), found));
}

void check_finite(const SafetensorsFile& file, const std::string& path) {
  for (const TensorEntry& tensor : file.tensors) {
    const NonFinite found =
        count_non_finite(tensor.dtype, file.data.data() + tensor.offset, tensor.bytes);
    if (found.total() == 0) continue;
    throw Error(Fault::read, fmt::format("{}: tensor {} has {} NaN and {} infinite values of {}; "
                                         "the file is damaged or its training diverged: take "
                                         "another",
                                         shown_path(path), shown_name(tensor.name), found.nans,
                                         found.infinities, tensor.bytes / size_of(tensor.dtype)));
  }
}

SafetensorsFile read_file(const std::string& path, const SafetensorsLimits& limits) {
  InputFile file(path, limits.file_bytes);
  const std::string start = read_start(file);
  const std::size_t length = header_length(start, file.size(), limits, path);
  std::string json(length, '\0');
  json[0] = start[kHeaderStart];
  file.read(json.data() + 1, length - 1);
  const std::uint64_t data_bytes = file.size() - kHeaderStart - length;
  SafetensorsHeader header = parse_safetensors_header(json, data_bytes, limits, path);

  SafetensorsFile result{
      std::move(header.metadata), std::move(header.tensors), {}, file.identity()};
  result.data.resize(data_bytes);
  file.read(result.data.data(), data_bytes);
  file.expect_unchanged();
  return result;
}

}  // namespace

SafetensorsFile read_safetensors(const std::string& path, const SafetensorsLimits& limits) {
  try {
    SafetensorsFile file = read_file(path, limits);
    if (limits.verify_sha256) check_sha256(file, path);
    if (limits.finite_only) check_finite(file, path);
    return file;
  } catch (const std::bad_alloc&) {
    throw Error(Fault::no_space,
                fmt::format("{}: there is not enough memory to read it; close other programs or "
                            "take a smaller file",
                            shown_path(path)));
  }
}

}  // namespace unetseg
