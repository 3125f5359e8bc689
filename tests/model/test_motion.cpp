// SPDX-License-Identifier: MIT
// How a picture moved, against scenes whose movement is known exactly.
#include "model/motion/moved_map.h"
#include "model/motion/tracker.h"

#include <cmath>
#include <functional>
#include <random>

#include "tests/assertions.h"

using namespace unetseg;

namespace {

constexpr double kTolerance = 0.005;  // of the picture's shorter side

// Grey at a place in the unit of Extent, from the scene's middle.
using Scene = std::function<double(double u, double v)>;

// A lesion with a mottled inside on skin with spots. Smooth, so that it can be looked at from
// anywhere without a loss.
Scene lesion_scene(unsigned seed) {
  struct Spot {
    double u, v, radius, depth;
  };
  std::mt19937 random(seed);
  const auto uniform = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(random()) / 4294967295.0;
  };
  std::vector<Spot> spots = {{uniform(-.15, .15), uniform(-.15, .15), uniform(.15, .3), .5}};
  for (int i = 0; i < 150; ++i)
    spots.push_back({uniform(-1.2, 1.2), uniform(-1, 1), uniform(.01, .06), uniform(-.1, .15)});
  return [=](double u, double v) {
    double density = 0;
    for (const Spot& s : spots) {
      const double r2 = ((u - s.u) * (u - s.u) + (v - s.v) * (v - s.v)) / (s.radius * s.radius);
      density += s.depth * std::exp(-r2 * r2);
    }
    return .75 * std::exp(-density);
  };
}

struct Camera {
  int width = 128, height = 128;
  Extent extent = {4. / 3, 1};
  double exposure = 1;
  double noise = 0;   // standard deviation of a sampled pixel
  double rim = 9;     // radius of the view, black beyond; in the unit of Extent
  double blur = 0;    // standard deviation, likewise, of a focus that is off
  unsigned seed = 1;  // of the noise
};

// What a camera sees that has moved by `pose`: from the place in the frame to that in the scene.
std::vector<float> seen(const Scene& scene, const Similarity& pose, const Camera& camera = {}) {
  std::mt19937 random(camera.seed);
  std::normal_distribution<double> noise(0, 1);
  const std::size_t pixels = static_cast<std::size_t>(camera.width * camera.height);
  std::vector<float> sample(3 * pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    const int x = static_cast<int>(i) % camera.width, y = static_cast<int>(i) / camera.width;
    const double u = ((x + .5) / camera.width - .5) * camera.extent.width;
    const double v = ((y + .5) / camera.height - .5) * camera.extent.height;
    const double su = pose.a * u - pose.b * v + pose.x, sv = pose.b * u + pose.a * v + pose.y;
    double grey = 0;
    if (camera.blur == 0) {
      grey = scene(su, sv);
    } else {
      for (int k = 0; k < 8; ++k)
        grey += scene(su + camera.blur * 1.4 * std::cos(k * .785),
                      sv + camera.blur * 1.4 * std::sin(k * .785)) /
                8;
    }
    if (std::hypot(u, v) > camera.rim) grey = .01;
    for (std::size_t c = 0; c < 3; ++c)
      sample[c * pixels + i] =
          static_cast<float>(camera.exposure * grey + camera.noise * noise(random));
  }
  return sample;
}

Movement movement_between(const std::vector<float>& from, const std::vector<float>& to,
                          const Camera& camera = {}, const Similarity& guess = {}) {
  Picture before(camera.width, camera.height), after(camera.width, camera.height);
  before.take(from.data(), {}, camera.extent);
  after.take(to.data(), {}, camera.extent);
  return Tracker(camera.width, camera.height).track(before, after, guess);
}

// How far apart two movements take the corners of a picture, on average.
double distance(const Similarity& a, const Similarity& b, const Extent& extent) {
  double sum = 0;
  for (const double u : {-.5 * extent.width, .5 * extent.width})
    for (const double v : {-.5 * extent.height, .5 * extent.height})
      sum += std::hypot((a.a - b.a) * u - (a.b - b.b) * v + a.x - b.x,
                        (a.b - b.b) * u + (a.a - b.a) * v + a.y - b.y);
  return sum / 4;
}

Similarity turned(double degrees, double zoom, double x, double y) {
  const double radians = degrees * 3.14159265358979 / 180;
  return {zoom * std::cos(radians), zoom * std::sin(radians), x, y};
}

void assert_tracked(const Similarity& motion, const Camera& first, const Camera& second,
                    double tolerance = kTolerance, unsigned seed = 1) {
  const Scene scene = lesion_scene(seed);
  // What is at u in the first frame is in the scene at u, and in the second frame at motion(u).
  const Movement found =
      movement_between(seen(scene, {}, first), seen(scene, motion.inverse(), second), first);
  const double off = distance(found.motion, motion, first.extent);
  ck_assert_msg(off < tolerance, "(%g %g %g %g) instead of (%g %g %g %g): %g off, confidence %g",
                found.motion.a, found.motion.b, found.motion.x, found.motion.y, motion.a, motion.b,
                motion.x, motion.y, off, found.confidence);
  ck_assert_msg(found.confidence > .5, "confidence %g", found.confidence);
  ck_assert(!found.other_scene);
}

}  // namespace

START_TEST(test_a_still_picture_does_not_move) {
  const std::vector<float> sample = seen(lesion_scene(1), {});
  const Movement found = movement_between(sample, sample);
  ck_assert(distance(found.motion, {}, Camera().extent) < 1e-6);
  ck_assert(found.confidence == 1);
}
END_TEST

START_TEST(test_shifts_are_found_to_a_fraction_of_a_pixel) {
  const double shifts[][2] = {{.002, 0}, {.01, -.007}, {0, .05}, {-.12, .08}, {.25, -.2}};
  for (const auto& s : shifts) assert_tracked({1, 0, s[0], s[1]}, {}, {});
}
END_TEST

START_TEST(test_turns_and_distances_are_found) {
  for (const double degrees : {-12., -3., 0., 5., 15.})
    for (const double zoom : {.85, 1., 1.15})
      assert_tracked(turned(degrees, zoom, .05, -.03), {}, {});
}
END_TEST

START_TEST(test_samples_need_not_be_square_nor_large) {
  const struct {
    int width, height;
    Extent extent;
  } cases[] = {{256, 256, {1, 1}},    {192, 96, {2, 1}},        {96, 160, {1, 1.6}},
               {64, 64, {4. / 3, 1}}, {128, 128, {1, 16. / 9}}, {32, 32, {1, 1}},
               {100, 75, {4. / 3, 1}}};
  for (const auto& c : cases) {
    Camera camera;
    camera.width = c.width;
    camera.height = c.height;
    camera.extent = c.extent;
    assert_tracked(turned(4, 1.05, .06, -.04), camera, camera, c.width < 64 ? .02 : kTolerance);
  }
}
END_TEST

START_TEST(test_exposure_noise_and_focus_do_not_mislead) {
  Camera first, second;
  first.noise = second.noise = .01;
  second.seed = 2;
  for (const double exposure : {.6, 1., 1.3})
    for (const double blur : {0., .012}) {
      second.exposure = exposure;
      second.blur = blur;
      assert_tracked(turned(3, .97, -.08, .05), first, second);
    }
}
END_TEST

// It stands still where the scene moves, and is the strongest edge there is.
START_TEST(test_the_rim_of_the_view_does_not_hold_the_scene) {
  Camera camera;
  camera.rim = .55;
  for (unsigned seed = 1; seed < 5; ++seed)
    assert_tracked(turned(2, 1, .1, -.06), camera, camera, .01, seed);
}
END_TEST

START_TEST(test_a_good_guess_is_used_and_a_bad_one_forgiven) {
  const Scene scene = lesion_scene(3);
  const Similarity far = turned(25, 1.1, .1, .1), near = turned(3, 1, .04, 0);
  const std::vector<float> first = seen(scene, {});
  const Movement guessed =
      movement_between(first, seen(scene, far.inverse()), {}, turned(23, 1.1, .12, .1));
  ck_assert(distance(guessed.motion, far, Camera().extent) < kTolerance);
  const Movement misled = movement_between(first, seen(scene, near.inverse()), {}, far);
  ck_assert(distance(misled.motion, near, Camera().extent) < kTolerance);
}
END_TEST

START_TEST(test_nothing_is_told_of_flat_or_tiny_pictures) {
  Camera flat;
  flat.noise = .002;
  Camera other = flat;
  other.seed = 2;
  const Scene skin = [](double, double) { return .6; };
  const Scene black = [](double, double) { return 0.; };
  Camera tiny;
  tiny.width = tiny.height = 8;
  const Similarity guess = {1, 0, .1, 0};
  for (const Movement& found :
       {movement_between(seen(skin, {}, flat), seen(skin, {}, other), flat, guess),
        movement_between(seen(black, {}), seen(black, {}), {}, guess),
        movement_between(seen(lesion_scene(1), {}), seen(skin, {}), {}, guess),
        movement_between(seen(lesion_scene(1), {}, tiny), seen(lesion_scene(1), {}, tiny), tiny,
                         guess)}) {
    ck_assert(found.confidence == 0);
    ck_assert(!found.other_scene);
    ck_assert(distance(found.motion, guess, {}) == 0);
  }
}
END_TEST

START_TEST(test_another_scene_is_told_from_the_same) {
  constexpr unsigned kScenes = 20;
  unsigned told = 0;
  for (unsigned seed = 1; seed <= kScenes; ++seed) {
    const Movement found =
        movement_between(seen(lesion_scene(seed), {}), seen(lesion_scene(seed + 100), {}));
    ck_assert_msg(found.confidence < .2, "seed %u: confidence %g", seed, found.confidence);
    told += found.other_scene;
  }
  // Two lesions may look alike.
  ck_assert_msg(told >= kScenes - 2, "only %u of %u", told, kScenes);
}
END_TEST

START_TEST(test_motions_survive_the_way_through_a_matrix) {
  const Extent extent = {16. / 9, 1};
  const Similarity motion = turned(10, 1.2, .1, -.2);
  double m[6];
  to_matrix(motion, extent, m);
  ck_assert(distance(similarity_from(m, extent), motion, extent) < 1e-12);
  // The right edge's middle is at (8/9, 0).
  ck_assert(std::abs(m[0] + .5 * m[1] + m[2] - (.5 + (motion.a * 8 / 9 + .1) * 9 / 16)) < 1e-12);
  ck_assert(std::abs(m[3] + .5 * m[4] + m[5] - (.5 + motion.b * 8 / 9 - .2)) < 1e-12);
}
END_TEST

START_TEST(test_maps_move_by_whole_and_by_half_pixels) {
  const float map[] = {0, 1, 2, 3,  //
                       4, 5, 6, 7};
  float moved[8];
  // A pixel to the right, and none down; the edge goes on.
  MapMovement({{1, 0, .25, 0, 1, 0}, 1, FALSE}, 4, 2).move({map, 4, 2}, moved);
  const float right[] = {0, 0, 1, 2, 4, 4, 5, 6};
  for (int i = 0; i < 8; ++i) ck_assert(moved[i] == right[i]);
  MapMovement({{1, 0, -.125, 0, 1, .25}, 1, FALSE}, 4, 2).move({map, 4, 2}, moved);
  const float half[] = {.5, 1.5, 2.5, 3, 2.5, 3.5, 4.5, 5};
  for (int i = 0; i < 8; ++i) ck_assert(moved[i] == half[i]);
  // Upside down and back to front.
  MapMovement({{-1, 0, 1, 0, -1, 1}, 1, FALSE}, 4, 2).move({map, 4, 2}, moved);
  for (int i = 0; i < 8; ++i) ck_assert(std::abs(moved[i] - map[7 - i]) < 1e-5f);
}
END_TEST

START_TEST(test_only_what_both_show_is_mixed) {
  const float map[] = {1, 1, 1, 1};
  float into[] = {0, 0, 0, 0};
  MapMovement({{1, 0, .5, 0, 1, 0}, 1, FALSE}, 4, 1).mix({map, 4, 1}, .25, into);
  const float mixed[] = {0, 0, .25, .25};
  for (int i = 0; i < 4; ++i) ck_assert(into[i] == mixed[i]);
}
END_TEST

START_TEST(test_a_motion_that_cannot_be_undone_is_refused) {
  for (const double m : {0., std::nan("")})
    assert_fault(error_of([=] {
                   MapMovement({{m, 0, 0, 0, 1, 0}, 1, FALSE}, 4, 4);
                 }),
                 Fault::settings);
}
END_TEST

int main() {
  Suite* suite = suite_create("motion");
  TCase* tests = tcase_create("motion");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, test_a_still_picture_does_not_move);
  tcase_add_test(tests, test_shifts_are_found_to_a_fraction_of_a_pixel);
  tcase_add_test(tests, test_turns_and_distances_are_found);
  tcase_add_test(tests, test_samples_need_not_be_square_nor_large);
  tcase_add_test(tests, test_exposure_noise_and_focus_do_not_mislead);
  tcase_add_test(tests, test_the_rim_of_the_view_does_not_hold_the_scene);
  tcase_add_test(tests, test_a_good_guess_is_used_and_a_bad_one_forgiven);
  tcase_add_test(tests, test_nothing_is_told_of_flat_or_tiny_pictures);
  tcase_add_test(tests, test_another_scene_is_told_from_the_same);
  tcase_add_test(tests, test_motions_survive_the_way_through_a_matrix);
  tcase_add_test(tests, test_maps_move_by_whole_and_by_half_pixels);
  tcase_add_test(tests, test_only_what_both_show_is_mixed);
  tcase_add_test(tests, test_a_motion_that_cannot_be_undone_is_refused);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
