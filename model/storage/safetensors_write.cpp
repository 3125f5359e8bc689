// SPDX-License-Identifier: MIT
// Writes a safetensors file that the reader accepts, byte for byte the same for the same input.
#include <fmt/format.h>
#include <glib.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "model/storage/atomic_file.h"
#include "model/storage/finite.h"
#include "model/storage/safetensors.h"
#include "model/storage/safetensors_header.h"
#include "model/storage/shown.h"
#include "model/storage/tensors_sha256.h"

namespace unetseg {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& path, const std::string& rule) {
  throw Error(Fault::write, fmt::format("{}: cannot be written: {}", shown_path(path), rule));
}

void check(const TensorToWrite& tensor, bool finite_only, const std::string& path) {
  const std::string name = shown_name(tensor.name);
  if (tensor.name == "__metadata__" ||
      !g_utf8_validate(tensor.name.data(), static_cast<gssize>(tensor.name.size()), nullptr))
    refuse(path, fmt::format("{} is no name for a tensor", name));
  if (tensor.shape.size() > SafetensorsLimits().rank)
    refuse(path, fmt::format("tensor {} has {} dimensions", name, tensor.shape.size()));
  const std::optional<std::size_t> bytes = bytes_of(tensor);
  if (!bytes)
    refuse(path, fmt::format("tensor {} has the impossible shape [{}]", name,
                             comma_separated(tensor.shape)));
  if (!finite_only) return;
  const NonFinite found = count_non_finite(tensor.dtype, tensor.data, *bytes);
  if (found.total() != 0)
    throw Error(Fault::bad_result,
                fmt::format("{}: not written: tensor {} has {} NaN and {} infinite values",
                            shown_path(path), name, found.nans, found.infinities));
}

// Wide types first, as the reference implementation does: every tensor is aligned to its type.
std::vector<const TensorToWrite*> in_file_order(const std::vector<TensorToWrite>& tensors) {
  std::vector<const TensorToWrite*> ordered;
  for (const TensorToWrite& tensor : tensors) ordered.push_back(&tensor);
  std::sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) {
    const std::size_t a_size = size_of(a->dtype), b_size = size_of(b->dtype);
    return a_size != b_size ? a_size > b_size : a->name < b->name;
  });
  return ordered;
}

// Length, JSON, and spaces up to a multiple of 8.
std::string header_of(const std::vector<const TensorToWrite*>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  Json header;
  header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const TensorToWrite* tensor : tensors) {
    const std::size_t end = offset + *bytes_of(*tensor);
    header[tensor->name] = {{"dtype", name_of(tensor->dtype)},
                            {"shape", tensor->shape},
                            {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string json = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  json.resize((json.size() + 7) / 8 * 8, ' ');
  std::string bytes;
  for (std::size_t i = 0; i < kHeaderStart; ++i)
    bytes += static_cast<char>(json.size() >> 8 * i & 0xff);
  return bytes + json;
}

}  // namespace

void write_safetensors(const std::string& path, const std::vector<TensorToWrite>& tensors,
                       std::map<std::string, std::string> metadata, bool finite_only) {
  const SafetensorsLimits limits;
  if (tensors.size() > limits.tensors)
    refuse(path, fmt::format("{} tensors are too many", tensors.size()));
  std::set<std::string> names;
  for (const TensorToWrite& tensor : tensors) {
    check(tensor, finite_only, path);
    if (!names.insert(tensor.name).second)
      refuse(path, fmt::format("two tensors are named {}", shown_name(tensor.name)));
  }

  metadata["sha256"] = sha256_of_tensors(tensors);
  if (metadata.size() > limits.metadata_entries)
    refuse(path, fmt::format("{} entries of metadata are too many", metadata.size()));
  const std::vector<const TensorToWrite*> ordered = in_file_order(tensors);
  const std::string header = header_of(ordered, metadata);
  if (header.size() - kHeaderStart > limits.header_bytes)
    refuse(path, fmt::format("its header would have {} bytes", header.size() - kHeaderStart));
  std::vector<BytesView> pieces = {{header.data(), header.size()}};
  for (const TensorToWrite* tensor : ordered) pieces.push_back({tensor->data, *bytes_of(*tensor)});
  write_file_atomically(path, pieces);
}

}  // namespace unetseg
