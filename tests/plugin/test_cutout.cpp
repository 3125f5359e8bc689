// SPDX-License-Identifier: MIT
// output=cutout: the frame's colours with the probabilities as alpha. The fake network is as large
// as the frame and copies its red channel, so that alpha is a frame's red.
#include "tests/assertions.h"
#include "tests/plugin/pictures.h"

namespace {

const FormatCase& kRgba = kPackedFormats[6];
const FormatCase& kBgra = kPackedFormats[7];

// How far from the exact value GstVideoConverter may be: its short cuts for 8-bit YUV are not
// exact.
double tolerance(const FormatCase& format) {
  return !format.is_yuv() ? 0 : format.bits == 8 ? 4.5 : 1.5;
}

Properties cutout(const std::string& script = "size=8x8", const Properties& more = {}) {
  Properties all = {{"output", "cutout"}, {"model-file", "fake:" + script}};
  all.all.insert(all.all.end(), more.all.begin(), more.all.end());
  return all;
}

Properties cutout_of_size(int width, int height) {
  return cutout("size=" + std::to_string(width) + "x" + std::to_string(height));
}

// R, G or B of a pixel, 0..255, not rounded.
double colour_of(TestFrame& frame, const Colorimetry& c, int channel, int x, int y) {
  if (!frame.is_yuv()) return frame.sample(frame.components() == 1 ? 0 : channel, x, y);
  const int scale = frame.format().code_scale();
  const double wider = scale == 4 && c.luma == 255 ? 255.75 / 255 : 1;
  const double luma = (static_cast<double>(frame.sample(0, x, y)) / scale - c.black) * 255 / c.luma;
  const double red = luma + 2 * (1 - c.kr) * 255 / c.chroma * (kV - 128);
  const double blue = luma + 2 * (1 - c.kb) * 255 / c.chroma * (kU - 128);
  const double green = (luma - c.kr * red - c.kb * blue) / (1 - c.kr - c.kb);
  const double value = channel == 0 ? red : channel == 1 ? green : blue;
  return std::min(std::max(value / wider, 0.0), 255.0);
}

std::string format_of(GstPad* pad) {
  const CapsPtr caps(gst_pad_get_current_caps(pad));
  return caps ? gst_structure_get_string(gst_caps_get_structure(caps.get(), 0), "format") : "";
}

void take_only(Bench& bench, const std::string& caps) {
  gst_harness_set_sink_caps_str(bench.harness(), caps.c_str());
}

// The pixels of a cutout that came out.
TestFrame pixels_of(GstBuffer* buffer, const FormatCase& format, int width, int height,
                    Layout layout = Layout::tight) {
  TestFrame frame(format, width, height);
  PlacedFrame(info_of(caps_of(format.name, width, height)), layout).read(bytes_of(buffer), &frame);
  return frame;
}

int alpha_of(TestFrame& frame, int x, int y) {
  return frame.byte(0, 4 * x + frame.format().untouched, y);
}

void check_cutout(TestFrame& in, const Case& c, TestFrame& out) {
  for (int y = 0; y < c.height; ++y)
    for (int x = 0; x < c.width; ++x) {
      const double red = red_of(in, c.colour, x, y);
      ck_assert_msg(std::abs(alpha_of(out, x, y) - red) < .51, "%s: alpha %d instead of %f",
                    c.caps().c_str(), alpha_of(out, x, y), red);
      for (int channel = 0; channel < 3; ++channel) {
        const double expected = colour_of(in, c.colour, channel, x, y);
        const int got = out.sample(channel, x, y);
        ck_assert_msg(std::abs(got - expected) <= tolerance(in.format()),
                      "%s to %s: %d instead of %f in channel %d at (%d, %d)", c.caps().c_str(),
                      out.format().name, got, expected, channel, x, y);
      }
    }
}

// One session for all: their caps follow each other in one stream.
void check_all(int width, int height, const FormatCase& wanted, const std::vector<Case>& cases) {
  Bench bench(cutout_of_size(width, height));
  take_only(bench, std::string("video/x-raw,format=") + wanted.name);
  std::uint32_t seed = 1;
  for (const Case& c : cases)
    for (const Layout layout : kLayouts) {
      ck_assert_msg(bench.send_caps(c.caps()), "%s", c.caps().c_str());
      assert_equal(format_of(bench.harness()->sinkpad), wanted.name);
      TestFrame frame = picture(c, seed++);
      ck_assert_int_eq(bench.push(PlacedFrame(info_of(c.caps()), layout).buffer(frame)),
                       GST_FLOW_OK);
      const BufferPtr out = bench.pull();
      // A frame that has alpha already is drawn on where it lies.
      const bool same = c.format.format == wanted.format;
      TestFrame cut = pixels_of(out.get(), wanted, width, height, same ? layout : Layout::tight);
      check_cutout(frame, c, cut);
      if (same)
        ck_assert_msg(bytes_of(out.get()) == PlacedFrame(info_of(c.caps()), layout).bytes(cut),
                      "%s, layout %d: canaries", c.caps().c_str(), static_cast<int>(layout));
    }
}

struct Target {
  int width, height, format;
};
const Target kTargets[] = {{8, 8, 0}, {8, 8, 1}, {8, 8, 2}, {8, 8, 3}, {9, 7, 0},
                           {1, 1, 1}, {1, 6, 2}, {7, 1, 3}, {2, 5, 0}};

// A frame whose colours are noise, and whose alpha is 99.
TestFrame rgba_frame(const FormatCase& format = kRgba) {
  TestFrame frame(format, 8, 8);
  frame.set_noise(7);
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) frame.byte(0, 4 * x + format.untouched, y) = 99;
  return frame;
}

BufferPtr rgba_buffer() {
  return PlacedFrame(info_of(caps_of("RGBA", 8, 8)), Layout::tight).buffer(rgba_frame());
}

// The frame's colours, none of which can be seen.
void assert_transparent(GstBuffer* buffer) {
  ck_assert(is_gap(buffer));
  TestFrame expected = rgba_frame();
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) expected.byte(0, 4 * x + 3, y) = 0;
  ck_assert(pixels_of(buffer, kRgba, 8, 8).memory() == expected.memory());
}

}  // namespace

START_TEST(test_c1_c3_c7_every_format_size_and_layout_keeps_its_colours) {
  const Target& to = kTargets[_i];
  std::vector<Case> cases;
  for (const FormatCase& format : all_formats())
    cases.push_back({format, to.width, to.height, kColorimetries[0]});
  check_all(to.width, to.height, alpha_formats()[static_cast<std::size_t>(to.format)], cases);
}
END_TEST

START_TEST(test_matrix_and_range_of_the_caps_are_used) {
  std::vector<Case> cases;
  for (const Colorimetry& colour : kColorimetries)
    for (const FormatCase& format : kYuvFormats) cases.push_back({format, 8, 8, colour});
  check_all(8, 8, kRgba, cases);
}
END_TEST

START_TEST(test_the_format_is_the_frames_own_where_it_has_alpha) {
  const struct {
    const char *in, *peer, *out;
  } cases[] = {
      {"RGBA", "", "RGBA"},
      {"BGRA", "", "BGRA"},
      {"ARGB", "", "ARGB"},
      {"ABGR", "", "ABGR"},
      {"NV12", "", "RGBA"},
      {"GRAY8", "", "RGBA"},
      {"BGRx", "", "RGBA"},
      {"NV12", "video/x-raw,format={ABGR,ARGB}", "ARGB"},
      {"ABGR", "video/x-raw,format={RGB,BGRA,ABGR}", "ABGR"},
      {"RGBA", "video/x-raw,format=BGRA", "BGRA"},
  };
  for (const auto& c : cases) {
    Bench bench(cutout());
    if (*c.peer != '\0') take_only(bench, c.peer);
    ck_assert(bench.send_caps(caps_of(c.in, 8, 8)));
    assert_equal(format_of(bench.harness()->sinkpad), c.out);
  }
}
END_TEST

START_TEST(test_a_peer_without_alpha_gets_no_cutouts) {
  Bench bench(cutout());
  take_only(bench, "video/x-raw,format={RGB,RGBx,NV12}");
  bench.send_caps(caps_of("NV12", 8, 8));
  ck_assert_int_eq(bench.push(bytes_buffer(96, 200)), GST_FLOW_NOT_NEGOTIATED);
  ck_assert(bench.pull() == nullptr);
}
END_TEST

START_TEST(test_caps_keep_all_but_what_is_said_of_yuv) {
  const struct {
    const char *in, *out;
  } cases[] = {
      {"format=NV12,width=9,height=7,framerate=5/2,pixel-aspect-ratio=4/3,colorimetry=bt709,"
       "chroma-site=mpeg2,interlace-mode=interleaved,multiview-mode=side-by-side",
       "format=RGBA,width=9,height=7,framerate=5/2,pixel-aspect-ratio=4/3,"
       "interlace-mode=interleaved,multiview-mode=side-by-side"},
      {"format=GRAY8,width=9,height=7,framerate=0/1,colorimetry=1:4:0:0",
       "format=RGBA,width=9,height=7,framerate=0/1"},
      {"format=BGR,width=9,height=7,framerate=5/2,colorimetry=1:1:5:1",
       "format=RGBA,width=9,height=7,framerate=5/2,colorimetry=1:1:5:1"},
      {"format=BGRA,width=9,height=7,framerate=5/2,colorimetry=1:1:5:1",
       "format=BGRA,width=9,height=7,framerate=5/2,colorimetry=1:1:5:1"}};
  for (const auto& c : cases) {
    Bench bench(cutout());
    ck_assert(bench.send_caps(std::string("video/x-raw,") + c.in));
    const CapsPtr got(gst_pad_get_current_caps(bench.harness()->sinkpad));
    const CapsPtr expected(gst_caps_from_string((std::string("video/x-raw,") + c.out).c_str()));
    gchar* text = gst_caps_to_string(got.get());
    ck_assert_msg(gst_caps_is_equal(got.get(), expected.get()), "%s", text);
    g_free(text);
    // What is not said is sRGB.
    GstVideoInfo info;
    ck_assert(gst_video_info_from_caps(&info, got.get()));
    ck_assert_int_eq(GST_VIDEO_INFO_COLORIMETRY(&info).matrix, GST_VIDEO_COLOR_MATRIX_RGB);
    ck_assert_int_eq(GST_VIDEO_INFO_COLORIMETRY(&info).range, GST_VIDEO_COLOR_RANGE_0_255);
  }
}
END_TEST

// Odd rows have the second row of chroma where the frame is interlaced.
START_TEST(test_c8_chroma_of_interlaced_frames_is_that_of_their_fields) {
  const struct {
    const char* mode;
    bool flagged, by_field;
  } cases[] = {{"progressive", false, false},
               {"interleaved", false, true},
               {"mixed", false, false},
               {"mixed", true, true}};
  for (const auto& c : cases) {
    Bench bench(cutout());
    const std::string caps =
        caps_of("I420", 8, 8, std::string("framerate=30/1,interlace-mode=") + c.mode);
    ck_assert(bench.send_caps(caps));
    TestFrame frame(kI420, 8, 8);
    frame.set_all(0, 128);
    frame.set_all(1, 128);
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 4; ++x) frame.sample(2, x, y) = y % 2 == 0 ? 200 : 60;
    BufferPtr buffer = PlacedFrame(info_of(caps), Layout::tight).buffer(frame);
    if (c.flagged) GST_BUFFER_FLAG_SET(buffer.get(), GST_VIDEO_BUFFER_FLAG_INTERLACED);
    ck_assert_int_eq(bench.push(std::move(buffer)), GST_FLOW_OK);
    TestFrame cut = pixels_of(bench.pull().get(), kRgba, 8, 8);
    const bool second_is_red = cut.sample(0, 4, 1) > 128;
    ck_assert_msg(cut.sample(0, 4, 0) > 128, "%s", c.mode);
    ck_assert_msg(second_is_red != c.by_field, "%s", c.mode);
  }
}
END_TEST

START_TEST(test_c6_a_frame_with_alpha_is_cut_out_in_place_unless_it_is_shared) {
  for (const bool shared : {false, true}) {
    Bench bench(cutout());
    ck_assert(bench.send_caps(caps_of("RGBA", 8, 8)));
    BufferPtr frame = rgba_buffer();
    GstMemory* in = gst_buffer_peek_memory(frame.get(), 0);
    const std::vector<guint8> before = bytes_of(frame.get());
    const BufferPtr other(shared ? gst_buffer_ref(frame.get()) : nullptr);
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    ck_assert_int_eq(gst_buffer_peek_memory(out.get(), 0) == in, !shared);
    if (shared) ck_assert(bytes_of(other.get()) == before);
    TestFrame expected = rgba_frame();
    for (int y = 0; y < 8; ++y)
      for (int x = 0; x < 8; ++x)
        expected.byte(0, 4 * x + 3, y) = static_cast<std::uint8_t>(expected.sample(0, x, y));
    ck_assert(pixels_of(out.get(), kRgba, 8, 8).memory() == expected.memory());
  }
}
END_TEST

START_TEST(test_c3_a_peer_that_reads_no_video_meta_gets_frames_as_their_caps_say) {
  Bench bench(cutout(), Upstream::not_live, PeerMeta::none);
  const std::string caps = caps_of("RGBA", 8, 8);
  ck_assert(bench.send_caps(caps));
  for (const Layout layout : kLayouts) {
    ck_assert_int_eq(bench.push(PlacedFrame(info_of(caps), layout).buffer(rgba_frame())),
                     GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    ck_assert(gst_buffer_get_video_meta(out.get()) == nullptr);
    ck_assert_uint_eq(gst_buffer_get_size(out.get()), 256);
    TestFrame cut = pixels_of(out.get(), kRgba, 8, 8), before = rgba_frame();
    for (int c = 0; c < 3; ++c) ck_assert_int_eq(cut.sample(c, 3, 5), before.sample(c, 3, 5));
    ck_assert_int_eq(alpha_of(cut, 3, 5), before.sample(0, 3, 5));
  }
}
END_TEST

START_TEST(test_frames_without_a_mask_are_transparent_gaps) {
  Bench faulty(cutout("nan-at=1", {{"on-error", "pass"}}));
  ck_assert(faulty.send_caps(caps_of("RGBA", 8, 8)));
  ck_assert_int_eq(faulty.push(rgba_buffer()), GST_FLOW_OK);
  assert_transparent(faulty.pull().get());
  ck_assert_int_eq(faulty.push(rgba_buffer()), GST_FLOW_OK);
  ck_assert(!is_gap(faulty.pull().get()));

  Bench latest(cutout("delay-ms=1", {{"mode", "latest"}}));
  ck_assert(latest.send_caps(caps_of("RGBA", 8, 8)));
  ck_assert_int_eq(latest.push(rgba_buffer()), GST_FLOW_OK);
  assert_transparent(latest.pull().get());
}
END_TEST

// Nothing is known of their colours.
START_TEST(test_s1_s6_frames_that_cannot_be_read_are_empty_gaps) {
  Bench bench(cutout("size=8x8", {{"on-error", "pass"}}));
  for (const char* format : {"RGBA", "NV12"}) {
    ck_assert(bench.send_caps(caps_of(format, 8, 8)));
    BufferPtr gap = bytes_buffer(std::string(format) == "NV12" ? 96 : 256, 200, GST_SECOND);
    GST_BUFFER_FLAG_SET(gap.get(), GST_BUFFER_FLAG_GAP);
    BufferPtr frames[] = {std::move(gap), bytes_buffer(10, 200, GST_SECOND)};
    for (BufferPtr& frame : frames) {
      ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
      const BufferPtr out = bench.pull();
      ck_assert(is_gap(out.get()));
      ck_assert(is_uniform(out.get(), 0));
      ck_assert_uint_eq(gst_buffer_get_size(out.get()), 256);
      ck_assert_uint_eq(GST_BUFFER_PTS(out.get()), GST_SECOND);
    }
  }
}
END_TEST

START_TEST(test_time_flags_and_results_come_with_a_cutout) {
  for (const char* format : {"RGBA", "NV12"}) {
    Bench bench(cutout());
    const std::string caps = caps_of(format, 8, 8);
    ck_assert(bench.send_caps(caps));
    const Case c = {*format == 'R' ? kRgba : kNv12, 8, 8, kColorimetries[0]};
    TestFrame pixels = picture(c, 3);
    pixels.set_all(0, 200);
    BufferPtr frame = PlacedFrame(info_of(caps), Layout::padded).buffer(pixels);
    GST_BUFFER_PTS(frame.get()) = 3 * GST_SECOND;
    GST_BUFFER_DURATION(frame.get()) = GST_SECOND;
    GST_BUFFER_FLAG_SET(frame.get(), GST_BUFFER_FLAG_DISCONT);
    const BufferPtr other(gst_buffer_ref(frame.get()));
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    ck_assert_uint_eq(GST_BUFFER_PTS(out.get()), 3 * GST_SECOND);
    ck_assert_uint_eq(GST_BUFFER_DURATION(out.get()), GST_SECOND);
    ck_assert(GST_BUFFER_FLAG_IS_SET(out.get(), GST_BUFFER_FLAG_DISCONT));
    ck_assert(gst_buffer_get_video_meta(out.get()) == nullptr);
    const auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(
        gst_buffer_get_meta(out.get(), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));
    ck_assert(region != nullptr);
    ck_assert_uint_eq(region->w, 8);
    ck_assert(gst_buffer_get_custom_meta(out.get(), "unetseg") != nullptr);
  }
}
END_TEST

// A converter is made with the caps; frames after that only use it.
START_TEST(test_a_peer_that_wants_another_order_gets_it_with_the_next_frame) {
  Bench bench(cutout());
  ck_assert(bench.send_caps(caps_of("RGBA", 8, 8)));
  ck_assert_int_eq(bench.push(rgba_buffer()), GST_FLOW_OK);
  ck_assert(bench.pull() != nullptr);
  take_only(bench, "video/x-raw,format=BGRA");
  ck_assert_int_eq(bench.push(rgba_buffer()), GST_FLOW_OK);
  assert_equal(format_of(bench.harness()->sinkpad), "BGRA");
  TestFrame cut = pixels_of(bench.pull().get(), kBgra, 8, 8), before = rgba_frame();
  for (int c = 0; c < 3; ++c)
    for (int x = 0; x < 8; ++x) ck_assert_int_eq(cut.sample(c, x, 4), before.sample(c, x, 4));
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("cutout");
  TCase* tests = tcase_create("cutout");
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, test_c1_c3_c7_every_format_size_and_layout_keeps_its_colours, 0,
                      static_cast<int>(G_N_ELEMENTS(kTargets)));
  tcase_add_test(tests, test_matrix_and_range_of_the_caps_are_used);
  tcase_add_test(tests, test_the_format_is_the_frames_own_where_it_has_alpha);
  tcase_add_test(tests, test_a_peer_without_alpha_gets_no_cutouts);
  tcase_add_test(tests, test_caps_keep_all_but_what_is_said_of_yuv);
  tcase_add_test(tests, test_c8_chroma_of_interlaced_frames_is_that_of_their_fields);
  tcase_add_test(tests, test_c6_a_frame_with_alpha_is_cut_out_in_place_unless_it_is_shared);
  tcase_add_test(tests, test_c3_a_peer_that_reads_no_video_meta_gets_frames_as_their_caps_say);
  tcase_add_test(tests, test_frames_without_a_mask_are_transparent_gaps);
  tcase_add_test(tests, test_s1_s6_frames_that_cannot_be_read_are_empty_gaps);
  tcase_add_test(tests, test_time_flags_and_results_come_with_a_cutout);
  tcase_add_test(tests, test_a_peer_that_wants_another_order_gets_it_with_the_next_frame);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
