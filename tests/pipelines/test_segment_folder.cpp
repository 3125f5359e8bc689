// SPDX-License-Identifier: MIT
// segment-folder from the outside: pictures in, measurements.csv out. Exits with 77 where GStreamer
// lacks what reads and writes PNG and JPEG files, and reads BMP.
#include <sys/stat.h>

#include <filesystem>
#include <sstream>

#include "tests/assertions.h"
#include "tests/pipelines/needs.h"
#include "tests/pipelines/program.h"
#include "tests/temporary_folder.h"

namespace {

using Row = std::vector<std::string>;

// A grey picture of 80 x 80 with a white rectangle.
std::vector<guint8> picture(int x, int y, int width, int height) {
  std::vector<guint8> pixels(80 * 80, 20);
  for (int j = y; j < y + height; ++j)
    for (int i = x; i < x + width; ++i) pixels[static_cast<std::size_t>(j * 80 + i)] = 255;
  return pixels;
}

// The same in a file, PNG or JPEG by the name's ending.
void write_picture(const std::string& file, int x, int y, int width, int height) {
  const std::vector<guint8> pixels = picture(x, y, width, height);
  const std::string raw = file + ".raw";
  std::ofstream(raw, std::ios::binary)
      .write(reinterpret_cast<const char*>(pixels.data()), static_cast<long>(pixels.size()));
  const std::string launch =
      "filesrc name=from blocksize=6400 ! video/x-raw,format=GRAY8,width=80,height=80,framerate=1/1"
      " ! " +
      std::string(std::filesystem::path(file).extension() == ".jpg" ? "jpegenc" : "pngenc") +
      " snapshot=true ! filesink name=to";
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(launch.c_str(), &error);
  ck_assert_msg(error == nullptr, "%s", error ? error->message : "");
  for (const auto& end : {std::make_pair("from", raw), std::make_pair("to", file)}) {
    GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline), end.first);
    g_object_set(element, "location", end.second.c_str(), nullptr);
    gst_object_unref(element);
  }
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  ck_assert_int_eq(GST_MESSAGE_TYPE(message), GST_MESSAGE_EOS);
  gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  std::filesystem::remove(raw);
}

std::vector<std::string> segment(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {UNETSEG_SEGMENT_FOLDER, "--model", "fake:size=80x80"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return with_errors(command);
}

// Runs it: what it says, among other things, and its exit code.
void assert_ends(const std::vector<std::string>& command, int exit_code,
                 const std::vector<std::string>& words) {
  Program program(command);
  const std::string& output = program.output();
  for (const std::string& expected : words)
    ck_assert_msg(output.find(expected) != std::string::npos, "'%s' is not in: %s",
                  expected.c_str(), output.c_str());
  ck_assert_int_eq(program.exit_code(), exit_code);
}

void write_bmp(const std::string& file, int x, int y, int width, int height) {
  const std::vector<guint8> pixels = picture(x, y, width, height);
  std::string bmp(54, '\0');
  bmp.replace(0, 2, "BM");
  bmp[10] = 54;            // where the pixels are
  bmp[14] = 40;            // bytes of the header
  bmp[18] = bmp[22] = 80;  // width, height
  bmp[26] = 1;             // planes
  bmp[28] = 24;            // bits of a pixel
  for (int row = 79; row >= 0; --row)
    for (int i = 0; i < 80; ++i)
      bmp.append(3, static_cast<char>(pixels[static_cast<std::size_t>(row * 80 + i)]));
  std::ofstream(file, std::ios::binary) << bmp;
}

// Without quotes: no cell of this test has a comma.
std::vector<Row> read_table(const std::string& file) {
  std::vector<Row> rows;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    rows.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
  }
  return rows;
}

std::string cell(const std::vector<Row>& table, std::size_t row, const std::string& column) {
  const auto at = std::find(table[0].begin(), table[0].end(), column);
  ck_assert_msg(at != table[0].end(), "no column %s", column.c_str());
  ck_assert_uint_eq(table[row].size(), table[0].size());
  return table[row][static_cast<std::size_t>(at - table[0].begin())];
}

}  // namespace

START_TEST(test_each_picture_has_a_row_of_measurements) {
  for (const bool overlays : {true, false}) {
    const TemporaryFolder in, out;
    write_picture(in.path() + "/b.png", 20, 30, 40, 20);
    write_picture(in.path() + "/a.png", 0, 0, 0, 0);
    std::vector<std::string> arguments = {in.path(), out.path(), "--pixel-size", "0.1"};
    if (!overlays) arguments.push_back("--no-overlays");
    assert_ends(segment(arguments), 0, {"2 of 2 pictures segmented"});
    const std::vector<Row> table = read_table(out.path() + "/measurements.csv");
    ck_assert_uint_eq(table.size(), 3);
    assert_equal(cell(table, 1, "picture"), "a.png");
    assert_equal(cell(table, 1, "found"), "false");
    assert_equal(cell(table, 1, "area"), "0");
    assert_equal(cell(table, 2, "picture"), "b.png");
    assert_equal(cell(table, 2, "found"), "true");
    assert_equal(cell(table, 2, "area"), "800");
    assert_equal(cell(table, 2, "area-fraction"), "0.125");
    assert_equal(cell(table, 2, "area-mm2"), "8");
    assert_equal(cell(table, 2, "x"), "20");
    assert_equal(cell(table, 2, "height"), "20");
    assert_equal(cell(table, 2, "centroid-x"), "40");
    assert_equal(cell(table, 2, "device"), "cpu");
  }
}
END_TEST

START_TEST(test_millimetres_have_columns_where_they_are_known) {
  const TemporaryFolder in, out;
  write_picture(in.path() + "/a.png", 20, 30, 40, 20);
  assert_ends(segment({in.path(), out.path()}), 0, {"1 of 1 pictures segmented"});
  const Row columns = read_table(out.path() + "/measurements.csv")[0];
  for (const std::string& column : columns)
    ck_assert_msg(column.find("-mm") == std::string::npos, "%s", column.c_str());
}
END_TEST

START_TEST(test_results_stay_until_there_are_others) {
  const TemporaryFolder in, out, bad;
  write_picture(in.path() + "/a.png", 20, 30, 40, 20);
  assert_ends(segment({in.path(), out.path()}), 0, {"1 of 1 pictures segmented"});
  const std::vector<Row> table = read_table(out.path() + "/measurements.csv");
  assert_ends(segment({in.path(), out.path(), "--model", "fake:open=read"}), 4, {"error: "});
  ck_assert(read_table(out.path() + "/measurements.csv") == table);
  std::ofstream(bad.path() + "/b.png") << "no picture";
  assert_ends(segment({bad.path(), out.path()}), 3, {"0 of 1 pictures segmented"});
  ck_assert(read_table(out.path() + "/measurements.csv") == table);
}
END_TEST

START_TEST(test_what_was_measured_before_an_interrupt_stays) {
  const TemporaryFolder in, out;
  for (int i = 10; i < 60; ++i)
    write_picture(in.path() + "/" + std::to_string(i) + ".png", 20, 30, 40, 20);
  Program program(segment({in.path(), out.path(), "--model", "fake:size=80x80,delay-ms=100"}));
  program.wait_for("3 of 50");
  program.interrupt();
  ck_assert_int_ne(program.exit_code(), 0);
  const std::vector<Row> table = read_table(out.path() + "/measurements.csv");
  ck_assert_uint_ge(table.size(), 4);
  assert_equal(cell(table, 3, "picture"), "12.png");
  assert_equal(cell(table, 3, "area"), "800");
}
END_TEST

START_TEST(test_a_folder_that_will_not_do_is_told_from_others) {
  const TemporaryFolder in, out;
  const std::string missing = in.path() + "/missing", film = in.path() + "/film.avi";
  assert_ends(segment({missing, out.path()}), 3, {"error: " + missing + ": no such folder\n"});
  std::ofstream(film) << "a film";
  assert_ends(segment({film, out.path()}), 3,
              {"error: " + film + " is a file: give a folder of pictures\n"});
  assert_ends(segment({in.path(), out.path()}), 3,
              {"error: " + in.path() + " holds no .png, .jpg or .bmp files\n"});
  write_picture(in.path() + "/a.png", 20, 30, 40, 20);
  write_picture(in.path() + "/a.jpg", 20, 30, 40, 20);
  assert_ends(segment({in.path(), out.path()}), 3,
              {in.path() + "/a.jpg and " + in.path() +
               "/a.png would both become a.png: rename one of them\n"});
}
END_TEST

START_TEST(test_results_take_no_pictures_places) {
  const TemporaryFolder out;
  for (const char* name : {"masks", "overlays"}) {
    const std::string in = out.path() + "/" + name;
    std::filesystem::create_directory(in);
    write_picture(in + "/a.png", 20, 30, 40, 20);
    const auto before = std::filesystem::last_write_time(in + "/a.png");
    assert_ends(segment({in, out.path()}), 2,
                {"error: " + in + " holds the pictures: give another OUTPUT"});
    ck_assert(std::filesystem::last_write_time(in + "/a.png") == before);
    if (std::string(name) == "overlays")
      assert_ends(segment({in, out.path(), "--no-overlays"}), 0, {"1 of 1 pictures segmented"});
    std::filesystem::remove_all(in);
  }
}
END_TEST

START_TEST(test_files_of_other_kinds_are_counted) {
  const TemporaryFolder in, out;
  write_picture(in.path() + "/a.png", 20, 30, 40, 20);
  std::filesystem::create_directory(in.path() + "/folder");
  std::ofstream(in.path() + "/a.txt") << "a note";
  assert_ends(segment({in.path(), out.path()}), 0, {"1 of 1", "\n1 other file skipped\n"});
  std::ofstream(in.path() + "/b.tif") << "another";
  assert_ends(segment({in.path(), out.path()}), 0, {"1 of 1", "\n2 other files skipped\n"});
  ck_assert_int_eq(mkfifo((in.path() + "/pipe.png").c_str(), 0600), 0);
  assert_ends(segment({in.path(), out.path()}), 0, {"1 of 1", "\n3 other files skipped\n"});
}
END_TEST

START_TEST(test_bmp_is_measured_like_png) {
  const TemporaryFolder in, out;
  write_picture(in.path() + "/a.png", 20, 30, 40, 15);
  write_bmp(in.path() + "/b.BMP", 20, 30, 40, 15);
  assert_ends(segment({in.path(), out.path()}), 0, {"2 of 2 pictures segmented"});
  const std::vector<Row> table = read_table(out.path() + "/measurements.csv");
  assert_equal(cell(table, 2, "picture"), "b.BMP");
  for (const char* column : {"x", "y", "width", "height", "area", "confidence"})
    assert_equal(cell(table, 2, column), cell(table, 1, column));
}
END_TEST

// GStreamer would have grey in place of what is missing.
START_TEST(test_a_file_that_ends_early_is_unreadable_and_the_others_are_done) {
  const TemporaryFolder in, out;
  for (const std::string ending : {".png", ".jpg", ".bmp"}) {
    const std::string cut = in.path() + "/cut" + ending, empty = in.path() + "/empty" + ending;
    const auto write = ending == ".bmp" ? write_bmp : write_picture;
    write(in.path() + "/whole" + ending, 20, 30, 40, 20);
    std::filesystem::copy(in.path() + "/whole" + ending, cut);
    std::filesystem::resize_file(cut, std::filesystem::file_size(cut) - 10);
    std::ofstream(empty).flush();
    assert_ends(segment({in.path(), out.path()}), 3,
                {cut + " cannot be read: ", empty + " cannot be read: ",
                 "1 of 3 pictures segmented", "2 pictures could not be read"});
    std::filesystem::remove_all(in.path());
    std::filesystem::create_directory(in.path());
  }
}
END_TEST

START_TEST(test_a_link_to_nowhere_is_unreadable) {
  const TemporaryFolder in, out;
  const std::string link = in.path() + "/link.png";
  std::filesystem::create_symlink("nowhere", link);
  assert_ends(segment({in.path(), out.path()}), 3, {link + " cannot be read: "});
}
END_TEST

START_TEST(test_options_out_of_range_are_refused) {
  const TemporaryFolder in, out;
  write_picture(in.path() + "/a.png", 20, 30, 40, 20);
  const auto run = [&](const char* option, const char* value) {
    return segment({in.path(), out.path(), option, value});
  };
  for (const char* value : {"5", "-0.5", "nan", "inf"})
    assert_ends(run("-t", value), 2, {"error: --threshold must be from 0 to 1, not "});
  for (const char* value : {"1001", "-3", "nan"})
    assert_ends(run("-p", value), 2, {"error: --pixel-size must be from 0 to 1000 mm, not "});
  for (const char* value : {"-1", "0", "1"}) assert_ends(run("-t", value), 0, {"1 of 1"});
  for (const char* value : {"0", "1000"}) assert_ends(run("-p", value), 0, {"1 of 1"});
}
END_TEST

START_TEST(test_without_the_element_it_says_what_to_do) {
  const TemporaryFolder in, out, plugins;
  write_picture(in.path() + "/a.png", 20, 30, 40, 20);
  leave_elements({"appsrc", "videoconvert", "pngenc", "queue"}, plugins.path());
  assert_ends(segment({in.path(), out.path()}), 4,
              {": install it, or run this in the shell that `meson devenv -C build"});
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  if (!has_elements({"pngenc", "pngdec", "jpegenc", "jpegdec", "gdkpixbufdec", "decodebin",
                     "videoconvert", "appsrc", "filesrc"}))
    return 77;
  Suite* suite = suite_create("segment folder");
  TCase* tests = tcase_create("segment folder");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_each_picture_has_a_row_of_measurements);
  tcase_add_test(tests, test_millimetres_have_columns_where_they_are_known);
  tcase_add_test(tests, test_results_stay_until_there_are_others);
  tcase_add_test(tests, test_what_was_measured_before_an_interrupt_stays);
  tcase_add_test(tests, test_a_folder_that_will_not_do_is_told_from_others);
  tcase_add_test(tests, test_results_take_no_pictures_places);
  tcase_add_test(tests, test_files_of_other_kinds_are_counted);
  tcase_add_test(tests, test_bmp_is_measured_like_png);
  tcase_add_test(tests, test_a_file_that_ends_early_is_unreadable_and_the_others_are_done);
  tcase_add_test(tests, test_a_link_to_nowhere_is_unreadable);
  tcase_add_test(tests, test_options_out_of_range_are_refused);
  tcase_add_test(tests, test_without_the_element_it_says_what_to_do);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
