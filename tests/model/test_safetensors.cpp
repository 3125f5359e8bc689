// SPDX-License-Identifier: MIT
// Reading safetensors: good files, and every fault of a file's bytes.
#include <fmt/format.h>

#include <cstring>
#include <filesystem>

#include "model/storage/safetensors.h"

#include "tests/check.h"
#include "tests/assertions.h"
#include "tests/model/allocation_watch.h"
#include "tests/model/bad_safetensors.h"
#include "tests/model/safetensors_bytes.h"
#include "tests/temporary_folder.h"

using namespace unetseg;

namespace {

Error read_error(const std::string& bytes, const SafetensorsLimits& limits = {}) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file.safetensors";
  write_bytes(path, bytes);
  const Error error = error_of([&] { read_safetensors(path, limits); });
  assert_presentable(error);
  assert_mentions(error, path + ": ");
  return error;
}

void assert_refused(const BadFile& row) {
  allocation_watch::largest = 0;
  const Error error = read_error(row.bytes);
  ck_assert_msg(allocation_watch::largest <= 2 * row.bytes.size() + (64 << 10),
                "%s: allocated %zu bytes for a file of %zu", row.name, allocation_watch::largest,
                row.bytes.size());
  assert_fault(error, Fault::read);
  assert_mentions(error, row.mentions);
  assert_mentions(error, "fetch or convert it again");
}

SafetensorsFile read_bytes(const std::string& bytes, const SafetensorsLimits& limits = {}) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file.safetensors";
  write_bytes(path, bytes);
  return read_safetensors(path, limits);
}

}  // namespace

START_TEST(test_m4_wrong_sizes_are_refused) {
  assert_refused(size_faults()[_i]);
}
END_TEST

START_TEST(test_m4_every_truncation_is_refused) {
  const std::string whole = safetensors_bytes(many_tensors(3), repeated(kFloat, 3));
  for (std::size_t size = 0; size < whole.size(); ++size)
    assert_fault(read_error(whole.substr(0, size)), Fault::read);
}
END_TEST

START_TEST(test_m5_malformed_headers_are_refused) {
  assert_refused(header_faults()[_i]);
}
END_TEST

START_TEST(test_m6_tensors_that_do_not_tile_the_file_are_refused) {
  assert_refused(layout_faults()[_i]);
}
END_TEST

START_TEST(test_m7_dtypes_that_weights_may_not_have_are_refused) {
  for (const char* dtype : {"F64", "I64", "I32", "U8", "BOOL", "I8", "U16", "F8_E4M3"}) {
    const Error error = read_error(with_entry(entry("a", dtype, "1", "0,4")));
    assert_fault(error, Fault::settings);
    assert_mentions(error,
                    fmt::format("tensor 'a' has the dtype {}, which weights may not have", dtype));
    assert_mentions(error, "tensor.float()");
  }
}
END_TEST

START_TEST(test_dtypes_unknown_to_this_program_are_refused_in_any_file) {
  SafetensorsLimits limits;
  limits.weights_only = false;
  const Error error = read_error(with_entry(entry("a", "BOOL", "1", "0,1")), limits);
  assert_fault(error, Fault::settings);
  assert_mentions(error, "this program does not read");
}
END_TEST

START_TEST(test_m8_nan_and_infinity_are_counted) {
  struct {
    const char* dtype;
    int size;
    std::uint64_t nan, infinity, largest;
  } const types[] = {{"F32", 4, 0x7fc00000, 0xff800000, 0x7f7fffff},
                     {"F16", 2, 0xfc01, 0x7c00, 0xfbff},
                     {"BF16", 2, 0x7f81, 0xff80, 0x7f7f},
                     {"F64", 8, 0x7ff0000000000001, 0xfff0000000000000, 0x7fefffffffffffff}};
  SafetensorsLimits limits;
  limits.weights_only = false;
  for (const auto& type : types) {
    const auto value = [&](std::uint64_t bits) { return length_bytes(bits).substr(0, type.size); };
    const std::string json = "{" + scalar("good", 5 * type.size) + "," +
                             entry("bad", type.dtype, "5", fmt::format("0,{}", 5 * type.size)) +
                             "}";
    const auto bytes = [&](std::uint64_t nan, std::uint64_t infinity) {
      return safetensors_bytes(json, value(nan) + value(type.largest) + value(nan) +
                                         value(infinity) + value(0) + kFloat);
    };
    const Error error = read_error(bytes(type.nan, type.infinity), limits);
    assert_fault(error, Fault::read);
    assert_mentions(error, "tensor 'bad' has 2 NaN and 1 infinite values of 5");
    read_bytes(bytes(type.largest, 1), limits);
    limits.finite_only = false;
    ck_assert_uint_eq(read_bytes(bytes(type.nan, type.infinity), limits).tensors.size(), 2);
    limits.finite_only = true;
  }
}
END_TEST

START_TEST(test_m11_other_formats_are_told_with_the_way_to_convert_them) {
  struct {
    std::string start;
    const char* mentions;
  } const files[] = {
      {std::string("PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0", 14) + "archive/data.pkl", "zip archive"},
      {std::string("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.", 14), "pickle"},
      {std::string("\x80\x04\x95\x10\0\0\0\0\0\0\0}", 12), "pickle"},
      {std::string("\x80\x02}q\0.", 6), "pickle"},
      {std::string("\x08\x07\x12\x07pytorch\x1a\x05", 13) + "2.0.1", "ONNX"},
      {std::string("\x08\x08:\xe4\x10\n\x0bMatMul", 13), "ONNX"},
  };
  for (const auto& file : files) {
    const Error error = read_error(file.start);
    assert_fault(error, Fault::settings);
    assert_mentions(error, file.mentions);
    assert_mentions(error, "import torch, safetensors.torch");
    assert_mentions(error, "safetensors.torch.save_file(torch.load(");
  }
}
END_TEST

START_TEST(test_m11_what_a_failed_download_leaves_is_told) {
  const std::pair<std::string, const char*> files[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:12", "git lfs pull"},
      {"<!DOCTYPE html><html><head>", "web page"},
      {"<html><head>", "web page"}};
  for (const auto& [start, mentions] : files) {
    const Error error = read_error(start);
    assert_fault(error, Fault::settings);
    assert_mentions(error, mentions);
  }
  assert_mentions(read_error("# What this project does"), "is no safetensors file");
}
END_TEST

START_TEST(test_a_header_whose_length_looks_like_another_format_is_read) {
  // 0x0280 bytes: the length begins as a pickle does.
  const std::string json = kGood + std::string(0x280 - kGood.size(), ' ');
  ck_assert_uint_eq(read_bytes(safetensors_bytes(json, kFloat)).tensors.size(), 1);
}
END_TEST

START_TEST(test_a_good_file_is_read_whole) {
  const std::string json = "{\"__metadata__\":{\"k\":\"v\\u00e4\",\"\":\"\"}," +
                           entry("second", "F16", "2,1", "4,8") + "," +
                           entry("first", "F32", "", "0,4") + "}  ";
  const SafetensorsFile file = read_bytes(safetensors_bytes(json, kFloat + "\x01\x02\x03\x04"));
  ck_assert_uint_eq(file.metadata.size(), 2);
  assert_equal(file.metadata.at("k"), "v\xc3\xa4");
  ck_assert_uint_eq(file.tensors.size(), 2);
  assert_equal(file.tensors[0].name, "first");
  ck_assert(file.tensors[0].shape.empty());
  const TensorEntry* second = file.find("second");
  ck_assert_ptr_eq(second, &file.tensors[1]);
  assert_equal(name_of(second->dtype), "F16");
  ck_assert((second->shape == std::vector<std::int64_t>{2, 1}));
  ck_assert_uint_eq(second->offset, 4);
  ck_assert_uint_eq(second->bytes, 4);
  ck_assert_mem_eq(file.data.data() + second->offset, "\x01\x02\x03\x04", 4);
  ck_assert_ptr_null(file.find("third"));
}
END_TEST

START_TEST(test_limits_are_reached_before_they_are_exceeded) {
  ck_assert_uint_eq(
      read_bytes(safetensors_bytes(many_tensors(1024), repeated(kFloat, 1024))).tensors.size(),
      1024);
  ck_assert_uint_eq(read_bytes(safetensors_bytes(many_notes(1024), "")).metadata.size(), 1024);
  read_bytes(with_entry(entry("a", "F32", "1,1,1,1,1,1,1,1", "0,4")));
  read_bytes(safetensors_bytes(kGood + std::string((1 << 20) - kGood.size(), ' '), kFloat));
}
END_TEST

START_TEST(test_tensors_without_elements_are_read_where_limits_allow_them) {
  SafetensorsLimits limits;
  limits.weights_only = false;
  const SafetensorsFile file =
      read_bytes(with_entry(scalar("a", 0) + "," + entry("none", "U8", "0", "0,0") + "," +
                            entry("last", "I64", "3,0", "4,4")),
                 limits);
  ck_assert_uint_eq(file.tensors.size(), 3);
  ck_assert_uint_eq(file.find("none")->bytes, 0);
  ck_assert_uint_eq(file.find("last")->offset, 4);
}
END_TEST

START_TEST(test_names_in_messages_are_short_and_harmless) {
  const std::string name = "\\u0007\\n'" + std::string(100000, 'x');
  const Error error = read_error(with_entry(entry(name, "F31", "1", "0,4")));
  assert_mentions(error, "tensor '??\\'xxx");
  ck_assert_uint_lt(std::strlen(error.what()), 500);
}
END_TEST

START_TEST(test_no_memory_is_an_error_and_no_crash) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file.safetensors";
  write_bytes(path, safetensors_bytes("{" + entry("a", "F32", "12345", "0,49380") + "}",
                                      repeated(kFloat, 12345)));
  allocation_watch::trigger_bytes = 49380;
  allocation_watch::on_trigger = [] { throw std::bad_alloc(); };
  const Error error = error_of([&] { read_safetensors(path); });
  assert_fault(error, Fault::no_space);
  assert_mentions(error, path);
}
END_TEST

namespace {

// Reads a file of 12345 floats and does `change` once its header is read and memory for its tensors
// is about to be allocated.
template <typename Change>
SafetensorsFile read_while(const std::string& path, Change change) {
  write_bytes(path, safetensors_bytes("{" + entry("a", "F32", "12345", "0,49380") + "}",
                                      repeated(kFloat, 12345)));
  allocation_watch::trigger_bytes = 49380;
  allocation_watch::on_trigger = change;
  SafetensorsFile file = read_safetensors(path);
  ck_assert_msg(!allocation_watch::on_trigger, "the change never happened");
  return file;
}

}  // namespace

START_TEST(test_m10_a_file_cut_off_while_it_is_read_is_refused) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file.safetensors";
  const Error error =
      error_of([&] { read_while(path, [&] { std::filesystem::resize_file(path, 1000); }); });
  assert_fault(error, Fault::read);
  assert_mentions(error, "became shorter while it was read: it ends at byte 1000");
}
END_TEST

START_TEST(test_m10_a_file_that_grows_while_it_is_read_is_refused) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file.safetensors";
  const Error error =
      error_of([&] { read_while(path, [&] { std::ofstream(path, std::ios::app) << "more"; }); });
  assert_fault(error, Fault::read);
  assert_mentions(error, "was written to while it was read");
}
END_TEST

START_TEST(test_m10_a_file_rewritten_while_it_is_read_is_refused) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file.safetensors";
  const Error error = error_of([&] {
    read_while(path, [&] {
      // The same size; the clock of the file system may be too coarse to show the difference.
      std::fstream(path, std::ios::in | std::ios::out) << length_bytes(1);
      const auto time = std::filesystem::last_write_time(path);
      std::filesystem::last_write_time(path, time + std::chrono::milliseconds(1));
    });
  });
  assert_fault(error, Fault::read);
  assert_mentions(error, "was written to while it was read");
}
END_TEST

START_TEST(test_m10_a_file_renamed_over_while_it_is_read_is_read_whole) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/file.safetensors", other = folder.path() + "/other";
  const SafetensorsFile file = read_while(path, [&] {
    write_bytes(other, "something else");
    std::filesystem::rename(other, path);
  });
  ck_assert_mem_eq(file.data.data() + 49376, kFloat.data(), 4);
}
END_TEST

int main() {
  TCase* reading = tcase_create("reading");
  tcase_add_test(reading, test_a_good_file_is_read_whole);
  tcase_add_test(reading, test_limits_are_reached_before_they_are_exceeded);
  tcase_add_test(reading, test_tensors_without_elements_are_read_where_limits_allow_them);
  tcase_add_test(reading, test_m11_what_a_failed_download_leaves_is_told);
  tcase_add_test(reading, test_a_header_whose_length_looks_like_another_format_is_read);
  tcase_add_test(reading, test_names_in_messages_are_short_and_harmless);
  tcase_add_test(reading, test_no_memory_is_an_error_and_no_crash);

  TCase* faults = tcase_create("faults");
  tcase_add_loop_test(faults, test_m4_wrong_sizes_are_refused, 0,
                      static_cast<int>(size_faults().size()));
  tcase_add_test(faults, test_m4_every_truncation_is_refused);
  tcase_add_loop_test(faults, test_m5_malformed_headers_are_refused, 0,
                      static_cast<int>(header_faults().size()));
  tcase_add_loop_test(faults, test_m6_tensors_that_do_not_tile_the_file_are_refused, 0,
                      static_cast<int>(layout_faults().size()));
  tcase_add_test(faults, test_m7_dtypes_that_weights_may_not_have_are_refused);
  tcase_add_test(faults, test_dtypes_unknown_to_this_program_are_refused_in_any_file);
  tcase_add_test(faults, test_m8_nan_and_infinity_are_counted);
  tcase_add_test(faults, test_m10_a_file_cut_off_while_it_is_read_is_refused);
  tcase_add_test(faults, test_m10_a_file_that_grows_while_it_is_read_is_refused);
  tcase_add_test(faults, test_m10_a_file_rewritten_while_it_is_read_is_refused);
  tcase_add_test(faults, test_m10_a_file_renamed_over_while_it_is_read_is_read_whole);
  tcase_add_test(faults, test_m11_other_formats_are_told_with_the_way_to_convert_them);

  Suite* suite = suite_create("safetensors");
  suite_add_tcase(suite, reading);
  suite_add_tcase(suite, faults);
  return run_suite(suite);
}
