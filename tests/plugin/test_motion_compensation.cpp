// SPDX-License-Identifier: MIT
// Masks that follow the camera, and scenes that end.
#include "tests/temporary_folder.h"

#include <cmath>
#include <random>

#include "tests/plugin/bench.h"

namespace {

constexpr int kSize = 64;  // of frames and of the network's input, pixels
constexpr double kRadius = 9;
constexpr double kLeft = 28, kTop = 34;  // the lesion's middle in a frame at rest
const std::string kCaps = caps_of("RGB", kSize, kSize);
const std::string kNetwork = "fake:size=64x64";

// A scene: spots, and a lesion that is red where everything else is not, so that the fake network
// finds it.
class Scene {
 public:
  explicit Scene(unsigned seed) {
    std::mt19937 random(seed);
    const auto uniform = [&](double low, double high) {
      return low + (high - low) * static_cast<double>(random()) / 4294967295.0;
    };
    for (int i = 0; i < 250; ++i)
      spots_.push_back({uniform(-40, 104), uniform(-40, 104), uniform(1.5, 4), uniform(-60, 60)});
  }

  // Moved by (dx, dy) pixels.
  BufferPtr frame(double dx, double dy, GstClockTime pts = GST_CLOCK_TIME_NONE) const {
    BufferPtr buffer = bytes_buffer(3 * kSize * kSize, 0, pts);
    GstMapInfo map;
    ck_assert(gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE));
    for (int y = 0; y < kSize; ++y)
      for (int x = 0; x < kSize; ++x) {
        const double u = x + .5 - dx, v = y + .5 - dy;
        double texture = 130;
        for (const Spot& s : spots_) {
          const double r2 = ((u - s.x) * (u - s.x) + (v - s.y) * (v - s.y)) / (s.radius * s.radius);
          if (r2 < 9) texture += s.depth * std::exp(-r2);
        }
        const double inside = kRadius - std::hypot(u - kLeft, v - kTop);
        guint8* pixel = map.data + 3 * (kSize * y + x);
        pixel[0] = static_cast<guint8>(130 + std::min(std::max(40 * inside, -100.), 100.));
        pixel[1] = pixel[2] = static_cast<guint8>(std::min(std::max(texture, 0.), 255.));
      }
    gst_buffer_unmap(buffer.get(), &map);
    return buffer;
  }

 private:
  struct Spot {
    double x, y, radius, depth;
  };
  std::vector<Spot> spots_;
};

BufferPtr flat_frame() {
  return bytes_buffer(3 * kSize * kSize, 100);
}

// How well a mask shows the lesion of a scene that moved by (dx, dy).
double dice(GstBuffer* mask, double dx, double dy) {
  const std::vector<guint8> shown = bytes_of(mask);
  double both = 0, sum = 0;
  for (int y = 0; y < kSize; ++y)
    for (int x = 0; x < kSize; ++x) {
      const bool lesion = std::hypot(x + .5 - dx - kLeft, y + .5 - dy - kTop) < kRadius;
      const bool in_mask = shown[static_cast<std::size_t>(kSize * y + x)] != 0;
      both += lesion && in_mask;
      sum += lesion + in_mask;
    }
  return sum > 0 ? 2 * both / sum : 1;
}

// Plays in latest mode, and shows the mask of a frame at rest; nothing else is inferred unless a
// test says so.
class Player {
 public:
  explicit Player(const Scene& scene, Properties more = {}) : bench_(with(std::move(more))) {
    ck_assert(bench_.send_caps(kCaps));
    bench_.push(scene.frame(0, 0));
    bench_.pull();
    // The mask is there when its worker is free, which nothing tells but the mask.
    while (is_gap(show(scene.frame(0, 0)).get())) g_usleep(1000);
  }

  // What is shown for a frame.
  BufferPtr show(BufferPtr frame) {
    ck_assert_int_eq(bench_.push(std::move(frame)), GST_FLOW_OK);
    return bench_.pull();
  }
  Bench& bench() { return bench_; }

 private:
  static Properties with(Properties more) {
    Properties all = {{"output", "mask"},
                      {"mode", "latest"},
                      {"max-mask-age", "0"},
                      {"inference-interval", "1000"},
                      {"model-file", kNetwork}};
    all.all.insert(all.all.end(), more.all.begin(), more.all.end());
    return all;
  }
  Bench bench_;
};

}  // namespace

START_TEST(test_a_mask_follows_the_camera) {
  const Scene scene(1);
  const double path[][2] = {{1, 0}, {2.5, -1}, {5, -3}, {9, -6}, {12, -10}, {4, 2}, {-14, 9}};
  Player following(scene), staying(scene, {{"motion-compensation", "false"}});
  for (const auto& p : path) {
    const double follows = dice(following.show(scene.frame(p[0], p[1])).get(), p[0], p[1]);
    ck_assert_msg(follows > .97, "at (%g, %g): Dice %g", p[0], p[1], follows);
    ck_assert(dice(staying.show(scene.frame(p[0], p[1])).get(), 0, 0) > .97);
  }
  ck_assert_uint_eq(following.bench().stat("inferred"), 1);
  ck_assert_uint_eq(following.bench().stat("scene-cuts"), 0);
}
END_TEST

START_TEST(test_a_mask_comes_back_from_beyond_the_edge) {
  const Scene scene(2);
  Player player(scene);
  for (const double x : {-10., -20., -24., -12., 0.}) {
    const double shown = dice(player.show(scene.frame(x, 0)).get(), x, 0);
    ck_assert_msg(shown > .95, "at %g: Dice %g", x, shown);
  }
}
END_TEST

START_TEST(test_measurements_are_of_the_mask_that_is_shown) {
  const Scene scene(3);
  Player player(scene);
  const BufferPtr mask = player.show(scene.frame(7, -5));
  const GstCustomMeta* meta = gst_buffer_get_custom_meta(mask.get(), "unetseg");
  ck_assert(meta != nullptr);
  GstStructure* result = gst_custom_meta_get_structure(const_cast<GstCustomMeta*>(meta));
  double x = 0, y = 0, area = 0;
  ck_assert(gst_structure_get(result, "centroid-x", G_TYPE_DOUBLE, &x, "centroid-y", G_TYPE_DOUBLE,
                              &y, "area", G_TYPE_DOUBLE, &area, nullptr));
  ck_assert(std::abs(x - kLeft - 7) < .3);
  ck_assert(std::abs(y - kTop + 5) < .3);
  ck_assert(std::abs(area / (3.14159 * kRadius * kRadius) - 1) < .05);
  const GstVideoRegionOfInterestMeta* region =
      gst_buffer_get_video_region_of_interest_meta(mask.get());
  ck_assert(region != nullptr);
  ck_assert_int_le(std::abs(static_cast<int>(region->x) - 26), 1);
  ck_assert_int_le(std::abs(static_cast<int>(region->y) - 20), 1);
}
END_TEST

START_TEST(test_a_mask_stays_where_nothing_can_be_told) {
  const Scene scene(4);
  Player player(scene);
  player.show(scene.frame(6, 4));
  for (int i = 0; i < 3; ++i) ck_assert(dice(player.show(flat_frame()).get(), 6, 4) > .97);
  ck_assert(dice(player.show(scene.frame(-3, 2)).get(), -3, 2) > .97);
  ck_assert_uint_eq(player.bench().stat("scene-cuts"), 0);
}
END_TEST

START_TEST(test_a_mask_is_dropped_at_a_scene_cut) {
  const Scene scene(5), other(6);
  Player player(scene);
  for (int i = 0; i < 3; ++i) ck_assert(is_gap(player.show(other.frame(0, 0)).get()));
  ck_assert_uint_eq(player.bench().stat("scene-cuts"), 1);
  // A mask of the new scene follows it.
  g_object_set(player.bench().element(), "inference-interval", 1, nullptr);
  BufferPtr mask;
  do mask = player.show(other.frame(0, 0));
  while (is_gap(mask.get()));
  ck_assert(dice(player.show(other.frame(3, 3)).get(), 3, 3) > .97);
}
END_TEST

START_TEST(test_a_mask_begun_before_a_scene_cut_is_never_shown) {
  const Scene scene(7), other(8);
  const TemporaryFolder folder;
  std::ofstream(folder.path() + "/go");
  Player player(scene, {{"model-file", kNetwork + ",gate=" + folder.path()}});
  for (const char* file : {"/go", "/begun", "/done"}) std::filesystem::remove(folder.path() + file);
  g_object_set(player.bench().element(), "inference-interval", 1, nullptr);
  ck_assert(!is_gap(player.show(scene.frame(1, 1)).get()));
  wait_for_file(folder.path() + "/begun");
  ck_assert(is_gap(player.show(other.frame(0, 0)).get()));
  g_object_set(player.bench().element(), "inference-interval", 1000, nullptr);
  std::ofstream(folder.path() + "/go");
  wait_for_file(folder.path() + "/done");
  for (int i = 0; i < 20; ++i) {
    ck_assert(is_gap(player.show(other.frame(0, 0)).get()));
    g_usleep(1000);
  }
  ck_assert_uint_eq(player.bench().stat("scene-cuts"), 1);
}
END_TEST

// 8-bit probability at a lesion's middle, moved by (dx, dy).
int probability_at(GstBuffer* probabilities, int dx, int dy) {
  return bytes_of(probabilities)[static_cast<std::size_t>(kSize * (static_cast<int>(kTop) + dy) +
                                                          static_cast<int>(kLeft) + dx)];
}

START_TEST(test_smoothing_mixes_what_shows_the_same) {
  const Scene scene(9), other(10);
  const struct {
    const char* name;
    const char* compensation;
    const Scene& second;
    int at_new, at_old;  // probability where the lesion is and where it was
  } cases[] = {{"moved", "true", scene, 230, 30},
               {"not moved", "false", scene, 130, 130},
               {"cut", "true", other, 230, 30},
               {"cut, not moved", "false", other, 230, 30}};
  for (const auto& c : cases) {
    Bench bench({{"output", "probability"},
                 {"mode", "every-frame"},
                 {"smoothing", "0.5"},
                 {"motion-compensation", c.compensation},
                 {"model-file", kNetwork}});
    ck_assert(bench.send_caps(kCaps));
    bench.push(scene.frame(-11, -11));
    bench.push(c.second.frame(11, 11));
    bench.pull();
    const BufferPtr shown = bench.pull();
    ck_assert_msg(std::abs(probability_at(shown.get(), 11, 11) - c.at_new) < 12, "%s: %d at new",
                  c.name, probability_at(shown.get(), 11, 11));
    ck_assert_msg(std::abs(probability_at(shown.get(), -11, -11) - c.at_old) < 12, "%s: %d at old",
                  c.name, probability_at(shown.get(), -11, -11));
    ck_assert_uint_eq(bench.stat("scene-cuts"), &c.second == &other ? 1 : 0);
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("motion compensation");
  TCase* tests = tcase_create("motion compensation");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_a_mask_follows_the_camera);
  tcase_add_test(tests, test_a_mask_comes_back_from_beyond_the_edge);
  tcase_add_test(tests, test_measurements_are_of_the_mask_that_is_shown);
  tcase_add_test(tests, test_a_mask_stays_where_nothing_can_be_told);
  tcase_add_test(tests, test_a_mask_is_dropped_at_a_scene_cut);
  tcase_add_test(tests, test_a_mask_begun_before_a_scene_cut_is_never_shown);
  tcase_add_test(tests, test_smoothing_mixes_what_shows_the_same);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
