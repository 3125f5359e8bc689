// SPDX-License-Identifier: MIT
//
// Tensors: images U8 [n, height, width, 3], masks U8 [n, height, width], aspect F32 [n], ids,
// sha256 and notes U8 (texts, a zero byte after each); where there are truth masks, truth_size I32
// [n, 2] (width, height) and truth_bits U8 (eight pixels a byte, lowest bit first, each mask from a
// new byte on).
#include "trainer/data/cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "model/storage/safetensors.h"
#include "trainer/data/file_bytes.h"

namespace unetseg::trainer {
namespace {

constexpr const char* kFormat = "unetseg-decoded";
constexpr const char* kVersion = "1";
// Part of the key: to be raised whenever the same files would decode to other pixels.
constexpr const char* kPolicy = "1";
constexpr int kMostSide = 16384;

using Bytes = std::vector<std::uint8_t>;

Bytes pack_texts(const std::vector<std::string>& texts) {
  Bytes bytes;
  for (const std::string& text : texts) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    bytes.push_back(0);
  }
  return bytes;
}

std::size_t packed_bytes(std::size_t pixels) {
  return (pixels + 7) / 8;
}

Bytes pack_truth(const std::vector<TruthMask>& masks) {
  Bytes bits;
  for (const TruthMask& mask : masks) {
    const std::size_t start = bits.size();
    bits.resize(start + packed_bytes(mask.pixels.size()));
    for (std::size_t i = 0; i < mask.pixels.size(); ++i)
      if (mask.pixels[i] != 0) bits[start + i / 8] |= static_cast<std::uint8_t>(1u << i % 8);
  }
  return bits;
}

// What is read, with the one kind of error that all its inconsistencies are.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {
    SafetensorsLimits limits;
    limits.file_bytes = std::uint64_t{1} << 40;
    limits.weights_only = false;
    file_ = read_safetensors(path, limits);
    const auto format = file_.metadata.find("format");
    const auto version = file_.metadata.find("version");
    if (format == file_.metadata.end() || format->second != kFormat)
      throw Error(Fault::settings, fmt::format("{}: is no decoded data set", path));
    if (version == file_.metadata.end() || version->second != kVersion)
      throw Error(Fault::settings,
                  fmt::format("{}: was written by another version; decode it again", path));
  }

  [[noreturn]] void damaged(const std::string& what) const {
    throw Error(Fault::read, fmt::format("{}: is damaged: {}", path_, what));
  }

  bool has(const char* name) const { return file_.find(name) != nullptr; }

  const TensorEntry& tensor(const char* name, DType dtype, std::size_t rank) const {
    const TensorEntry* entry = file_.find(name);
    if (entry == nullptr || entry->dtype != dtype || entry->shape.size() != rank)
      damaged(fmt::format("{} is missing or of another kind", name));
    return *entry;
  }

  const std::uint8_t* bytes(const TensorEntry& entry) const {
    return file_.data.data() + entry.offset;
  }

  template <typename Value>
  std::vector<Value> values(const TensorEntry& entry) const {
    std::vector<Value> result(entry.bytes / sizeof(Value));
    if (!result.empty()) std::memcpy(result.data(), bytes(entry), entry.bytes);
    return result;
  }

  std::vector<std::string> texts(const char* name) const {
    const TensorEntry& entry = tensor(name, DType::u8, 1);
    const char* at = reinterpret_cast<const char*>(bytes(entry));
    const char* const end = at + entry.bytes;
    std::vector<std::string> result;
    while (at < end) {
      const char* stop = std::find(at, end, '\0');
      if (stop == end) damaged(fmt::format("{} breaks off", name));
      result.emplace_back(at, stop);
      at = stop + 1;
    }
    return result;
  }

  // Gives up the file's memory for the one large tensor instead of holding it twice.
  Bytes take(const TensorEntry& entry) {
    Bytes data = std::move(file_.data);
    const auto start = data.begin() + static_cast<std::ptrdiff_t>(entry.offset);
    data.erase(start + static_cast<std::ptrdiff_t>(entry.bytes), data.end());
    data.erase(data.begin(), start);
    return data;
  }

 private:
  const std::string& path_;
  SafetensorsFile file_;
};

std::vector<TruthMask> read_truth(const Reader& reader, std::size_t n) {
  const TensorEntry& size_entry = reader.tensor("truth_size", DType::i32, 2);
  const TensorEntry& bits_entry = reader.tensor("truth_bits", DType::u8, 1);
  const auto sizes = reader.values<std::int32_t>(size_entry);
  if (sizes.size() != 2 * n) reader.damaged("truth_size does not fit the images");
  const std::uint8_t* bits = reader.bytes(bits_entry);
  std::size_t left = bits_entry.bytes;
  std::vector<TruthMask> masks(n);
  for (std::size_t i = 0; i < n; ++i) {
    TruthMask& mask = masks[i];
    mask.width = sizes[2 * i];
    mask.height = sizes[2 * i + 1];
    if (mask.width < 1 || mask.height < 1 || mask.width > kMostSide || mask.height > kMostSide)
      reader.damaged(fmt::format("truth mask {} is {}x{}", i, mask.width, mask.height));
    const std::size_t pixels = static_cast<std::size_t>(mask.width) * mask.height;
    if (packed_bytes(pixels) > left) reader.damaged("truth_bits breaks off");
    mask.pixels.resize(pixels);
    for (std::size_t p = 0; p < pixels; ++p)
      mask.pixels[p] = (bits[p / 8] >> p % 8 & 1) != 0 ? 255 : 0;
    bits += packed_bytes(pixels);
    left -= packed_bytes(pixels);
  }
  if (left != 0) reader.damaged("truth_bits holds more than the masks");
  return masks;
}

}  // namespace

std::string cache_key(const std::vector<Pair>& pairs, const std::vector<std::string>& sha256,
                      const DecodeOptions& options) {
  std::string text = fmt::format("{}\n{}x{}\n{}\n{}\n{}\n", kPolicy, options.width, options.height,
                                 options.truth_side, options.stretch_masks, options.skip_bad);
  for (std::size_t i = 0; i < pairs.size(); ++i) text += sha256[i] + pairs[i].id + '\0';
  return sha256_of(text.data(), text.size());
}

std::string cache_path(const std::string& folder, const std::string& key) {
  return fmt::format("{}/decoded-{}.safetensors", folder, key);
}

void write_cached(const std::string& path, const CachedSet& cached) {
  const DecodedSet& set = cached.set;
  const auto n = static_cast<std::int64_t>(set.size());
  const Bytes ids = pack_texts(set.ids), sha256 = pack_texts(set.sha256),
              notes = pack_texts(cached.notes);
  std::vector<TensorToWrite> tensors = {
      {"images", DType::u8, {n, set.height, set.width, 3}, set.images.data()},
      {"masks", DType::u8, {n, set.height, set.width}, set.masks.data()},
      {"aspect", DType::f32, {n}, set.aspect.data()},
      {"ids", DType::u8, {static_cast<std::int64_t>(ids.size())}, ids.data()},
      {"sha256", DType::u8, {static_cast<std::int64_t>(sha256.size())}, sha256.data()},
      {"notes", DType::u8, {static_cast<std::int64_t>(notes.size())}, notes.data()}};
  const Bytes bits = pack_truth(set.truth);
  std::vector<std::int32_t> sizes;
  for (const TruthMask& mask : set.truth) {
    sizes.push_back(mask.width);
    sizes.push_back(mask.height);
  }
  if (!set.truth.empty()) {
    tensors.push_back({"truth_size", DType::i32, {n, 2}, sizes.data()});
    tensors.push_back(
        {"truth_bits", DType::u8, {static_cast<std::int64_t>(bits.size())}, bits.data()});
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code fault;
  if (!folder.empty()) std::filesystem::create_directories(folder, fault);
  if (fault)
    throw Error(Fault::write,
                fmt::format("{}: cannot be created: {}", folder.string(), fault.message()));
  write_safetensors(path, tensors, {{"format", kFormat}, {"version", kVersion}});
}

CachedSet read_cached(const std::string& path) {
  Reader reader(path);
  const TensorEntry& images = reader.tensor("images", DType::u8, 4);
  const std::int64_t n = images.shape[0], height = images.shape[1], width = images.shape[2];
  if (n < 1 || height < 1 || width < 1 || height > kMostSide || width > kMostSide ||
      images.shape[3] != 3)
    reader.damaged("images have no usable size");
  const TensorEntry& masks = reader.tensor("masks", DType::u8, 3);
  if (masks.shape != std::vector<std::int64_t>{n, height, width})
    reader.damaged("masks do not fit the images");

  CachedSet cached;
  DecodedSet& set = cached.set;
  set.width = static_cast<int>(width);
  set.height = static_cast<int>(height);
  set.ids = reader.texts("ids");
  set.sha256 = reader.texts("sha256");
  set.aspect = reader.values<float>(reader.tensor("aspect", DType::f32, 1));
  cached.notes = reader.texts("notes");
  const auto count = static_cast<std::size_t>(n);
  if (set.ids.size() != count || set.sha256.size() != count || set.aspect.size() != count)
    reader.damaged("ids, hashes or aspect ratios do not fit the images");
  if (std::any_of(set.aspect.begin(), set.aspect.end(), [](float a) { return !(a > 0); }))
    reader.damaged("an aspect ratio is not positive");
  if (reader.has("truth_size")) set.truth = read_truth(reader, count);
  set.masks = reader.values<std::uint8_t>(masks);
  set.images = reader.take(images);
  return cached;
}

void write_decoded(const std::string& path, const DecodedSet& set) {
  write_cached(path, {set, {}});
}

DecodedSet read_decoded(const std::string& path) {
  return read_cached(path).set;
}

}  // namespace unetseg::trainer
