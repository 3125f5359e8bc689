// SPDX-License-Identifier: MIT
// A SAX parser: it sees each key as it is decoded, duplicates included, and stops at the first
// fault.
#include "model/storage/safetensors_header.h"

#include <fmt/format.h>
#include <glib.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "model/storage/shown.h"

namespace unetseg {
namespace {

constexpr const char* kMetadataKey = "__metadata__";

std::optional<DType> dtype_of_name(const std::string& name) {
  for (const DType dtype :
       {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8})
    if (name == name_of(dtype)) return dtype;
  return std::nullopt;
}

// Types of the format that have no use here.
bool is_foreign_dtype(const std::string& name) {
  for (const char* known : {"BOOL", "I8", "I16", "U16", "U32", "U64", "F8_E4M3", "F8_E5M2", "C64"})
    if (name == known) return true;
  return false;
}

bool is_float_for_weights(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16;
}

class HeaderHandler {
 public:
  HeaderHandler(const SafetensorsLimits& limits, const std::string& path)
      : limits_(limits), path_(path) {}

  SafetensorsHeader take() { return std::move(header_); }

  // Events of nlohmann's SAX parser. They throw instead of returning false.
  bool null() { unexpected("null"); }
  bool boolean(bool value) { unexpected(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) {
    unexpected(fmt::format("the negative number {}", value));
  }
  bool number_float(double, const std::string& text) {
    unexpected(fmt::format("the number {}", shown_name(text)));
  }
  bool binary(nlohmann::json::binary_t&) { unexpected("binary data"); }

  bool number_unsigned(std::uint64_t value) {
    if (place_ == Place::shape) {
      if (tensor_.shape.size() == limits_.rank)
        tensor_fault(fmt::format("has more than {} dimensions", limits_.rank));
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        tensor_fault(fmt::format("has a dimension of {}", value));
      tensor_.shape.push_back(static_cast<std::int64_t>(value));
    } else if (place_ == Place::offsets) {
      if (offsets_.size() == 2) tensor_fault("has more than two data_offsets");
      offsets_.push_back(value);
    } else {
      unexpected(fmt::format("the number {}", value));
    }
    return true;
  }

  bool string(const std::string& value) {
    if (place_ == Place::metadata) {
      header_.metadata[key_] = value;
    } else if (place_ == Place::tensor && key_ == "dtype") {
      set_dtype(value);
    } else {
      unexpected(fmt::format("the text {}", shown_name(value)));
    }
    return true;
  }

  bool start_object(std::size_t) {
    if (place_ == Place::before) {
      place_ = Place::root;
    } else if (place_ == Place::root && key_ == kMetadataKey) {
      place_ = Place::metadata;
    } else if (place_ == Place::root) {
      if (header_.tensors.size() == limits_.tensors)
        fault(fmt::format("its header lists more than {} tensors", limits_.tensors));
      place_ = Place::tensor;
      tensor_ = TensorEntry{key_, DType::f32, {}, 0, 0};
      offsets_.clear();
      fields_.clear();
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(const std::string& name) {
    bool is_new = false;
    if (place_ == Place::root) {
      is_new = names_.insert(name).second;
    } else if (place_ == Place::metadata) {
      if (header_.metadata.size() == limits_.metadata_entries)
        fault(fmt::format("its header has more than {} entries of metadata",
                          limits_.metadata_entries));
      is_new = header_.metadata.count(name) == 0;
    } else {
      if (name != "dtype" && name != "shape" && name != "data_offsets")
        tensor_fault(fmt::format("has the unknown field {}", shown_name(name)));
      is_new = fields_.insert(name).second;
    }
    if (!is_new) fault(fmt::format("its header has the key {} twice", shown_name(name)));
    key_ = name;
    return true;
  }

  bool end_object() {
    if (place_ == Place::tensor) {
      if (fields_.size() != 3) tensor_fault("lacks one of dtype, shape and data_offsets");
      finish_tensor();
    }
    place_ = place_ == Place::root ? Place::after : Place::root;
    return true;
  }

  bool start_array(std::size_t) {
    if (place_ == Place::tensor && key_ == "shape") {
      place_ = Place::shape;
    } else if (place_ == Place::tensor && key_ == "data_offsets") {
      place_ = Place::offsets;
    } else {
      unexpected("an array");
    }
    return true;
  }

  bool end_array() {
    if (place_ == Place::offsets && offsets_.size() != 2)
      tensor_fault("has less than two data_offsets");
    place_ = Place::tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) {
    fault(fmt::format("its header is no valid JSON at byte {}",
                      kHeaderStart + std::max<std::size_t>(position, 1) - 1),
          shown_name(error.what(), 300));
  }

 private:
  enum class Place { before, root, metadata, tensor, shape, offsets, after };

  [[noreturn]] void fault(const std::string& rule, const std::string& detail = {}) const {
    throw Error(Fault::read,
                fmt::format("{}: {}; the file is damaged or is no safetensors file: fetch or "
                            "convert it again",
                            shown_path(path_), rule),
                detail);
  }

  [[noreturn]] void tensor_fault(const std::string& rule) const {
    fault(fmt::format("tensor {} {}", shown_name(tensor_.name), rule));
  }

  // Anything that stands where the format has something else; too deep nesting always does.
  [[noreturn]] void unexpected(const std::string& what) const {
    switch (place_) {
      case Place::metadata:
        fault(fmt::format("its metadata {} is {} instead of a text", shown_name(key_), what));
      case Place::root:
        fault(fmt::format("its header has {} instead of an object at {}", what, shown_name(key_)));
      case Place::tensor:
        tensor_fault(fmt::format("has {} as its {}", what, key_));
      case Place::shape:
        tensor_fault(fmt::format("has {} in its shape instead of a whole number from 0 on", what));
      case Place::offsets:
        tensor_fault(
            fmt::format("has {} in its data_offsets instead of a whole number from 0 on", what));
      case Place::before:
      case Place::after:
        break;
    }
    fault(fmt::format("its header is {} instead of an object", what));
  }

  void set_dtype(const std::string& name) {
    const std::optional<DType> dtype = dtype_of_name(name);
    if (!dtype && !is_foreign_dtype(name))
      tensor_fault(fmt::format("has the unknown dtype {}", shown_name(name)));
    if (!dtype || (limits_.weights_only && !is_float_for_weights(*dtype)))
      throw Error(Fault::settings,
                  fmt::format("{}: tensor {} has the dtype {}, which {}; convert it (in Python: "
                              "tensor.float()) and save the file again",
                              shown_path(path_), shown_name(tensor_.name), name,
                              limits_.weights_only ? "weights may not have (F32, F16, BF16 may)"
                                                   : "this program does not read"));
    tensor_.dtype = *dtype;
  }

  // Sizes are compared here, before anything is allocated from them.
  void finish_tensor() {
    std::uint64_t bytes = size_of(tensor_.dtype);
    for (const std::int64_t dimension : tensor_.shape)
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dimension), &bytes))
        tensor_fault(fmt::format("of shape [{}] has more bytes than can be counted",
                                 comma_separated(tensor_.shape)));
    const std::uint64_t begin = offsets_[0], end = offsets_[1];
    if (end < begin)
      tensor_fault(fmt::format("ends at byte {} before it begins at byte {}", end, begin));
    if (end - begin != bytes)
      tensor_fault(fmt::format("of shape [{}] and dtype {} needs {} bytes but has {}",
                               comma_separated(tensor_.shape), name_of(tensor_.dtype), bytes,
                               end - begin));
    if (bytes == 0 && limits_.weights_only)
      tensor_fault(fmt::format("has no elements: it shares byte {} with its neighbour", begin));
    tensor_.offset = begin;
    tensor_.bytes = bytes;
    header_.tensors.push_back(std::move(tensor_));
  }

  const SafetensorsLimits& limits_;
  const std::string& path_;
  SafetensorsHeader header_;
  Place place_ = Place::before;
  std::string key_;
  TensorEntry tensor_;
  std::vector<std::uint64_t> offsets_;
  std::set<std::string> names_, fields_;
};

// Every byte of the tensors' part belongs to exactly one tensor.
void check_layout(const std::vector<TensorEntry>& tensors, std::uint64_t data_start,
                  std::uint64_t data_bytes, const std::string& path) {
  const auto fault = [&](const std::string& rule) {
    throw Error(Fault::read, fmt::format("{}: {}; the file is damaged or cut off: fetch or convert "
                                         "it again",
                                         shown_path(path), rule));
  };
  std::uint64_t covered = 0;
  for (const TensorEntry& tensor : tensors) {
    const std::string name = shown_name(tensor.name);
    if (tensor.offset < covered)
      fault(
          fmt::format("tensor {} begins at byte {}, inside the tensor before it, which ends at "
                      "byte {}",
                      name, data_start + tensor.offset, data_start + covered));
    if (tensor.offset > covered)
      fault(fmt::format("bytes {} to {} in front of tensor {} belong to no tensor",
                        data_start + covered, data_start + tensor.offset, name));
    covered = tensor.offset + tensor.bytes;
    if (covered > data_bytes)
      fault(fmt::format("tensor {} ends at byte {}, but the file ends at byte {}", name,
                        data_start + covered, data_start + data_bytes));
  }
  if (covered < data_bytes)
    fault(fmt::format("{} bytes follow the last tensor, from byte {} on", data_bytes - covered,
                      data_start + covered));
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                           const SafetensorsLimits& limits,
                                           const std::string& path) {
  HeaderHandler handler(limits, path);
  const char* valid_end = nullptr;
  // Refuses NUL bytes too, which the parser would take for the end of the text.
  if (!g_utf8_validate(json.data(), static_cast<gssize>(json.size()), &valid_end))
    throw Error(
        Fault::read,
        fmt::format("{}: its header is no valid UTF-8 at byte {}; the file is damaged or is "
                    "no safetensors file: fetch or convert it again",
                    shown_path(path),
                    kHeaderStart + static_cast<std::size_t>(valid_end - json.data())));
  nlohmann::json::sax_parse(json.begin(), json.end(), &handler);
  SafetensorsHeader header = handler.take();
  std::sort(header.tensors.begin(), header.tensors.end(),
            [](const TensorEntry& a, const TensorEntry& b) {
              return std::tie(a.offset, a.bytes, a.name) < std::tie(b.offset, b.bytes, b.name);
            });
  check_layout(header.tensors, kHeaderStart + json.size(), data_bytes, path);
  return header;
}

}  // namespace unetseg
