// SPDX-License-Identifier: MIT
// Splits written down: what a manifest gives back, and every way in which it can be wrong.
#include "trainer/data/manifest.h"

#include "trainer/data/file_bytes.h"

#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/pictures_on_disk.h"

using namespace unetseg::trainer;
namespace fs = std::filesystem;

namespace {

void write_text(const std::string& path, const std::string& text) {
  write_bytes(path, Bytes(text.begin(), text.end()));
}

std::string text_of(const std::string& path) {
  const Bytes bytes = read_bytes(path);
  return {bytes.begin(), bytes.end()};
}

// Three pairs in two splits, with names that a table has to quote, and their manifest.
struct WrittenSet {
  WrittenSet() {
    for (const char* id : {"b, the second", "a \"quoted\""})
      train.push_back(write_pair(data, id, disc_picture(32, 32, static_cast<int>(train.size())),
                                 disc_mask(32, 32)));
    validation.push_back(write_pair(data, "c", disc_picture(32, 32, 9), disc_mask(32, 32)));
    for (std::vector<Pair>* split : {&train, &validation})
      for (Pair& pair : *split)
        pair.sha256 = sha256_of_file(pair.image) + ':' + sha256_of_file(pair.mask);
  }
  void write() const {
    Manifest entries;
    for (const Pair& pair : train) entries.push_back({pair, "train"});
    for (const Pair& pair : validation) entries.push_back({pair, "validation"});
    write_manifest(manifest, entries);
  }

  TemporaryFolder root;
  std::string data = root.path() + "/set/data", manifest = root.path() + "/set/run/manifest.csv";
  std::vector<Pair> train, validation;
};

std::vector<std::string> faults_of_table(const std::string& text) {
  const TemporaryFolder folder;
  write_text(folder.path() + "/manifest.csv", text);
  return faults_of([&] { find_dataset(folder.path() + "/manifest.csv"); });
}

const std::string kHash = std::string(64, 'a') + ":" + std::string(64, 'b');

}  // namespace

START_TEST(test_manifest_gives_back_what_was_written_ordered_by_id) {
  WrittenSet set;
  fs::create_directories(fs::path(set.manifest).parent_path());
  set.train[0].group = "patient 7";
  set.write();
  const Dataset dataset = find_dataset(set.manifest);
  ck_assert_str_eq(dataset.layout.c_str(), "manifest");
  ck_assert_uint_eq(dataset.train.size(), 2);
  ck_assert_uint_eq(dataset.validation.size(), 1);
  ck_assert_uint_eq(dataset.test.size(), 0);
  for (std::size_t i = 0; i < 2; ++i) {
    const Pair &found = dataset.train[i], &written = set.train[1 - i];
    ck_assert_str_eq(found.id.c_str(), written.id.c_str());
    ck_assert(fs::equivalent(found.image, written.image));
    ck_assert(fs::equivalent(found.mask, written.mask));
    ck_assert_str_eq(found.sha256.c_str(), written.sha256.c_str());
    ck_assert_str_eq(found.group.c_str(), written.group.c_str());
  }
}
END_TEST

START_TEST(test_manifest_moves_with_its_data) {
  const WrittenSet set;
  fs::create_directories(fs::path(set.manifest).parent_path());
  set.write();
  const std::string text = text_of(set.manifest);
  ck_assert(text.rfind("id,image,mask,split,sha256\n", 0) == 0);
  ck_assert(text.find("c,../data/images/c.jpg,../data/masks/c.png,validation,") !=
            std::string::npos);
  fs::rename(set.root.path() + "/set", set.root.path() + "/moved");
  const Dataset dataset = find_dataset(set.root.path() + "/moved/run/manifest.csv");
  ck_assert(fs::exists(dataset.validation[0].image));
  ck_assert_uint_eq(decode(dataset.validation, {}, nullptr).size(), 1);
}
END_TEST

// A run folder that is a link has another parent than its name says.
START_TEST(test_manifest_behind_a_link_finds_its_files) {
  const WrittenSet set;
  fs::create_directories(fs::path(set.manifest).parent_path());
  fs::create_directories(set.root.path() + "/elsewhere/deep");
  const fs::path link = set.root.path() + "/elsewhere/deep/run";
  fs::create_directory_symlink(fs::path(set.manifest).parent_path(), link);
  Manifest entries = {{set.validation[0], "validation"}};
  write_manifest(link / "manifest.csv", entries);
  ck_assert(fs::exists(find_dataset(link / "manifest.csv").validation[0].image));
}
END_TEST

START_TEST(test_t10_changed_file_is_named_with_and_without_a_cache) {
  const WrittenSet set;
  DecodeOptions options;
  options.width = options.height = 32;
  if (_i == 1) options.cache_folder = set.root.path() + "/cache";
  ck_assert_uint_eq(decode(set.train, options, nullptr).size(), 2);
  write_picture(set.train[1].mask, disc_mask(32, 32, 0, 254));
  const auto faults = faults_of([&] { decode(set.train, options, nullptr); });
  ck_assert_uint_eq(faults.size(), 1);
  const std::string expected =
      set.train[1].mask + ": the file is not the one that the manifest was written for";
  ck_assert_str_eq(faults[0].c_str(), expected.c_str());
  ck_assert(faults_of([&] { require_unchanged(set.train); }) == faults);
  ck_assert(faults_of([&] { require_unchanged(set.validation); }).empty());
  fs::remove(set.train[0].image);
  ck_assert(any_line_with(faults_of([&] { require_unchanged(set.train); }),
                          {set.train[0].image, "no such file"}));
}
END_TEST

START_TEST(test_every_bad_row_is_listed_with_its_line) {
  const auto faults = faults_of_table(
      "id,image,mask,split,sha256\n"
      "a,a.jpg,a.png,train,\n"
      "\n"
      "b,b.jpg,,train,\n"
      "c,c.jpg,c.png,training,\n"
      "d,d.jpg,d.png,train,1234\n"
      "e,e.jpg,e.png,test," +
      kHash + "\nA,x.jpg,x.png,validation,\n");
  ck_assert_uint_eq(faults.size(), 4);
  ck_assert(any_line_with(faults, {"manifest.csv:4: has no mask"}));
  ck_assert(any_line_with(faults, {"manifest.csv:5: split \"training\" is none of"}));
  ck_assert(any_line_with(faults, {"manifest.csv:6: sha256"}));
  ck_assert(any_line_with(faults, {"manifest.csv:2", "manifest.csv:8: A twice"}));
}
END_TEST

START_TEST(test_tables_that_are_no_manifest_are_refused) {
  const auto columns = faults_of_table("id,image,split\na,b,train\n");
  ck_assert_uint_eq(columns.size(), 1);
  ck_assert(any_line_with(columns, {"has no column \"mask\""}));
  ck_assert_uint_eq(faults_of_table("<html>404</html>").size(), 4);
  ck_assert(any_line_with(faults_of_table("id,image,mask,split\na,b,c\n"),
                          {"manifest.csv:2: has 3 cells in place of 4"}));
  ck_assert(any_line_with(faults_of_table("id,image,mask,split\na,\"b,c,train\n"),
                          {"manifest.csv:2: a quote in this row is not closed"}));
  ck_assert(any_line_with(faults_of_table("id,image,mask,split\n"), {"lists no images"}));
}
END_TEST

START_TEST(test_tables_of_spreadsheets_are_read) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/manifest.csv";
  write_text(path,
             "\xef\xbb\xbfsplit,note,\"id\",image,mask\r\n"
             "train,\"two\nlines\",1,\"a,1.jpg\",\"a\"\"1\"\".png\"\r\n\r\n"
             "test,,2,/b.jpg,b.png");
  const Dataset dataset = find_dataset(path);
  ck_assert_str_eq(dataset.layout.c_str(), "manifest without sha256");
  ck_assert_str_eq(fs::path(dataset.train.at(0).image).filename().c_str(), "a,1.jpg");
  ck_assert_str_eq(fs::path(dataset.train.at(0).mask).filename().c_str(), "a\"1\".png");
  ck_assert_str_eq(dataset.test.at(0).image.c_str(), "/b.jpg");
}
END_TEST

int main() {
  Suite* suite = suite_create("manifest");
  TCase* tests = tcase_create("manifest");
  tcase_add_test(tests, test_manifest_gives_back_what_was_written_ordered_by_id);
  tcase_add_test(tests, test_manifest_moves_with_its_data);
  tcase_add_test(tests, test_manifest_behind_a_link_finds_its_files);
  tcase_add_loop_test(tests, test_t10_changed_file_is_named_with_and_without_a_cache, 0, 2);
  tcase_add_test(tests, test_every_bad_row_is_listed_with_its_line);
  tcase_add_test(tests, test_tables_that_are_no_manifest_are_refused);
  tcase_add_test(tests, test_tables_of_spreadsheets_are_read);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
