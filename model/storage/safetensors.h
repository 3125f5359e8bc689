// SPDX-License-Identifier: MIT
// The safetensors container: everything checked before anything is allocated, written atomically.
//
// Format (https://github.com/huggingface/safetensors): u64 little-endian header length, header JSON
// {name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__": {string: string}}, then the
// tensors' bytes, row-major little-endian, without gaps or overlaps.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/error.h"
#include "model/storage/file_identity.h"

namespace unetseg {

enum class DType { f64, f32, f16, bf16, i64, i32, u8 };
std::size_t size_of(DType dtype);
const char* name_of(DType dtype);  // "F32", as in the file

struct TensorEntry {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  std::size_t offset;  // from the first byte of the tensors' part
  std::size_t bytes;
};

// A whole file in memory. `data` keeps the alignment of operator new; tensors are at data + offset.
struct SafetensorsFile {
  std::map<std::string, std::string> metadata;
  std::vector<TensorEntry> tensors;  // in the order of their offsets
  std::vector<std::uint8_t> data;
  FileIdentity identity;                                   // of the file that it was read from
  const TensorEntry* find(const std::string& name) const;  // nullptr where there is none
};

// What may be in the file. The element's loader keeps the defaults; the trainer's own checkpoints
// and caches allow more and larger.
struct SafetensorsLimits {
  std::uint64_t file_bytes = std::uint64_t{1} << 30;
  std::uint64_t header_bytes = 1 << 20;
  std::size_t tensors = 1024;
  std::size_t rank = 8;
  std::size_t metadata_entries = 1024;
  bool weights_only = true;   // F32, F16, BF16 alone
  bool finite_only = true;    // any NaN or infinity is a fault
  bool verify_sha256 = true;  // where the metadata has "sha256"
};

// Reads and checks, FORMAT.md says what. Throws Error with fault not_found, open_read, read,
// settings or no_space, naming the path, the rule, the byte or tensor, and what to do. Never
// blocks, follows a link to a regular file, reads through one descriptor.
SafetensorsFile read_safetensors(const std::string& path, const SafetensorsLimits& limits = {});

// One tensor to be written; the bytes are borrowed.
struct TensorToWrite {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  const void* data;  // null is fine where the shape has no elements
};

// Writes `path` atomically: temporary file in the same folder, fsync, rename, fsync of the folder;
// on failure the temporary file is removed, an existing `path` stays as it was, and Error(write) or
// Error(no_space) says why. Adds "sha256" to the metadata. Refuses non-finite values with
// Error(bad_result) naming the tensor, unless `finite_only` is false, and with Error(write)
// whatever the reader's default limits on header, tensors, rank and metadata would refuse. The same
// input gives the same bytes; tensors are ordered so that each is aligned to its type. Bytes of
// metadata that are no UTF-8 are replaced.
void write_safetensors(const std::string& path, const std::vector<TensorToWrite>& tensors,
                       std::map<std::string, std::string> metadata, bool finite_only = true);

// SHA-256 over each tensor's name, dtype, shape and bytes, in order of name: 64 hexadecimal digits.
std::string tensors_sha256(const SafetensorsFile& file);

// Reads the file without regard to its "sha256" and writes it again with the right one: for
// somebody who changed it on purpose. Any dtype is allowed. Throws as reading and writing do.
void rehash_safetensors(const std::string& path);

}  // namespace unetseg
