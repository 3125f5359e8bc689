// SPDX-License-Identifier: MIT
#include "model/storage/tensors_sha256.h"

#include <fmt/format.h>
#include <glib.h>

#include <algorithm>
#include <memory>

#include "model/storage/shown.h"

namespace unetseg {

std::string sha256_of_tensors(const std::vector<TensorToWrite>& tensors) {
  std::vector<const TensorToWrite*> ordered;
  for (const TensorToWrite& tensor : tensors) ordered.push_back(&tensor);
  std::sort(ordered.begin(), ordered.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  const std::unique_ptr<GChecksum, decltype(&g_checksum_free)> checksum(
      g_checksum_new(G_CHECKSUM_SHA256), g_checksum_free);
  const auto feed = [&](const void* data, std::size_t size) {
    if (size == 0) return;  // GLib takes a null pointer for a mistake
    g_checksum_update(checksum.get(), static_cast<const guchar*>(data), static_cast<gssize>(size));
  };
  for (const TensorToWrite* tensor : ordered) {
    const std::string head = fmt::format("{}:{} {} {}\n", tensor->name.size(), tensor->name,
                                         name_of(tensor->dtype), comma_separated(tensor->shape));
    feed(head.data(), head.size());
    feed(tensor->data, bytes_of(*tensor).value());
  }
  return g_checksum_get_string(checksum.get());
}

std::optional<std::size_t> bytes_of(const TensorToWrite& tensor) {
  std::size_t bytes = size_of(tensor.dtype);
  for (const std::int64_t dimension : tensor.shape)
    if (dimension < 0 ||
        __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dimension), &bytes))
      return std::nullopt;
  return bytes;
}

}  // namespace unetseg
