// SPDX-License-Identifier: MIT
// Where pixels lie in a buffer, and what a mapped frame points to.
#include "plugin/frame_map.h"

#include "tests/plugin/placed_frame.h"

using namespace unetseg;

namespace {

FrameGeometry geometry_of(const std::string& caps) {
  FrameGeometry geometry;
  ck_assert(make_geometry(info_of(caps), &geometry));
  return geometry;
}

// A frame of 24 x 20, of which the caps mean a part.
BufferPtr cropped(const TestFrame& whole, Layout layout, const GstVideoRectangle& part) {
  const std::string caps = caps_of(whole.format().name, 24, 20);
  BufferPtr buffer = PlacedFrame(info_of(caps), layout).buffer(whole);
  GstVideoCropMeta* crop = gst_buffer_add_video_crop_meta(buffer.get());
  crop->x = static_cast<guint>(part.x);
  crop->y = static_cast<guint>(part.y);
  crop->width = static_cast<guint>(part.w);
  crop->height = static_cast<guint>(part.h);
  return buffer;
}

}  // namespace

START_TEST(test_geometry_says_what_the_caps_say) {
  struct {
    const char* fields;
    double kr, kb;
    bool full_range, cosited_x, cosited_y;
  } const cases[] = {
      {"colorimetry=2:4:16:4,chroma-site=jpeg", .299, .114, false, false, false},
      {"colorimetry=1:4:16:4,chroma-site=mpeg2", .299, .114, true, true, false},
      {"colorimetry=2:3:5:1,chroma-site=cosited", .2126, .0722, false, true, true},
      {"colorimetry=1:6:5:7,chroma-site=jpeg", .2627, .0593, true, false, false},
      {"colorimetry=2:5:7:5,chroma-site=jpeg", .212, .087, false, false, false},
  };
  for (const auto& c : cases) {
    const FrameGeometry geometry =
        geometry_of(caps_of("I420", 9, 7, std::string("framerate=30/1,") + c.fields));
    ck_assert(geometry.view.format == UNETSEG_FORMAT_I420);
    ck_assert_int_eq(geometry.view.width, 9);
    ck_assert_int_eq(geometry.view.height, 7);
    ck_assert_msg(std::abs(geometry.view.kr - c.kr) < 1e-9, "%s", c.fields);
    ck_assert_msg(std::abs(geometry.view.kb - c.kb) < 1e-9, "%s", c.fields);
    ck_assert_msg(!geometry.view.full_range == !c.full_range, "%s", c.fields);
    ck_assert_msg(!geometry.view.chroma_cosited_x == !c.cosited_x, "%s", c.fields);
    ck_assert_msg(!geometry.view.chroma_cosited_y == !c.cosited_y, "%s", c.fields);
  }
  const FrameGeometry wide = geometry_of(caps_of("I420", 9, 7, "pixel-aspect-ratio=16/11"));
  ck_assert(wide.view.par_n == 16 && wide.view.par_d == 11);
}
END_TEST

START_TEST(test_row_sizes_are_the_formats) {
  struct {
    const char* format;
    guint planes;
    gint64 row_bytes[3], rows[3];
  } const cases[] = {{"RGB", 1, {27}, {7}},
                     {"xBGR", 1, {36}, {7}},
                     {"GRAY8", 1, {9}, {7}},
                     {"I420", 3, {9, 5, 5}, {7, 4, 4}},
                     {"NV12", 2, {9, 10}, {7, 4}},
                     {"YV12", 3, {9, 5, 5}, {7, 4, 4}},
                     {"Y42B", 3, {9, 5, 5}, {7, 7, 7}},
                     {"Y444", 3, {9, 9, 9}, {7, 7, 7}},
                     {"NV21", 2, {9, 10}, {7, 4}},
                     {"YUY2", 1, {20}, {7}},
                     {"UYVY", 1, {20}, {7}},
                     {"P010_10LE", 2, {18, 20}, {7, 4}}};
  for (const auto& c : cases) {
    const FrameGeometry geometry = geometry_of(caps_of(c.format, 9, 7));
    ck_assert_uint_eq(geometry.planes, c.planes);
    for (guint p = 0; p < c.planes; ++p) {
      ck_assert_msg(geometry.row_bytes[p] == c.row_bytes[p], "%s plane %u", c.format, p);
      ck_assert_msg(geometry.rows[p] == c.rows[p], "%s plane %u", c.format, p);
    }
  }
}
END_TEST

// The exact number of bytes that each layout needs, and one less.
START_TEST(test_c5_a_buffer_one_byte_too_short_is_refused) {
  for (const FormatCase& format : all_formats())
    for (const Layout kind : {Layout::tight, Layout::padded, Layout::bottom_up}) {
      const std::string caps = caps_of(format.name, 9, 7);
      const FrameGeometry geometry = geometry_of(caps);
      const BufferPtr buffer = PlacedFrame(info_of(caps), kind).buffer(TestFrame(format, 9, 7));
      BufferLayout layout;
      const char* why = nullptr;
      ck_assert(find_layout(buffer.get(), geometry, &layout, &why));
      gint64 end = 0;
      for (guint p = 0; p < geometry.planes; ++p) end = std::max(end, layout.plane[p].last);
      gst_buffer_set_size(buffer.get(), end);
      ck_assert(find_layout(buffer.get(), geometry, &layout, &why));
      gst_buffer_set_size(buffer.get(), end - 1);
      ck_assert_msg(!find_layout(buffer.get(), geometry, &layout, &why), "%s", format.name);
      ck_assert(why != nullptr);
    }
}
END_TEST

START_TEST(test_c3_c7_a_mapped_frame_shows_the_pixels_wherever_they_lie) {
  for (const FormatCase& format : all_formats())
    for (const Layout kind : kLayouts) {
      const std::string caps = caps_of(format.name, 9, 7);
      const FrameGeometry geometry = geometry_of(caps);
      TestFrame frame(format, 9, 7);
      frame.set_noise(1);
      const BufferPtr buffer = PlacedFrame(info_of(caps), kind).buffer(frame);
      BufferLayout layout;
      const char* why = nullptr;
      ck_assert(find_layout(buffer.get(), geometry, &layout, &why));
      ck_assert_int_eq(is_default_layout(layout, geometry),
                       kind != Layout::padded && kind != Layout::bottom_up);
      MappedFrame mapped;
      ck_assert(mapped.map(buffer.get(), geometry, layout, GST_MAP_READ));
      TestFrame copy(format, 9, 7);
      copy_pixels(mapped.view(), copy.view(), geometry);
      ck_assert_msg(copy.memory() == frame.memory(), "%s, layout %d", format.name,
                    static_cast<int>(kind));
      // The view is a plain address for each plane, so a pixel may be changed through it.
      ck_assert_int_eq(mapped.view().plane[0][0], frame.byte(0, 0, 0));
    }
}
END_TEST

START_TEST(test_c4_a_crop_meta_says_which_part_of_the_frame_the_caps_mean) {
  constexpr int kX = 6, kY = 4;
  for (const FormatCase& format : all_formats())
    for (const Layout kind : {Layout::padded, Layout::bottom_up}) {
      const FrameGeometry geometry = geometry_of(caps_of(format.name, 9, 7));
      TestFrame whole(format, 24, 20), part(format, 9, 7);
      whole.set_noise(2);
      const BufferPtr buffer = cropped(whole, kind, {kX, kY, 9, 7});
      BufferLayout layout;
      const char* why = nullptr;
      ck_assert_msg(find_layout(buffer.get(), geometry, &layout, &why), "%s: %s", format.name, why);
      ck_assert(layout.is_cropped);
      MappedFrame mapped;
      ck_assert(mapped.map(buffer.get(), geometry, layout, GST_MAP_READ));
      copy_pixels(mapped.view(), part.view(), geometry);
      for (int c = 0; c < part.components(); ++c)
        for (int y = 0; y < part.sample_rows(c); ++y)
          for (int x = 0; x < part.sample_columns(c); ++x)
            ck_assert_msg(part.sample(c, x, y) ==
                              whole.sample(c, x + kX / part.pixels_x(c), y + kY / part.pixels_y(c)),
                          "%s: component %d at %d, %d", format.name, c, x, y);
    }
}
END_TEST

START_TEST(test_c4_a_crop_meta_that_cannot_be_meant_is_refused) {
  const struct {
    FormatCase format;
    Layout layout;
    const char* mode;
    GstVideoRectangle part;
    bool is_good;
  } cases[] = {{kGrey, Layout::padded, "progressive", {15, 13, 9, 7}, true},
               {kGrey, Layout::padded, "progressive", {16, 13, 9, 7}, false},
               {kGrey, Layout::padded, "progressive", {15, 14, 9, 7}, false},
               {kGrey, Layout::padded, "progressive", {-1, 0, 9, 7}, false},
               {kGrey, Layout::padded, "progressive", {0, 0, 8, 7}, false},
               {kGrey, Layout::padded, "progressive", {0, 0, 9, 8}, false},
               {kGrey, Layout::tight, "progressive", {0, 0, 9, 7}, true},
               {kGrey, Layout::tight, "progressive", {1, 0, 9, 7}, false},  // only caps
               {kI420, Layout::padded, "progressive", {3, 2, 9, 7}, false},
               {kI420, Layout::padded, "progressive", {2, 3, 9, 7}, false},
               {kI420, Layout::padded, "progressive", {2, 2, 9, 7}, true},
               {kI420, Layout::padded, "interleaved", {2, 2, 9, 7}, false},
               {kI420, Layout::padded, "interleaved", {2, 4, 9, 7}, true},
               {kYuy2, Layout::padded, "progressive", {2, 3, 9, 7}, true},
               {kYuy2, Layout::padded, "progressive", {1, 0, 9, 7}, false},
               {kNv12, Layout::bottom_up, "progressive", {1, 0, 9, 7}, false}};
  for (const auto& c : cases) {
    const FrameGeometry geometry =
        geometry_of(caps_of(c.format.name, 9, 7, std::string("interlace-mode=") + c.mode));
    const BufferPtr buffer = cropped(TestFrame(c.format, 24, 20), c.layout, c.part);
    BufferLayout layout;
    const char* why = nullptr;
    ck_assert_msg(find_layout(buffer.get(), geometry, &layout, &why) == c.is_good,
                  "%s %s, %d, %d, %d x %d", c.format.name, c.mode, c.part.x, c.part.y, c.part.w,
                  c.part.h);
    ck_assert(c.is_good == (why == nullptr));
  }
}
END_TEST

START_TEST(test_c7_memories_are_merged_only_where_a_plane_crosses_them) {
  const std::string caps = caps_of("I420", 8, 8);
  const FrameGeometry geometry = geometry_of(caps);
  const std::pair<Layout, guint> cases[] = {
      {Layout::plane_per_memory, 3}, {Layout::split_in_planes, 1}, {Layout::tight, 1}};
  for (const auto& c : cases) {
    const BufferPtr buffer = PlacedFrame(info_of(caps), c.first).buffer(TestFrame(kI420, 8, 8));
    BufferLayout layout;
    const char* why = nullptr;
    ck_assert(find_layout(buffer.get(), geometry, &layout, &why));
    MappedFrame mapped;
    ck_assert(mapped.map(buffer.get(), geometry, layout, GST_MAP_READWRITE));
    mapped.unmap();
    ck_assert_uint_eq(gst_buffer_n_memory(buffer.get()), c.second);
  }
}
END_TEST

START_TEST(test_a_frame_is_unmapped_at_the_end) {
  const std::string caps = caps_of("I420", 8, 8);
  const FrameGeometry geometry = geometry_of(caps);
  for (const Layout kind : kLayouts) {
    const BufferPtr buffer = PlacedFrame(info_of(caps), kind).buffer(TestFrame(kI420, 8, 8));
    BufferLayout layout;
    const char* why = nullptr;
    ck_assert(find_layout(buffer.get(), geometry, &layout, &why));
    {
      MappedFrame mapped;
      ck_assert(mapped.map(buffer.get(), geometry, layout, GST_MAP_READ));
      ck_assert(mapped.map(buffer.get(), geometry, layout, GST_MAP_READ));  // unmaps the first
    }
    // Memory that is still mapped for reading cannot be mapped for writing.
    for (guint i = 0; i < gst_buffer_n_memory(buffer.get()); ++i) {
      GstMemory* memory = gst_buffer_peek_memory(buffer.get(), i);
      GstMapInfo info;
      ck_assert(gst_memory_map(memory, &info, GST_MAP_WRITE));
      gst_memory_unmap(memory, &info);
    }
  }
}
END_TEST

START_TEST(test_c6_only_a_buffer_and_memory_of_ones_own_is_drawable) {
  const BufferPtr own = bytes_buffer(8, 0);
  ck_assert(is_drawable(own.get()));
  {
    const BufferPtr other(gst_buffer_ref(own.get()));
    ck_assert(!is_drawable(own.get()));
  }
  {
    const BufferPtr copy(gst_buffer_copy(own.get()));
    ck_assert(!is_drawable(own.get()));
    ck_assert(!is_drawable(copy.get()));
  }
  ck_assert(is_drawable(own.get()));
  GST_MINI_OBJECT_FLAG_SET(gst_buffer_peek_memory(own.get(), 0), GST_MEMORY_FLAG_READONLY);
  ck_assert(!is_drawable(own.get()));
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("frame map");
  TCase* tests = tcase_create("layouts");
  tcase_add_test(tests, test_geometry_says_what_the_caps_say);
  tcase_add_test(tests, test_row_sizes_are_the_formats);
  tcase_add_test(tests, test_c5_a_buffer_one_byte_too_short_is_refused);
  tcase_add_test(tests, test_c3_c7_a_mapped_frame_shows_the_pixels_wherever_they_lie);
  tcase_add_test(tests, test_c4_a_crop_meta_says_which_part_of_the_frame_the_caps_mean);
  tcase_add_test(tests, test_c4_a_crop_meta_that_cannot_be_meant_is_refused);
  tcase_add_test(tests, test_c7_memories_are_merged_only_where_a_plane_crosses_them);
  tcase_add_test(tests, test_a_frame_is_unmapped_at_the_end);
  tcase_add_test(tests, test_c6_only_a_buffer_and_memory_of_ones_own_is_drawable);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
