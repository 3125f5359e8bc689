// SPDX-License-Identifier: MIT
// What the clean-up properties do to masks: the model's own, switched on or off, while playing.
#include "tests/plugin/grey_frame.h"

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);
using Rows = std::vector<std::string>;

// A ring, and a single pixel beside it.
const Rows kFrame = {"........", ".####...", ".#..#...", ".#..#...",
                     ".####...", "........", "......#.", "........"};
const Rows kWithoutPixel = {"........", ".####...", ".#..#...", ".#..#...",
                            ".####...", "........", "........", "........"};
const Rows kFilled = {"........", ".####...", ".####...", ".####...",
                      ".####...", "........", "......#.", "........"};
const Rows kBoth = {"........", ".####...", ".####...", ".####...",
                    ".####...", "........", "........", "........"};
const Rows kSkin(8, "........");

}  // namespace

START_TEST(test_auto_is_the_models_and_on_and_off_override_it) {
  struct {
    const char *model, *property, *value;
    const Rows& mask;
  } const cases[] = {
      {"fake:", "largest-only", "auto", kFrame},
      {"fake:", "largest-only", "on", kWithoutPixel},
      {"fake:", "largest-only", "off", kFrame},
      {"fake:largest-only=1", "largest-only", "auto", kWithoutPixel},
      {"fake:largest-only=1", "largest-only", "on", kWithoutPixel},
      {"fake:largest-only=1", "largest-only", "off", kFrame},
      {"fake:", "fill-holes", "auto", kFrame},
      {"fake:", "fill-holes", "on", kFilled},
      {"fake:", "fill-holes", "off", kFrame},
      {"fake:fill-holes=1", "fill-holes", "auto", kFilled},
      {"fake:fill-holes=1", "fill-holes", "on", kFilled},
      {"fake:fill-holes=1", "fill-holes", "off", kFrame},
      {"fake:", "min-area", "-1", kFrame},
      {"fake:", "min-area", "0.1", kWithoutPixel},
      {"fake:", "min-area", "0", kFrame},
      {"fake:min-area=0.1", "min-area", "-1", kWithoutPixel},
      {"fake:min-area=0.1", "min-area", "0.5", kSkin},
      {"fake:min-area=0.1", "min-area", "0", kFrame},
      {"fake:", "min-confidence", "-1", kFrame},
      {"fake:", "min-confidence", "0.7", kFrame},
      {"fake:", "min-confidence", "0.9", kSkin},
      {"fake:min-confidence=0.9", "min-confidence", "-1", kSkin},
      {"fake:min-confidence=0.9", "min-confidence", "0.7", kFrame},
      {"fake:min-confidence=0.9", "min-confidence", "0", kFrame},
      // One says nothing about another.
      {"fake:largest-only=1", "fill-holes", "on", kBoth},
      {"fake:largest-only=1,fill-holes=1", "largest-only", "off", kFilled},
  };
  for (const auto& c : cases) {
    Bench bench({{"output", "mask"}, {"model-file", c.model}, {c.property, c.value}});
    ck_assert(bench.send_caps(kCaps));
    assert_mask(bench, kFrame, c.mask);
  }
}
END_TEST

// Each frame is inferred anew, or each shows the first one's mask.
START_TEST(test_a_change_while_playing_shows_on_the_next_frame) {
  for (const bool held : {false, true}) {
    Bench bench({{"output", "mask"}, {"inference-interval", held ? "1000" : "1"}});
    ck_assert(bench.send_caps(kCaps));
    assert_mask(bench, kFrame, kFrame);
    struct {
      const char *property, *value;
      const Rows& mask;
    } const steps[] = {
        {"largest-only", "on", kWithoutPixel},
        {"fill-holes", "on", kBoth},
        {"largest-only", "off", kFilled},
        {"min-area", "0.1", kBoth},
        {"min-area", "0.5", kSkin},
        {"min-area", "-1", kFilled},
        {"min-confidence", "0.9", kSkin},
        {"min-confidence", "0.5", kFilled},
        {"fill-holes", "auto", kFrame},
    };
    for (const auto& step : steps) {
      set_properties(bench.element(), {{step.property, step.value}});
      assert_mask(bench, held ? kSkin : kFrame, step.mask);
    }
    ck_assert_uint_eq(bench.stat("inferred"), held ? 1 : 10);
  }
}
END_TEST

// 4 of the input's 64 pixels, which are 4 of 32 where the frame covers half of them, and 4 of the
// frame's 128 where half of the frame is cropped off.
START_TEST(test_min_area_is_a_fraction_of_the_frame_whatever_the_fit) {
  const Rows frame(8, "................");
  struct {
    const char* fit;
    int width, height;  // of the lesion, in the middle of the frame
    const char *kept, *dropped;
  } const cases[] = {{"stretch", 4, 2, "0.06", "0.065"},
                     {"letterbox", 4, 4, "0.12", "0.13"},
                     {"crop", 2, 2, "0.03", "0.032"}};
  for (const auto& c : cases) {
    Bench bench({{"output", "mask"}, {"fit", c.fit}});
    ck_assert(bench.send_caps(caps_of("GRAY8", 16, 8)));
    Rows lesion = frame;
    for (int y = 4 - c.height / 2; y < 4 + c.height / 2; ++y)
      for (int x = 8 - c.width / 2; x < 8 + c.width / 2; ++x)
        lesion[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)] = '#';
    for (const bool kept : {true, false}) {
      set_properties(bench.element(), {{"min-area", kept ? c.kept : c.dropped}});
      ck_assert_int_eq(bench.push(grey_frame(lesion)), GST_FLOW_OK);
      ck_assert_msg(is_uniform(bench.pull().get(), 0) != kept, "%s, %d", c.fit, kept);
    }
  }
}
END_TEST

// What is beside a letterboxed frame closes no bay, and joins no regions.
START_TEST(test_holes_and_regions_end_at_the_frames_edge) {
  const Rows bay = {"....##....##....", "....##....##....", "....##....##....", "....##....##....",
                    "....########....", "....########....", "................", "................"};
  for (const char* fit : {"stretch", "letterbox", "crop"}) {
    Bench bench({{"output", "mask"}, {"fit", fit}});
    ck_assert(bench.send_caps(caps_of("GRAY8", 16, 8)));
    ck_assert_int_eq(bench.push(grey_frame(bay)), GST_FLOW_OK);
    const BufferPtr before = bench.pull();
    set_properties(bench.element(), {{"fill-holes", "on"}});
    assert_mask(bench, bay, drawn(before.get(), 16));
    ck_assert_int_eq(bytes_of(before.get())[2 * 16 + 8], 0);
    ck_assert_int_eq(bytes_of(before.get())[2 * 16 + 5], 255);
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("clean-up");
  TCase* tests = tcase_create("clean-up");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_auto_is_the_models_and_on_and_off_override_it);
  tcase_add_test(tests, test_a_change_while_playing_shows_on_the_next_frame);
  tcase_add_test(tests, test_min_area_is_a_fraction_of_the_frame_whatever_the_fit);
  tcase_add_test(tests, test_holes_and_regions_end_at_the_frames_edge);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
