// SPDX-License-Identifier: MIT
// Files that break one rule of the format each, with the words that the reader must answer.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/model/safetensors_bytes.h"

struct BadFile {
  const char* name;      // what is wrong
  std::string bytes;     // of the whole file
  const char* mentions;  // part of the message
};

inline const std::string kFloat = std::string("\0\0\x80\x3f", 4);  // 1.0 as F32
inline const std::string kGood = "{" + entry("a", "F32", "1", "0,4") + "}";

// "\"name\":{...}" for one F32 tensor of one element at `offset`.
inline std::string scalar(const std::string& name, int offset) {
  return entry(name, "F32", "1", fmt::format("{},{}", offset, offset + 4));
}

inline std::string many_tensors(int count) {
  std::string json = "{";
  for (int i = 0; i < count; ++i) json += (i ? "," : "") + scalar(fmt::format("t{}", i), 4 * i);
  return json + "}";
}

inline std::string many_notes(int count) {
  std::string json = "{\"__metadata__\":{";
  for (int i = 0; i < count; ++i) json += fmt::format("{}\"{}\":\"\"", i ? "," : "", i);
  return json + "}}";
}

inline std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

// A file whose header holds `json` alone, followed by the bytes of one float.
inline std::string with_entry(const std::string& json) {
  return safetensors_bytes("{" + json + "}", kFloat);
}

inline const std::vector<BadFile>& size_faults() {
  static const std::vector<BadFile> rows = {
      {"empty", "", "is empty"},
      {"seven bytes", std::string(7, '\0'), "has 7 bytes"},
      {"length alone, 0", length_bytes(0), "header of 0 bytes"},
      {"length alone, 2", length_bytes(2), "only 0 follow"},
      {"length 0, then more", length_bytes(0) + kGood + kFloat, "header of 0 bytes"},
      {"length 2^60", length_bytes(std::uint64_t{1} << 60) + kGood + kFloat,
       "header of 1152921504606846976 bytes at byte 0"},
      {"length 2^64 - 1", length_bytes(~std::uint64_t{0}) + kGood + kFloat,
       "header of 18446744073709551615 bytes at byte 0"},
      {"length one byte beyond the file", length_bytes(kGood.size() + 1) + kGood, "only 54 follow"},
      {"header above 1 MiB", safetensors_bytes(kGood + std::string(1 << 20, ' '), kFloat),
       "more than the 1048576 allowed"},
      {"header does not begin with {", safetensors_bytes(" " + kGood, kFloat),
       "does not begin with { at byte 8"},
      {"cut off in the header", length_bytes(kGood.size()) + kGood.substr(0, 20), "only 20 follow"},
      {"cut off in the tensors", safetensors_bytes(kGood, kFloat.substr(0, 3)),
       "ends at byte 66, but the file ends at byte 65"},
      {"a byte left over", safetensors_bytes(kGood, kFloat + "x"),
       "1 bytes follow the last tensor, from byte 66 on"},
      {"bytes without any tensor", safetensors_bytes("{}", "x"), "1 bytes follow"},
  };
  return rows;
}

inline const std::vector<BadFile>& header_faults() {
  static const std::vector<BadFile> rows = {
      {"bad UTF-8", with_entry(scalar("\xff", 0)), "no valid UTF-8 at byte 10"},
      {"overlong UTF-8", with_entry(scalar("\xc0\x80", 0)), "no valid UTF-8"},
      {"NUL after the object", safetensors_bytes(kGood + std::string("\0{", 2), kFloat),
       "no valid UTF-8 at byte 62"},
      {"half a surrogate pair", with_entry(scalar("\\ud800", 0)), "no valid JSON"},
      {"object not closed", safetensors_bytes(kGood.substr(0, kGood.size() - 1), kFloat),
       "no valid JSON at byte 61"},
      {"text after the object", safetensors_bytes(kGood + "{}", kFloat),
       "no valid JSON at byte 62"},
      {"comma at the end", with_entry(scalar("a", 0) + ","), "no valid JSON"},
      {"comment", with_entry("/**/" + scalar("a", 0)), "no valid JSON"},
      {"not a number", with_entry(entry("a", "F32", "NaN", "0,4")), "no valid JSON"},
      {"number above every double", with_entry(entry("a", "F32", "1e999", "0,4")), "no valid JSON"},
      {"objects 100000 deep", with_entry("\"a\":{\"dtype\":" + repeated("{\"a\":", 100000)),
       "has an object as its dtype"},
      {"arrays 100000 deep", with_entry("\"a\":{\"shape\":" + repeated("[", 100000)),
       "has an array in its shape"},
      {"tensor is null", with_entry("\"a\":null"), "null instead of an object at 'a'"},
      {"tensor is an array", with_entry("\"a\":[]"), "an array instead of an object"},
      {"tensor is a truth value", with_entry("\"a\":true"), "true instead of an object"},
      {"two tensors of one name", with_entry(scalar("a", 0) + "," + scalar("a", 4)),
       "has the key 'a' twice"},
      {"two of one name, one escaped", with_entry(scalar("a", 0) + "," + scalar("\\u0061", 4)),
       "has the key 'a' twice"},
      {"dtype twice", with_entry("\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}"),
       "has the key 'dtype' twice"},
      {"shape twice, one escaped",
       with_entry("\"a\":{\"shape\":[1],\"\\u0073hape\":[1],\"dtype\":\"F32\"}"),
       "has the key 'shape' twice"},
      {"metadata twice",
       with_entry("\"__metadata__\":{},\"\\u005f_metadata__\":{}," + scalar("a", 0)),
       "has the key '__metadata__' twice"},
      {"metadata entry twice", with_entry("\"__metadata__\":{\"k\":\"1\",\"\\u006b\":\"2\"}"),
       "has the key 'k' twice"},
      {"dtype unknown", with_entry(entry("a", "F31", "1", "0,4")), "unknown dtype 'F31'"},
      {"dtype in lower case", with_entry(entry("a", "f32", "1", "0,4")), "unknown dtype 'f32'"},
      {"dtype is a number", with_entry("\"a\":{\"dtype\":32}"), "has the number 32 as its dtype"},
      {"unknown field", with_entry("\"a\":{\"strides\":[1]}"), "unknown field 'strides'"},
      {"no dtype", with_entry("\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}"), "lacks one of"},
      {"no shape", with_entry("\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}"), "lacks one of"},
      {"no offsets", with_entry("\"a\":{\"dtype\":\"F32\",\"shape\":[1]}"), "lacks one of"},
      {"shape is a text", with_entry("\"a\":{\"shape\":\"1\"}"), "has the text '1' as its shape"},
      {"negative dimension", with_entry(entry("a", "F32", "-1", "0,4")), "negative number -1"},
      {"minus zero", with_entry(entry("a", "F32", "-0", "0,4")), "negative number"},
      {"dimension with a point", with_entry(entry("a", "F32", "1.0", "0,4")),
       "the number '1.0' in its shape"},
      {"dimension with an exponent", with_entry(entry("a", "F32", "1e0", "0,4")),
       "the number '1e0' in its shape"},
      {"dimension 2^64", with_entry(entry("a", "F32", "18446744073709551616", "0,4")),
       "the number '18446744073709551616' in its shape"},
      {"dimension 2^63", with_entry(entry("a", "F32", "9223372036854775808", "0,4")),
       "a dimension of 9223372036854775808"},
      {"dimension null", with_entry(entry("a", "F32", "null", "0,4")), "null in its shape"},
      {"negative offset", with_entry(entry("a", "F32", "1", "-4,0")),
       "negative number -4 in its data_offsets"},
      {"offset with a point", with_entry(entry("a", "F32", "1", "0,4.0")),
       "'4.0' in its data_offsets"},
      {"offset 2^64", with_entry(entry("a", "F32", "1", "0,18446744073709551616")),
       "in its data_offsets"},
      {"one offset", with_entry(entry("a", "F32", "1", "0")), "less than two data_offsets"},
      {"three offsets", with_entry(entry("a", "F32", "1", "0,4,4")), "more than two data_offsets"},
      {"rank 9", with_entry(entry("a", "F32", "1,1,1,1,1,1,1,1,1", "0,4")),
       "more than 8 dimensions"},
      {"1025 tensors", safetensors_bytes(many_tensors(1025), repeated(kFloat, 1025)),
       "more than 1024 tensors"},
      {"1025 entries of metadata", safetensors_bytes(many_notes(1025), ""),
       "more than 1024 entries"},
      {"product above 2^64", with_entry(entry("a", "F32", "4294967296,4294967296", "0,4")),
       "more bytes than can be counted"},
      {"product above 2^64 with the dtype's size",
       with_entry(entry("a", "F32", "4611686018427387904", "0,4")),
       "more bytes than can be counted"},
      {"metadata is no object", with_entry("\"__metadata__\":\"\""), "instead of an object"},
      {"metadata is null", with_entry("\"__metadata__\":null"), "instead of an object"},
      {"metadata holds a number", with_entry("\"__metadata__\":{\"k\":1}"),
       "metadata 'k' is the number 1 instead of a text"},
      {"metadata holds null", with_entry("\"__metadata__\":{\"k\":null}"),
       "metadata 'k' is null instead of a text"},
      {"metadata holds an object", with_entry("\"__metadata__\":{\"k\":{}}"),
       "metadata 'k' is an object instead of a text"},
      {"metadata holds an array", with_entry("\"__metadata__\":{\"k\":[]}"),
       "metadata 'k' is an array instead of a text"},
  };
  return rows;
}

inline const std::vector<BadFile>& layout_faults() {
  const auto two = [](const std::string& first, const std::string& second) {
    return safetensors_bytes("{" + first + "," + second + "}", kFloat + kFloat);
  };
  static const std::vector<BadFile> rows = {
      {"end before begin", with_entry(entry("a", "F32", "1", "4,0")),
       "ends at byte 0 before it begins at byte 4"},
      {"size is not shape times dtype", with_entry(entry("a", "F32", "2", "0,4")),
       "of shape [2] and dtype F32 needs 8 bytes but has 4"},
      {"size is not dtype's", with_entry(entry("a", "F16", "1", "0,4")), "needs 2 bytes but has 4"},
      {"scalar of another size", with_entry(entry("a", "F16", "", "0,4")),
       "of shape [] and dtype F16 needs 2 bytes but has 4"},
      {"terabyte in a small file", with_entry(entry("a", "F32", "274877906944", "0,1099511627776")),
       "but the file ends at byte"},
      {"offsets near 2^64",
       with_entry(entry("a", "F32", "1", "18446744073709551611,18446744073709551615")),
       "belong to no tensor"},
      {"outside", two(scalar("a", 0), scalar("b", 8)), "belong to no tensor"},
      {"overlap", two(scalar("a", 0), scalar("b", 2)), "inside the tensor before it"},
      {"the same bytes twice", two(scalar("a", 0), scalar("b", 0)), "inside the tensor before it"},
      {"hole at the start", safetensors_bytes("{" + scalar("a", 4) + "}", kFloat + kFloat),
       "in front of tensor 'a' belong to no tensor"},
      {"hole in the middle",
       safetensors_bytes("{" + scalar("a", 0) + "," + scalar("b", 8) + "}", repeated(kFloat, 3)),
       "in front of tensor 'b' belong to no tensor"},
      {"no elements, shares an offset",
       with_entry(entry("none", "F32", "0", "0,0") + "," + scalar("a", 0)),
       "tensor 'none' has no elements: it shares byte 0"},
  };
  return rows;
}
