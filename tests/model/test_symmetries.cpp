// SPDX-License-Identifier: MIT
// Test-time augmentation over engines whose answers are known.
#include "model/engine/symmetries.h"

#include "tests/model/allocation_watch.h"

#include "tests/check.h"

using namespace unetseg;

namespace {

constexpr int kSide = 5;
constexpr UnetsegTta kAll[] = {UNETSEG_TTA_NONE, UNETSEG_TTA_FLIPS, UNETSEG_TTA_D4};

using Plane = std::vector<float>;

// Each probability is the weighted sum of the input's three planes at the pixel to its left.
class LeftNeighbour final : public Engine {
 public:
  LeftNeighbour(int width, int height) : width_(width), height_(height) {}
  const ModelCard& card() const override { return card_; }
  std::string device() const override { return "cpu"; }
  std::string name() const override { return "left neighbour"; }
  std::string precision() const override { return "fp32"; }
  void run(const float* const* inputs, float* const* probabilities, int n) override {
    batches.push_back(n);
    const int pixels = width_ * height_;
    for (int i = 0; i < n; ++i)
      for (int p = 0; p < pixels; ++p) {
        const float* left = inputs[i] + p - 1;
        probabilities[i][p] =
            p % width_ == 0 ? 0 : left[0] + 2 * left[pixels] + 4 * left[2 * pixels];
      }
  }

  std::vector<int> batches;

 private:
  int width_, height_;
  ModelCard card_;
};

// One pixel of the plane `channel` is 1.
Plane spot(int width, int height, int x, int y, int channel = 0) {
  Plane input(static_cast<std::size_t>(3 * width * height), 0.0f);
  input[static_cast<std::size_t>((channel * height + y) * width + x)] = 1;
  return input;
}

Plane run(LeftNeighbour& engine, Symmetries& symmetries, UnetsegTta tta, const Plane& input) {
  Plane probabilities(input.size() / 3, -1.0f);
  const float* const inputs[] = {input.data()};
  float* const outputs[] = {probabilities.data()};
  symmetries.run(engine, tta, inputs, outputs, 1);
  return probabilities;
}

struct Expected {
  int x, y;
  float value;
};

// All pixels but these are 0.
void assert_pixels(const Plane& plane, int width, const std::vector<Expected>& expected) {
  for (int p = 0; p < static_cast<int>(plane.size()); ++p) {
    float value = 0;
    for (const Expected& e : expected)
      if (e.y * width + e.x == p) value = e.value;
    ck_assert_msg(plane[static_cast<std::size_t>(p)] == value, "(%d, %d) is %g instead of %g",
                  p % width, p / width, plane[static_cast<std::size_t>(p)], value);
  }
}

}  // namespace

START_TEST(test_without_it_the_batch_goes_through_as_it_is) {
  LeftNeighbour engine(kSide, kSide);
  Symmetries symmetries(kSide, kSide);
  const Plane inputs[] = {spot(kSide, kSide, 1, 2), spot(kSide, kSide, 3, 4)};
  Plane outputs[] = {Plane(kSide * kSide), Plane(kSide * kSide)};
  const float* const from[] = {inputs[0].data(), inputs[1].data()};
  float* const to[] = {outputs[0].data(), outputs[1].data()};
  symmetries.run(engine, UNETSEG_TTA_NONE, from, to, 2);
  ck_assert(engine.batches == std::vector<int>{2});
  assert_pixels(outputs[0], kSide, {{2, 2, 1}});
  assert_pixels(outputs[1], kSide, {{4, 4, 1}});
}
END_TEST

START_TEST(test_flips_are_the_mean_over_four_mirror_images) {
  LeftNeighbour engine(kSide, kSide);
  Symmetries symmetries(kSide, kSide);
  assert_pixels(run(engine, symmetries, UNETSEG_TTA_FLIPS, spot(kSide, kSide, 1, 3)), kSide,
                {{2, 3, .5f}, {0, 3, .5f}});
  ck_assert(engine.batches == std::vector<int>{4});
}
END_TEST

START_TEST(test_d4_turns_them_as_well) {
  LeftNeighbour engine(kSide, kSide);
  Symmetries symmetries(kSide, kSide);
  assert_pixels(run(engine, symmetries, UNETSEG_TTA_D4, spot(kSide, kSide, 1, 3)), kSide,
                {{2, 3, .25f}, {0, 3, .25f}, {1, 2, .25f}, {1, 4, .25f}});
  ck_assert(engine.batches == std::vector<int>{8});
}
END_TEST

START_TEST(test_an_input_that_is_not_square_is_mirrored_alone) {
  LeftNeighbour engine(7, 3);
  Symmetries symmetries(7, 3);
  for (const UnetsegTta tta : {UNETSEG_TTA_FLIPS, UNETSEG_TTA_D4})
    assert_pixels(run(engine, symmetries, tta, spot(7, 3, 5, 0)), 7, {{6, 0, .5f}, {4, 0, .5f}});
  ck_assert(engine.batches == (std::vector<int>{4, 4}));
}
END_TEST

START_TEST(test_all_three_planes_are_mirrored) {
  LeftNeighbour engine(kSide, kSide);
  Symmetries symmetries(kSide, kSide);
  for (int channel = 0; channel < 3; ++channel) {
    const float half = static_cast<float>(1 << channel) / 2;
    assert_pixels(run(engine, symmetries, UNETSEG_TTA_FLIPS, spot(kSide, kSide, 2, 1, channel)),
                  kSide, {{3, 1, half}, {1, 1, half}});
  }
}
END_TEST

START_TEST(test_frames_of_a_batch_get_what_each_gets_alone) {
  LeftNeighbour engine(kSide, kSide);
  Symmetries symmetries(kSide, kSide);
  for (const UnetsegTta tta : kAll) {
    Plane inputs[3], together[3];
    const float* from[3];
    float* to[3];
    for (int i = 0; i < 3; ++i) {
      inputs[i] = spot(kSide, kSide, i, 4 - i, i);
      together[i].resize(kSide * kSide);
      from[i] = inputs[i].data();
      to[i] = together[i].data();
    }
    symmetries.run(engine, tta, from, to, 3);
    for (int i = 0; i < 3; ++i) ck_assert(together[i] == run(engine, symmetries, tta, inputs[i]));
  }
}
END_TEST

START_TEST(test_nothing_is_allocated_after_the_first_time) {
  LeftNeighbour engine(kSide, kSide);
  engine.batches.reserve(100);
  Symmetries symmetries(kSide, kSide);
  const Plane input = spot(kSide, kSide, 1, 1);
  Plane output(kSide * kSide);
  const float* const from[] = {input.data()};
  float* const to[] = {output.data()};
  symmetries.run(engine, UNETSEG_TTA_D4, from, to, 1);
  allocation_watch::largest = 0;
  for (const UnetsegTta tta : kAll) symmetries.run(engine, tta, from, to, 1);
  ck_assert_uint_eq(allocation_watch::largest, 0);
}
END_TEST

int main() {
  Suite* suite = suite_create("symmetries");
  TCase* tests = tcase_create("test-time augmentation");
  tcase_add_test(tests, test_without_it_the_batch_goes_through_as_it_is);
  tcase_add_test(tests, test_flips_are_the_mean_over_four_mirror_images);
  tcase_add_test(tests, test_d4_turns_them_as_well);
  tcase_add_test(tests, test_an_input_that_is_not_square_is_mirrored_alone);
  tcase_add_test(tests, test_all_three_planes_are_mirrored);
  tcase_add_test(tests, test_frames_of_a_batch_get_what_each_gets_alone);
  tcase_add_test(tests, test_nothing_is_allocated_after_the_first_time);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
