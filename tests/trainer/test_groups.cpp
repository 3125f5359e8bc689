// SPDX-License-Identifier: MIT
// Validation splits that keep a patient's pictures on one side.
#include "trainer/data/groups.h"

#include <algorithm>
#include <set>

#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/pictures_on_disk.h"

using namespace unetseg::trainer;

namespace {

// `groups` patients with one, two, three, one, two, ... pictures each.
Dataset patients(int groups) {
  Dataset dataset;
  for (int group = 0; group < groups; ++group)
    for (int i = 0; i <= group % 3; ++i) {
      Pair pair{std::to_string(100 * group + i), std::to_string(100 * group + i) + ".jpg", "mask"};
      pair.group = "patient " + std::to_string(group);
      dataset.train.push_back(pair);
    }
  return dataset;
}

std::set<std::string> groups_of(const std::vector<Pair>& pairs) {
  std::set<std::string> groups;
  for (const Pair& pair : pairs) groups.insert(pair.group);
  return groups;
}

std::vector<std::string> faults_of_groups(const std::string& text, Dataset* dataset) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/groups.csv";
  write_bytes(path, Bytes(text.begin(), text.end()));
  return faults_of([&] { read_groups(path, dataset); });
}

}  // namespace

START_TEST(test_groups_stay_whole_and_the_share_is_met) {
  Dataset dataset = patients(90);  // 180 pictures
  split_off_validation(&dataset, 0.1);
  ck_assert_uint_eq(dataset.train.size() + dataset.validation.size(), 180);
  ck_assert_uint_ge(dataset.validation.size(), 17);
  ck_assert_uint_le(dataset.validation.size(), 19);
  const std::set<std::string> trained = groups_of(dataset.train);
  for (const std::string& group : groups_of(dataset.validation))
    ck_assert_uint_eq(trained.count(group), 0);
  ck_assert(groups_in_two_splits(dataset).empty());
}
END_TEST

START_TEST(test_split_does_not_change_with_the_order_of_files) {
  Dataset dataset = patients(30), backwards = dataset;
  std::reverse(backwards.train.begin(), backwards.train.end());
  split_off_validation(&dataset, 0.2);
  split_off_validation(&backwards, 0.2);
  ck_assert(groups_of(dataset.validation) == groups_of(backwards.validation));
  ck_assert_uint_gt(groups_of(dataset.validation).size(), 1);
}
END_TEST

START_TEST(test_few_groups_leave_some_on_each_side) {
  for (const int groups : {2, 3, 4})
    for (const double fraction : {0.01, 0.1, 0.5}) {
      Dataset dataset = patients(groups);
      split_off_validation(&dataset, fraction);
      ck_assert_uint_gt(dataset.train.size(), 0);
      ck_assert_uint_gt(dataset.validation.size(), 0);
    }
  Dataset one = patients(1);
  ck_assert(any_line_with(faults_of([&] { split_off_validation(&one, 0.1); }),
                          {"all images are of one group, patient 0"}));
}
END_TEST

START_TEST(test_without_groups_every_kth_picture_is_taken) {
  Dataset dataset = patients(15);  // 30 pictures
  for (Pair& pair : dataset.train) pair.group.clear();
  const std::string tenth = dataset.train[9].id;
  split_off_validation(&dataset, 0.1);
  ck_assert_uint_eq(dataset.validation.size(), 3);
  ck_assert_str_eq(dataset.validation[0].id.c_str(), tenth.c_str());
}
END_TEST

START_TEST(test_groups_come_from_a_table) {
  Dataset dataset;
  dataset.train = {{"A1", "a.jpg", "a.png"}, {"b", "b.jpg", "b.png"}};
  dataset.validation = {{"c", "c.jpg", "c.png"}};
  ck_assert(
      faults_of_groups("group,id,age\nx,a1,5\ny,b,6\n\"x\",c,7\nz,unused,8\n", &dataset).empty());
  ck_assert_str_eq(dataset.train[0].group.c_str(), "x");
  ck_assert_str_eq(dataset.train[1].group.c_str(), "y");
  const auto shared = groups_in_two_splits(dataset);
  ck_assert_uint_eq(shared.size(), 1);
  ck_assert(any_line_with(shared, {"group x", "A1 (train)", "c (validation)"}));
}
END_TEST

START_TEST(test_ids_without_a_group_or_with_two_are_all_listed) {
  Dataset dataset;
  dataset.train = {{"a", "a.jpg", ""}, {"b", "b.jpg", ""}, {"c", "c.jpg", ""}, {"d", "d.jpg", ""}};
  const auto faults = faults_of_groups("id,group\na,1\na,2\nb,1\nb,1\nc,\n", &dataset);
  ck_assert_uint_eq(faults.size(), 3);
  ck_assert(any_line_with(faults, {"groups.csv:2 and ", "groups.csv:3: two groups for a"}));
  ck_assert(any_line_with(faults, {"c.jpg: has no group"}));
  ck_assert(any_line_with(faults, {"d.jpg: has no group"}));
  // Two that a manifest left empty: half a grouping is none.
  const auto some = faults_of([&] { split_off_validation(&dataset, 0.5); });
  ck_assert_uint_eq(some.size(), 2);
  ck_assert(any_line_with(some, {"d.jpg: has no group"}));
}
END_TEST

int main() {
  Suite* suite = suite_create("groups");
  TCase* tests = tcase_create("groups");
  tcase_add_test(tests, test_groups_stay_whole_and_the_share_is_met);
  tcase_add_test(tests, test_split_does_not_change_with_the_order_of_files);
  tcase_add_test(tests, test_few_groups_leave_some_on_each_side);
  tcase_add_test(tests, test_without_groups_every_kth_picture_is_taken);
  tcase_add_test(tests, test_groups_come_from_a_table);
  tcase_add_test(tests, test_ids_without_a_group_or_with_two_are_all_listed);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
