// SPDX-License-Identifier: MIT
// Whose memory the element may draw on, and what it does where it may not (C6).
#include "tests/plugin/placed_frame.h"

namespace {

const Properties kBlackOut = {{"color", "0xff000000"}, {"opacity", "1"}, {"contour-width", "0"}};
constexpr gsize kSize = 64;  // GRAY8, 8 x 8
constexpr guint8 kBright = 200;

// A frame that somebody else looks at too.
struct Sharing {
  const char* name;
  // Returns the frame to push; what `*other` receives keeps its memory shared.
  BufferPtr (*share)(std::vector<guint8>* pixels, BufferPtr* other);
};

BufferPtr wrap(std::vector<guint8>* pixels, GstMemoryFlags flags) {
  return BufferPtr(gst_buffer_new_wrapped_full(flags, pixels->data(), pixels->size(), 0,
                                               pixels->size(), nullptr, nullptr));
}

const Sharing kSharings[] = {
    {"read-only memory", [](std::vector<guint8>* pixels,
                            BufferPtr*) { return wrap(pixels, GST_MEMORY_FLAG_READONLY); }},
    {"buffer with another reference",
     [](std::vector<guint8>* pixels, BufferPtr* other) {
       *other = wrap(pixels, static_cast<GstMemoryFlags>(0));
       return BufferPtr(gst_buffer_ref(other->get()));
     }},
    {"memory of another buffer",
     [](std::vector<guint8>* pixels, BufferPtr* other) {
       *other = wrap(pixels, static_cast<GstMemoryFlags>(0));
       return BufferPtr(gst_buffer_copy(other->get()));
     }},
};

Properties with(Properties properties, const Properties& more) {
  properties.all.insert(properties.all.end(), more.all.begin(), more.all.end());
  return properties;
}

}  // namespace

START_TEST(test_c6_a_shared_frame_is_copied_before_it_is_drawn_on) {
  Bench bench(kBlackOut);
  ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
  for (const Sharing& sharing : kSharings) {
    std::vector<guint8> pixels(kSize, kBright);
    BufferPtr other, frame = sharing.share(&pixels, &other);
    GstBuffer* in = frame.get();
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    ck_assert_msg(out.get() != in, "%s", sharing.name);
    ck_assert_msg(is_uniform(out.get(), 0), "%s: nothing was drawn", sharing.name);
    ck_assert_msg(pixels == std::vector<guint8>(kSize, kBright), "%s: was drawn on", sharing.name);
  }
}
END_TEST

START_TEST(test_c6_no_copy_is_made_where_nothing_would_be_drawn) {
  const Properties invisible[] = {
      {{"opacity", "0"}, {"contour-width", "0"}},
      {{"color", "0x00ffffff"}, {"opacity", "1"}, {"contour-color", "0x00ffffff"}}};
  for (const Properties& style : invisible) {
    Bench bench(style);
    ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
    for (const Sharing& sharing : kSharings) {
      std::vector<guint8> pixels(kSize, kBright);
      BufferPtr other, frame = sharing.share(&pixels, &other);
      GstMemory* in = gst_buffer_peek_memory(frame.get(), 0);
      ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
      const BufferPtr out = bench.pull();
      ck_assert_msg(gst_buffer_peek_memory(out.get(), 0) == in, "%s", sharing.name);
    }
    ck_assert_uint_eq(bench.stat("inferred"), 3);
  }
}
END_TEST

START_TEST(test_c6_masks_leave_the_frame_alone) {
  Bench bench({{"output", "mask"}});
  ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
  for (const Sharing& sharing : kSharings) {
    std::vector<guint8> pixels(kSize, kBright);
    BufferPtr other, frame = sharing.share(&pixels, &other);
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    ck_assert(is_uniform(bench.pull().get(), 255));
    ck_assert(pixels == std::vector<guint8>(kSize, kBright));
  }
}
END_TEST

// What a copy and a mask keep of the frame, and what they must not.
START_TEST(test_copies_and_masks_keep_time_flags_and_metas_but_not_the_layout) {
  for (const char* output : {"overlay", "mask"}) {
    Bench bench(with(kBlackOut, {{"output", output}}));
    const std::string caps = caps_of("GRAY8", 8, 8);
    ck_assert(bench.send_caps(caps));
    TestFrame pixels(kGrey, 8, 8);
    pixels.set_all(0, kBright);
    BufferPtr frame = PlacedFrame(info_of(caps), Layout::padded).buffer(pixels);
    GST_BUFFER_PTS(frame.get()) = 3 * GST_SECOND;
    GST_BUFFER_DTS(frame.get()) = 2 * GST_SECOND;
    GST_BUFFER_DURATION(frame.get()) = GST_SECOND;
    GST_BUFFER_OFFSET(frame.get()) = 7;
    GST_BUFFER_FLAG_SET(frame.get(), GST_BUFFER_FLAG_DISCONT);
    gst_buffer_add_video_region_of_interest_meta(frame.get(), "mole", 1, 2, 3, 4);
    const BufferPtr other(gst_buffer_ref(frame.get()));
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    ck_assert(out.get() != other.get());
    ck_assert_uint_eq(GST_BUFFER_PTS(out.get()), 3 * GST_SECOND);
    ck_assert_uint_eq(GST_BUFFER_DTS(out.get()), 2 * GST_SECOND);
    ck_assert_uint_eq(GST_BUFFER_DURATION(out.get()), GST_SECOND);
    ck_assert_uint_eq(GST_BUFFER_OFFSET(out.get()), 7);
    ck_assert(GST_BUFFER_FLAG_IS_SET(out.get(), GST_BUFFER_FLAG_DISCONT));
    ck_assert(gst_buffer_get_meta(out.get(), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));
    ck_assert(gst_buffer_get_video_meta(out.get()) == nullptr);
    ck_assert(is_uniform(out.get(), std::string(output) == "mask" ? 255 : 0));
  }
}
END_TEST

START_TEST(test_c3_a_peer_that_reads_no_video_meta_gets_frames_as_their_caps_say) {
  Bench bench(kBlackOut, Upstream::not_live, PeerMeta::none);
  for (const Layout layout : kLayouts) {
    const std::string caps = caps_of("GRAY8", 8, 8);
    ck_assert(bench.send_caps(caps));
    TestFrame pixels(kGrey, 8, 8);
    pixels.set_all(0, kBright);
    const bool by_meta = layout == Layout::padded || layout == Layout::bottom_up;
    BufferPtr frame = PlacedFrame(info_of(caps), layout).buffer(pixels);
    GstBuffer* in = frame.get();
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    ck_assert_int_eq(out.get() != in, by_meta);
    ck_assert_uint_eq(gst_buffer_get_size(out.get()), kSize);
    ck_assert(is_uniform(out.get(), 0));
  }
}
END_TEST

// A frame of 8 x 8 whose right half, the caps' picture, is bright.
START_TEST(test_c4_a_frame_that_is_part_of_another_is_read_and_drawn_where_it_lies) {
  for (const char* output : {"overlay", "mask", "none"})
    for (const bool peer_reads_it : {true, false}) {
      Bench bench(with(kBlackOut, {{"output", output}}));
      if (peer_reads_it)
        gst_harness_add_propose_allocation_meta(bench.harness(), GST_VIDEO_CROP_META_API_TYPE,
                                                nullptr);
      ck_assert(bench.send_caps(caps_of("GRAY8", 4, 8)));
      TestFrame pixels(kGrey, 8, 8);
      pixels.set_bytes([](int, int x, int) { return x < 4 ? 10 : kBright; });
      const PlacedFrame place(info_of(caps_of("GRAY8", 8, 8)), Layout::padded);
      BufferPtr frame = place.buffer(pixels);
      GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(frame.get());
      crop->x = 4, crop->y = 0, crop->width = 4, crop->height = 8;
      GstBuffer* in = frame.get();
      ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
      const BufferPtr out = bench.pull();
      const bool is_overlay = std::string(output) == "overlay";
      const bool in_place = peer_reads_it && std::string(output) != "mask";
      ck_assert_int_eq(out.get() == in, in_place);
      if (in_place) {
        place.read(bytes_of(out.get()), &pixels);
        ck_assert_int_eq(pixels.byte(0, 3, 0), 10);
        ck_assert_int_eq(pixels.byte(0, 4, 7), is_overlay ? 0 : kBright);
      }
      ck_assert_int_eq(gst_buffer_get_video_crop_meta(out.get()) != nullptr, in_place);
      if (!in_place) {
        ck_assert_uint_eq(gst_buffer_get_size(out.get()), 32);
        ck_assert(is_uniform(out.get(), is_overlay                      ? 0
                                        : std::string(output) == "mask" ? 255
                                                                        : kBright));
      }
    }
}
END_TEST

START_TEST(test_c3_a_frame_that_is_not_aligned_is_drawn_where_it_lies) {
  Bench bench(kBlackOut);
  ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
  for (gsize shift = 1; shift < 8; ++shift) {
    std::vector<guint8> pixels(kSize + 16, kBright);
    ck_assert_int_eq(bench.push(BufferPtr(gst_buffer_new_wrapped_full(
                         static_cast<GstMemoryFlags>(0), pixels.data(), pixels.size(), shift, kSize,
                         nullptr, nullptr))),
                     GST_FLOW_OK);
    bench.pull();
    for (gsize i = 0; i < pixels.size(); ++i)
      ck_assert_int_eq(pixels[i], i >= shift && i < shift + kSize ? 0 : kBright);
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("shared buffers");
  TCase* tests = tcase_create("ownership");
  tcase_add_test(tests, test_c6_a_shared_frame_is_copied_before_it_is_drawn_on);
  tcase_add_test(tests, test_c6_no_copy_is_made_where_nothing_would_be_drawn);
  tcase_add_test(tests, test_c6_masks_leave_the_frame_alone);
  tcase_add_test(tests, test_copies_and_masks_keep_time_flags_and_metas_but_not_the_layout);
  tcase_add_test(tests, test_c3_a_peer_that_reads_no_video_meta_gets_frames_as_their_caps_say);
  tcase_add_test(tests, test_c4_a_frame_that_is_part_of_another_is_read_and_drawn_where_it_lies);
  tcase_add_test(tests, test_c3_a_frame_that_is_not_aligned_is_drawn_where_it_lies);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
