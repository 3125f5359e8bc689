// SPDX-License-Identifier: MIT
// Writing safetensors: what is written reads back, always as the same bytes, with a checksum that
// notices every change.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "model/storage/safetensors.h"

#include "tests/check.h"
#include "tests/assertions.h"
#include "tests/model/safetensors_bytes.h"
#include "tests/temporary_folder.h"

using namespace unetseg;

namespace {

constexpr std::uint16_t kHalves[] = {0x3c00, 0x4000};  // 1, 2
constexpr float kOne = 1;

// printf '1:a F16 2\n\x00\x3c\x00\x402:bb F32 \n\x00\x00\x80\x3f' | sha256sum
constexpr char kSha256[] = "c75469b1de8c8c04c5526022a1bb4a06197ff3aff3c7328abbef165681bdbab3";

const std::vector<TensorToWrite> kTensors = {{"a", DType::f16, {2}, kHalves},
                                             {"bb", DType::f32, {}, &kOne}};

SafetensorsLimits anything() {
  SafetensorsLimits limits;
  limits.weights_only = limits.finite_only = false;
  return limits;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  ck_assert_msg(at != std::string::npos, "'%s' is not there", from.c_str());
  return text.replace(at, from.size(), to);
}

void assert_not_written(const std::vector<TensorToWrite>& tensors, Fault fault,
                        const char* mentions) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  const Error error = error_of([&] { write_safetensors(path, tensors, {}); });
  assert_presentable(error);
  assert_fault(error, fault);
  assert_mentions(error, path);
  assert_mentions(error, mentions);
  ck_assert(std::filesystem::is_empty(folder.path()));
}

}  // namespace

START_TEST(test_every_dtype_and_shape_reads_back) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  std::vector<std::uint8_t> values(8 * 6);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(7 * i);
  std::vector<TensorToWrite> tensors;
  for (const DType dtype :
       {DType::u8, DType::bf16, DType::f16, DType::i32, DType::f32, DType::i64, DType::f64}) {
    tensors.push_back({fmt::format("{} matrix", name_of(dtype)), dtype, {2, 3}, values.data()});
    tensors.push_back({fmt::format("{} scalar", name_of(dtype)), dtype, {}, values.data() + 1});
    tensors.push_back({fmt::format("{} none", name_of(dtype)), dtype, {4, 0}, nullptr});
  }
  tensors.push_back({"eight", DType::u8, {1, 1, 1, 2, 1, 1, 1, 1}, values.data()});
  const std::map<std::string, std::string> metadata = {
      {"", ""}, {"quote \" \\ \n", "caf\xc3\xa9 \x01"}, {"number", "0.1"}};
  write_safetensors(path, tensors, metadata, /*finite_only=*/false);

  SafetensorsFile file = read_safetensors(path, anything());
  ck_assert_uint_eq(file.metadata.erase("sha256"), 1);
  ck_assert(file.metadata == metadata);
  ck_assert_uint_eq(file.tensors.size(), tensors.size());
  for (const TensorToWrite& tensor : tensors) {
    const TensorEntry* found = file.find(tensor.name);
    ck_assert_ptr_nonnull(found);
    ck_assert(found->dtype == tensor.dtype && found->shape == tensor.shape);
    if (found->bytes > 0)
      ck_assert_mem_eq(file.data.data() + found->offset, tensor.data, found->bytes);
  }
}
END_TEST

START_TEST(test_tensors_are_aligned_to_their_types) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  const double values[3] = {};
  for (const char* note : {"", "1", "12", "123", "1234", "12345", "123456", "1234567"}) {
    write_safetensors(path,
                      {{"a", DType::u8, {3}, values},
                       {"b", DType::f16, {1}, values},
                       {"c", DType::f64, {2}, values},
                       {"d", DType::f32, {1}, values}},
                      {{"note", note}});
    const SafetensorsFile file = read_safetensors(path, anything());
    const std::size_t start = bytes_of_file(path).size() - file.data.size();
    ck_assert_uint_eq(start % 8, 0);
    for (const TensorEntry& tensor : file.tensors)
      ck_assert_uint_eq((start + tensor.offset) % size_of(tensor.dtype), 0);
  }
}
END_TEST

START_TEST(test_the_bytes_depend_on_content_alone) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  write_safetensors(path, kTensors, {{"k", "v"}, {"sha256", "stale"}});
  const std::string first = bytes_of_file(path);
  write_safetensors(path, {kTensors[1], kTensors[0]}, {{"k", "v"}});
  ck_assert(bytes_of_file(path) == first);
  const std::string json =
      fmt::format("{{\"__metadata__\":{{\"k\":\"v\",\"sha256\":\"{}\"}},{},{}}}", kSha256,
                  entry("bb", "F32", "", "0,4"), entry("a", "F16", "2", "4,8"));
  assert_equal(first.substr(8, json.size()), json);
}
END_TEST

START_TEST(test_metadata_that_is_no_utf8_is_written_readably) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  write_safetensors(path, kTensors, {{"data", "/images/\xe4"}});
  assert_equal(read_safetensors(path).metadata.at("data"), "/images/\xef\xbf\xbd");
}
END_TEST

START_TEST(test_what_could_not_be_read_is_not_written) {
  const float many[9] = {};
  assert_not_written({{"a", DType::f32, {1, 1, 1, 1, 1, 1, 1, 1, 1}, many}}, Fault::write,
                     "has 9 dimensions");
  assert_not_written({{"a", DType::f32, {1}, many}, {"a", DType::f16, {1}, many}}, Fault::write,
                     "two tensors are named 'a'");
  assert_not_written({{"__metadata__", DType::f32, {1}, many}}, Fault::write,
                     "'__metadata__' is no name");
  assert_not_written({{"\xff", DType::f32, {1}, many}}, Fault::write, "is no name");
  assert_not_written({{"a", DType::f32, {-1}, many}}, Fault::write, "impossible shape [-1]");
  assert_not_written({{"a", DType::f32, {std::int64_t{1} << 62, 4}, many}}, Fault::write,
                     "impossible shape");
  assert_not_written({{std::string(1 << 20, 'x'), DType::f32, {1}, many}}, Fault::write,
                     "header would have");
  std::vector<TensorToWrite> tensors;
  for (int i = 0; i < 1025; ++i) tensors.push_back({std::to_string(i), DType::f32, {1}, many});
  assert_not_written(tensors, Fault::write, "1025 tensors are too many");
  std::map<std::string, std::string> metadata;
  for (int i = 0; i < 1024; ++i) metadata[std::to_string(i)];
  assert_mentions(error_of([&] { write_safetensors("/none/file", kTensors, metadata); }),
                  "1025 entries of metadata are too many");
}
END_TEST

START_TEST(test_t12_values_that_are_not_finite_are_not_written) {
  const float values[] = {1, INFINITY, NAN, -INFINITY};
  assert_not_written({kTensors[0], {"bad", DType::f32, {4}, values}}, Fault::bad_result,
                     "tensor 'bad' has 1 NaN and 2 infinite values");
}
END_TEST

START_TEST(test_the_checksum_is_the_documented_one) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  write_safetensors(path, kTensors, {});
  const SafetensorsFile file = read_safetensors(path);
  assert_equal(file.metadata.at("sha256"), kSha256);
  assert_equal(tensors_sha256(file), kSha256);
}
END_TEST

START_TEST(test_m9_every_change_of_a_tensor_is_noticed) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  const float values[6] = {1, 2, 3, 4, 5, 6};
  write_safetensors(path, {{"abc", DType::f32, {2, 3}, values}, {"h", DType::f16, {2}, kHalves}},
                    {});
  const std::string whole = bytes_of_file(path);
  std::vector<std::string> changed = {
      replaced(whole, "[2,3]", "[3,2]"), replaced(whole, "\"abc\"", "\"abd\""),
      replaced(whole, "\"F16\",", "\"BF16\","), replaced(whole, "\"sha256\":\"", "\"sha256\":\"0")};
  changed[2] = replaced(changed[2], "} ", "}");  // the same length with one space less
  for (std::size_t i = whole.size() - 28; i < whole.size(); ++i) {
    changed.push_back(whole);
    changed.back()[i] ^= 1;
  }
  changed[3] = replaced(changed[3], "} ", "}");
  for (const std::string& bytes : changed) {
    ck_assert_uint_eq(bytes.size(), whole.size());
    write_bytes(path, bytes);
    const Error error = error_of([&] { read_safetensors(path); });
    assert_presentable(error);
    assert_fault(error, Fault::read);
    assert_mentions(error, path);
    assert_mentions(error, "SHA-256");
    assert_mentions(error, "unetseg-trainer inspect --rehash");
    SafetensorsLimits limits;
    limits.verify_sha256 = false;
    read_safetensors(path, limits);
  }
}
END_TEST

START_TEST(test_m9_a_file_without_checksum_is_accepted) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  write_safetensors(path, kTensors, {});
  write_bytes(path, replaced(bytes_of_file(path), "\"sha256\"", "\"SHA256\""));
  ck_assert_uint_eq(read_safetensors(path).tensors.size(), 2);
}
END_TEST

START_TEST(test_m9_a_checksum_in_capitals_is_accepted) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  write_safetensors(path, kTensors, {});
  std::string capitals = kSha256;
  std::transform(capitals.begin(), capitals.end(), capitals.begin(), ::toupper);
  write_bytes(path, replaced(bytes_of_file(path), kSha256, capitals));
  ck_assert_uint_eq(read_safetensors(path).tensors.size(), 2);
}
END_TEST

START_TEST(test_m9_rehash_cures_a_file_changed_on_purpose) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  write_safetensors(path, kTensors, {{"k", "v"}});
  std::string bytes = bytes_of_file(path);
  bytes[bytes.size() - 2] ^= 1;
  write_bytes(path, bytes);
  error_of([&] { read_safetensors(path); });
  rehash_safetensors(path);
  const SafetensorsFile file = read_safetensors(path);
  assert_equal(file.metadata.at("k"), "v");
  ck_assert_str_ne(file.metadata.at("sha256").c_str(), kSha256);
  ck_assert_mem_eq(file.data.data(), bytes.data() + bytes.size() - 8, 8);
}
END_TEST

START_TEST(test_m8_rehash_does_not_bless_values_that_are_not_finite) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file";
  const float bad = NAN;
  write_safetensors(path, {{"a", DType::f32, {1}, &bad}}, {}, /*finite_only=*/false);
  const std::string before = bytes_of_file(path);
  assert_fault(error_of([&] { rehash_safetensors(path); }), Fault::read);
  ck_assert(bytes_of_file(path) == before);
}
END_TEST

int main() {
  TCase* tests = tcase_create("writing");
  tcase_add_test(tests, test_every_dtype_and_shape_reads_back);
  tcase_add_test(tests, test_tensors_are_aligned_to_their_types);
  tcase_add_test(tests, test_the_bytes_depend_on_content_alone);
  tcase_add_test(tests, test_metadata_that_is_no_utf8_is_written_readably);
  tcase_add_test(tests, test_what_could_not_be_read_is_not_written);
  tcase_add_test(tests, test_t12_values_that_are_not_finite_are_not_written);
  tcase_add_test(tests, test_the_checksum_is_the_documented_one);
  tcase_add_test(tests, test_m9_every_change_of_a_tensor_is_noticed);
  tcase_add_test(tests, test_m9_a_file_without_checksum_is_accepted);
  tcase_add_test(tests, test_m9_a_checksum_in_capitals_is_accepted);
  tcase_add_test(tests, test_m9_rehash_cures_a_file_changed_on_purpose);
  tcase_add_test(tests, test_m8_rehash_does_not_bless_values_that_are_not_finite);
  Suite* suite = suite_create("safetensors writing");
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
