// SPDX-License-Identifier: MIT
// Data sets found by names alone: each layout, and each way in which names can be wrong.
#include "trainer/data/dataset.h"

#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/pictures_on_disk.h"

using namespace unetseg::trainer;

namespace {

// Files are not opened when a data set is looked for, so one byte is enough.
void touch(const TemporaryFolder& folder, const std::string& name) {
  write_bytes(folder.path() + "/" + name, {'x'});
}

std::vector<std::string> find_faults(const TemporaryFolder& folder) {
  return faults_of([&] { find_dataset(folder.path()); });
}

void touch_isic2017(const TemporaryFolder& folder) {
  for (const char* id : {"ISIC_0000002", "ISIC_0000001"}) {
    touch(folder, std::string("ISIC-2017_Training_Data/") + id + ".jpg");
    touch(folder, std::string("ISIC-2017_Training_Data/") + id + "_superpixels.png");
    touch(folder, std::string("ISIC-2017_Training_Part1_GroundTruth/") + id + "_segmentation.png");
  }
  touch(folder, "ISIC-2017_Training_Data/ISIC-2017_Training_Data_metadata.csv");
  touch(folder, "ISIC-2017_Validation_Data/ISIC_0000003.jpg");
  touch(folder, "ISIC-2017_Validation_Part1_GroundTruth/ISIC_0000003_segmentation.png");
  touch(folder, "ISIC-2017_Test_v2_Data/ISIC_0000004.jpg");
  touch(folder, "ISIC-2017_Test_v2_Part1_GroundTruth/ISIC_0000004_segmentation.png");
}

}  // namespace

START_TEST(test_isic_2017_is_recognised_and_ordered_by_id) {
  const TemporaryFolder folder;
  touch_isic2017(folder);
  const Dataset dataset = find_dataset(folder.path());
  ck_assert_str_eq(dataset.layout.c_str(), "ISIC 2017");
  ck_assert_uint_eq(dataset.train.size(), 2);
  ck_assert_str_eq(dataset.train[0].id.c_str(), "ISIC_0000001");
  ck_assert_str_eq(dataset.train[1].id.c_str(), "ISIC_0000002");
  ck_assert(any_line_with({dataset.train[0].mask},
                          {"ISIC-2017_Training_Part1_GroundTruth/ISIC_0000001_segmentation.png"}));
  ck_assert_uint_eq(dataset.split("validation").size(), 1);
  ck_assert_uint_eq(dataset.split("test").size(), 1);
}
END_TEST

START_TEST(test_isic_2016_and_2018_are_recognised) {
  const TemporaryFolder of_2016, of_2018;
  touch(of_2016, "ISBI2016_ISIC_Part1_Training_Data/ISIC_0000000.jpg");
  touch(of_2016, "ISBI2016_ISIC_Part1_Training_GroundTruth/ISIC_0000000_Segmentation.png");
  touch(of_2018, "ISIC2018_Task1-2_Training_Input/ISIC_0000000.jpg");
  touch(of_2018, "ISIC2018_Task1_Training_GroundTruth/ISIC_0000000_segmentation.png");
  touch(of_2018, "ISIC2018_Task1-2_Test_Input/ISIC_0000009.jpg");
  touch(of_2018, "ISIC2018_Task1-2_Validation_Input/ISIC_0000005.jpg");
  touch(of_2018, "ISIC2018_Task1_Validation_GroundTruth/ISIC_0000005_segmentation.png");
  ck_assert_str_eq(find_dataset(of_2016.path()).layout.c_str(), "ISIC 2016");
  const Dataset dataset = find_dataset(of_2018.path());
  ck_assert_str_eq(dataset.layout.c_str(), "ISIC 2018 (without test: no masks)");
  ck_assert_uint_eq(dataset.train.size(), 1);
  ck_assert_uint_eq(dataset.validation.size(), 1);
  ck_assert_uint_eq(dataset.test.size(), 0);
}
END_TEST

START_TEST(test_archive_inside_a_folder_of_its_name_is_found) {
  const TemporaryFolder folder;
  touch(folder, "ISIC-2017_Training_Data/ISIC-2017_Training_Data/ISIC_0000001.jpg");
  touch(folder, "ISIC-2017_Training_Part1_GroundTruth/ISIC_0000001_segmentation.png");
  ck_assert_uint_eq(find_dataset(folder.path()).train.size(), 1);
}
END_TEST

START_TEST(test_images_and_masks_are_recognised_with_and_without_splits) {
  const TemporaryFolder plain, split;
  touch(plain, "images/b.PNG");
  touch(plain, "images/a.jpeg");
  touch(plain, "images/.hidden.jpg");
  touch(plain, "masks/a_mask.png");
  touch(plain, "masks/B_Segmentation.bmp");
  touch(split, "train/images/1.jpg");
  touch(split, "train/masks/1.png");
  touch(split, "Val/images/2.jpg");
  touch(split, "Val/masks/2.png");
  touch(split, "test/images/3.jpg");
  touch(split, "test/masks/3.png");
  ck_assert_uint_eq(find_dataset(plain.path()).train.size(), 2);
  const Dataset dataset = find_dataset(split.path());
  ck_assert_uint_eq(dataset.train.size(), 1);
  ck_assert_uint_eq(dataset.validation.size(), 1);
  ck_assert_uint_eq(dataset.test.size(), 1);
}
END_TEST

START_TEST(test_ph2_is_recognised) {
  const TemporaryFolder folder;
  const std::string image = "PH2 Dataset images/IMD003/";
  touch(folder, image + "IMD003_Dermoscopic_Image/IMD003.bmp");
  touch(folder, image + "IMD003_lesion/IMD003_lesion.bmp");
  touch(folder, image + "IMD003_roi/IMD003_R1_Label4.bmp");
  const Dataset dataset = find_dataset(folder.path());
  ck_assert_str_eq(dataset.layout.c_str(), "PH2");
  ck_assert_uint_eq(dataset.train.size(), 1);
  ck_assert(std::filesystem::exists(dataset.train[0].image));
  ck_assert(std::filesystem::exists(dataset.train[0].mask));
}
END_TEST

START_TEST(test_t8_every_missing_partner_is_listed) {
  const TemporaryFolder folder;
  for (const char* name : {"images/both.jpg", "masks/both.png", "images/lonely1.jpg",
                           "images/lonely2.jpg", "masks/stray_mask.png"})
    touch(folder, name);
  const auto faults = find_faults(folder);
  ck_assert_uint_eq(faults.size(), 3);
  ck_assert(any_line_with(faults, {"images/lonely1.jpg", "no mask"}));
  ck_assert(any_line_with(faults, {"images/lonely2.jpg", "no mask"}));
  ck_assert(any_line_with(faults, {"masks/stray_mask.png", "no image"}));
}
END_TEST

START_TEST(test_t8_two_files_for_one_id_are_listed_with_both_paths) {
  const TemporaryFolder folder;
  for (const char* name : {"images/a.jpg", "images/a.png", "images/B.jpg", "images/b.jpg",
                           "masks/a.png", "masks/b.png"})
    touch(folder, name);
  const auto faults = find_faults(folder);
  ck_assert_uint_eq(faults.size(), 2);
  ck_assert(any_line_with(faults, {"images/a.jpg", "images/a.png"}));
  ck_assert(any_line_with(faults, {"images/B.jpg", "images/b.jpg"}));
}
END_TEST

START_TEST(test_t8_one_id_in_two_splits_is_listed_with_both_paths) {
  const TemporaryFolder folder;
  touch_isic2017(folder);
  touch(folder, "ISIC-2017_Validation_Data/ISIC_0000001.png");
  touch(folder, "ISIC-2017_Validation_Part1_GroundTruth/ISIC_0000001_segmentation.png");
  const auto faults = find_faults(folder);
  ck_assert_uint_eq(faults.size(), 1);
  ck_assert(any_line_with(faults, {"ISIC-2017_Training_Data/ISIC_0000001.jpg",
                                   "ISIC-2017_Validation_Data/ISIC_0000001.png"}));
}
END_TEST

START_TEST(test_folder_without_pictures_is_a_fault) {
  const TemporaryFolder folder;
  touch(folder, "images/notes.txt");
  touch(folder, "masks/a.png");
  ck_assert(any_line_with(find_faults(folder), {"images", "holds no .jpg"}));
}
END_TEST

START_TEST(test_training_images_without_their_mask_folder_are_a_fault) {
  const TemporaryFolder folder;
  touch(folder, "ISIC-2017_Training_Data/ISIC_0000001.jpg");
  ck_assert(any_line_with(find_faults(folder), {"ISIC-2017_Training_Part1_GroundTruth"}));
}
END_TEST

START_TEST(test_two_layouts_in_one_folder_are_a_fault) {
  const TemporaryFolder folder;
  touch_isic2017(folder);
  touch(folder, "images/a.jpg");
  touch(folder, "masks/a.png");
  ck_assert(any_line_with(find_faults(folder), {"ISIC 2017", "images/ and masks/"}));
}
END_TEST

START_TEST(test_unknown_layout_says_what_is_known) {
  const TemporaryFolder folder;
  touch(folder, "photos/a.jpg");
  const auto faults = find_faults(folder);
  ck_assert_uint_eq(faults.size(), 1);
  ck_assert(any_line_with(faults, {folder.path(), "images/", "masks/", "ISIC"}));
}
END_TEST

START_TEST(test_missing_root_is_not_found) {
  const TemporaryFolder folder;
  const std::string missing = folder.path() + "/nowhere";
  try {
    find_dataset(missing);
    ck_abort_msg("no exception");
  } catch (const unetseg::Error& error) {
    ck_assert_int_eq(static_cast<int>(error.fault()), static_cast<int>(unetseg::Fault::not_found));
    ck_assert(any_line_with({error.what()}, {missing}));
  }
}
END_TEST

START_TEST(test_unknown_split_is_refused) {
  try {
    Dataset().split("training");
    ck_abort_msg("no exception");
  } catch (const unetseg::Error& error) {
    ck_assert_int_eq(static_cast<int>(error.fault()), static_cast<int>(unetseg::Fault::settings));
    ck_assert(any_line_with({error.what()}, {"training", "train, validation or test"}));
  }
}
END_TEST

int main() {
  Suite* suite = suite_create("dataset");
  TCase* names = tcase_create("names");
  tcase_add_test(names, test_isic_2017_is_recognised_and_ordered_by_id);
  tcase_add_test(names, test_isic_2016_and_2018_are_recognised);
  tcase_add_test(names, test_archive_inside_a_folder_of_its_name_is_found);
  tcase_add_test(names, test_images_and_masks_are_recognised_with_and_without_splits);
  tcase_add_test(names, test_ph2_is_recognised);
  tcase_add_test(names, test_t8_every_missing_partner_is_listed);
  tcase_add_test(names, test_t8_two_files_for_one_id_are_listed_with_both_paths);
  tcase_add_test(names, test_t8_one_id_in_two_splits_is_listed_with_both_paths);
  tcase_add_test(names, test_folder_without_pictures_is_a_fault);
  tcase_add_test(names, test_training_images_without_their_mask_folder_are_a_fault);
  tcase_add_test(names, test_two_layouts_in_one_folder_are_a_fault);
  tcase_add_test(names, test_unknown_layout_says_what_is_known);
  tcase_add_test(names, test_missing_root_is_not_found);
  tcase_add_test(names, test_unknown_split_is_refused);
  suite_add_tcase(suite, names);
  return run_suite(suite);
}
