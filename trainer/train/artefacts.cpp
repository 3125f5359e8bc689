// SPDX-License-Identifier: MIT
#include "trainer/train/artefacts.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "trainer/train/random.h"

namespace unetseg::trainer {
namespace {

constexpr double kTurn = 6.283185307179586;

struct Rgb {
  double r, g, b;  // 0..1
};

struct Point {
  double x, y;
};

// Lengths are in half heights of the picture, whose centre is (0, 0).
class Layer {
 public:
  Layer(int width, int height)
      : width_(width),
        height_(height),
        coverage_(static_cast<std::size_t>(width) * height),
        planes_(4 * coverage_.size()) {}

  double aspect() const { return static_cast<double>(width_) / height_; }

  // A part of the shape that is being drawn; parts unite. Thinner than a pixel is fainter.
  void add_segment(Point from, Point to, double thickness) {
    const double half = std::max(0.5, thickness * unit() / 2);
    const double faint = std::min(1.0, thickness * unit());
    const Point a = pixel(from), b = pixel(to);
    const double dx = b.x - a.x, dy = b.y - a.y, squared = dx * dx + dy * dy;
    cover({std::min(a.x, b.x) - half, std::min(a.y, b.y) - half},
          {std::max(a.x, b.x) + half, std::max(a.y, b.y) + half}, [&](double x, double y) {
            const double along =
                squared > 0 ? std::clamp(((x - a.x) * dx + (y - a.y) * dy) / squared, 0.0, 1.0) : 0;
            const double distance = std::hypot(x - a.x - along * dx, y - a.y - along * dy);
            return faint * std::clamp(half - distance + 0.5, 0.0, 1.0);
          });
  }

  void add_ellipse(Point centre, double radius, double stretch) {
    const Point c = pixel(centre);
    const double rx = std::max(0.5, radius * unit() * stretch);
    const double ry = std::max(0.5, radius * unit() / stretch);
    cover({c.x - rx, c.y - ry}, {c.x + rx, c.y + ry}, [&](double x, double y) {
      const double r = std::hypot((x - c.x) / rx, (y - c.y) / ry);
      return std::clamp((1 - r) * std::min(rx, ry) + 0.5, 0.0, 1.0);
    });
  }

  // A disc whose light or colour falls off over `reach` around it.
  void add_glow(Point centre, double radius, double reach) {
    const Point c = pixel(centre);
    const double all = (radius + reach) * unit();
    cover({c.x - all, c.y - all}, {c.x + all, c.y + all}, [&](double x, double y) {
      const double beyond = (std::hypot(x - c.x, y - c.y) / unit() - radius) / reach;
      const double share = std::clamp(1 - beyond, 0.0, 1.0);
      return share * share;
    });
  }

  // Puts the shape over what is there, and begins the next one.
  void paint(const Rgb& colour, double opacity) {
    const std::array<double, 4> source = {colour.r, colour.g, colour.b, 1};
    for (std::size_t i = 0; i < coverage_.size(); ++i) {
      const double share = coverage_[i] * opacity;
      if (share == 0) continue;
      for (std::size_t plane = 0; plane < 4; ++plane) {
        float& value = planes_[plane * coverage_.size() + i];
        value = static_cast<float>(value * (1 - share) + source[plane] * share);
      }
    }
    std::fill(coverage_.begin(), coverage_.end(), 0.0f);
  }

  void append_to(std::vector<std::uint8_t>* bytes) const {
    for (const float value : planes_)
      bytes->push_back(static_cast<std::uint8_t>(std::lround(255 * value)));
  }

 private:
  double unit() const { return height_ / 2.0; }
  Point pixel(Point p) const {
    return {p.x * unit() + width_ / 2.0 - 0.5, p.y * unit() + height_ / 2.0 - 0.5};
  }

  template <typename Share>
  void cover(Point low, Point high, Share&& share) {
    const int x0 = std::max(0, static_cast<int>(std::floor(low.x - 1)));
    const int x1 = std::min(width_ - 1, static_cast<int>(std::ceil(high.x + 1)));
    const int y0 = std::max(0, static_cast<int>(std::floor(low.y - 1)));
    const int y1 = std::min(height_ - 1, static_cast<int>(std::ceil(high.y + 1)));
    for (int y = y0; y <= y1; ++y)
      for (int x = x0; x <= x1; ++x) {
        float& value = coverage_[static_cast<std::size_t>(y) * width_ + x];
        value = std::max(value, static_cast<float>(share(x, y)));
      }
  }

  int width_, height_;
  std::vector<float> coverage_;  // of the shape that is being drawn
  std::vector<float> planes_;    // red, green, blue, opacity
};

Point anywhere(const Layer& layer, Random& random) {
  return {layer.aspect() * random.uniform(-1, 1), random.uniform(-1, 1)};
}

// A line whose heading changes slowly.
void add_curve(Layer* layer, Random& random, Point from, double heading, double length,
               double thickness) {
  constexpr double kStep = 0.06;
  double curvature = random.uniform(-0.9, 0.9);
  const double bend = random.uniform(-0.8, 0.8);
  for (double s = 0; s < length; s += kStep) {
    heading += curvature * kStep;
    curvature += bend * kStep;
    const Point to = {from.x + kStep * std::cos(heading), from.y + kStep * std::sin(heading)};
    layer->add_segment(from, to, thickness);
    from = to;
  }
}

void draw_hairs(Layer* layer, Random& random) {
  const int count = 2 + static_cast<int>(random.below(random.chance(0.3) ? 30 : 10));
  const double direction = random.uniform(0, kTurn), spread = random.uniform(0.2, 1.5);
  const double thickness = random.uniform(0.008, 0.03);
  for (int i = 0; i < count; ++i) {
    const double heading = direction + spread * random.uniform(-1, 1);
    const double length = random.uniform(0.5, 2.6);
    Point middle = anywhere(*layer, random);
    middle.x -= length / 2 * std::cos(heading);
    middle.y -= length / 2 * std::sin(heading);
    add_curve(layer, random, middle, heading, length, thickness * random.uniform(0.6, 1.3));
  }
  // Black, brown or fair.
  const double fairness = random.chance(0.25) ? random.uniform(0.5, 1) : random.uniform(0, 0.3);
  layer->paint({0.1 + 0.6 * fairness, 0.08 + 0.5 * fairness, 0.07 + 0.35 * fairness},
               random.uniform(0.5, 0.95));
}

void draw_ruler(Layer* layer, Random& random) {
  const double spacing = random.uniform(0.03, 0.12), tick = random.uniform(0.04, 0.12);
  const double thickness = random.uniform(0.008, 0.02);
  const bool upright = random.chance(0.5), far_side = random.chance(0.5);
  const double span = upright ? 1 : layer->aspect(), depth = upright ? layer->aspect() : 1;
  const double edge = depth * random.uniform(0.6, 1) * (far_side ? 1 : -1);
  const double into = far_side ? -1 : 1;
  const auto place = [&](double along, double across) {
    return upright ? Point{across, along} : Point{along, across};
  };
  int number = 0;
  for (double along = -span; along < span; along += spacing, ++number) {
    const double length = tick * (number % 10 == 0 ? 2 : number % 5 == 0 ? 1.5 : 1);
    layer->add_segment(place(along, edge), place(along, edge + into * length), thickness);
  }
  if (random.chance(0.5)) layer->add_segment(place(-span, edge), place(span, edge), thickness);
  const double light = random.chance(0.8) ? random.uniform(0, 0.2) : random.uniform(0.8, 1);
  layer->paint({light, light, light}, random.uniform(0.6, 1));
}

constexpr std::array<Rgb, 4> kInks = {
    {{0.35, 0.2, 0.5}, {0.15, 0.2, 0.5}, {0.1, 0.1, 0.12}, {0.1, 0.35, 0.3}}};

void draw_pen_marks(Layer* layer, Random& random) {
  const int count = 1 + static_cast<int>(random.below(5));
  const double thickness = random.uniform(0.03, 0.1);
  // Around a place that may well be the lesion's.
  const double distance = random.uniform(0.5, 1.2);
  for (int i = 0; i < count; ++i) {
    const double angle = random.uniform(0, kTurn);
    const Point from = {distance * std::cos(angle), distance * std::sin(angle)};
    const double heading = angle + (random.chance(0.5) ? kTurn / 4 : 0) + random.uniform(-0.4, 0.4);
    add_curve(layer, random, from, heading, random.uniform(0.2, 1), thickness);
  }
  layer->paint(kInks[random.below(kInks.size())], random.uniform(0.35, 0.85));
}

// An uneven circle around the place, as surgeons draw it; the ink has gaps.
void draw_pen_circle(Layer* layer, Random& random) {
  constexpr int kCorners = 60;
  const double radius = random.uniform(0.3, 0.9), stretch = random.uniform(0.7, 1.4);
  const double thickness = random.uniform(0.02, 0.07), gaps = random.uniform(0, 0.4);
  const Point centre = {random.uniform(-0.2, 0.2), random.uniform(-0.2, 0.2)};
  const auto corner = [&](int i) {
    const double angle = kTurn * i / kCorners;
    const double r = radius * (1 + 0.06 * std::sin(3 * angle) + random.uniform(-0.02, 0.02));
    return Point{centre.x + r * stretch * std::cos(angle),
                 centre.y + r / stretch * std::sin(angle)};
  };
  Point from = corner(0);
  for (int i = 1; i <= kCorners; ++i) {
    const Point to = corner(i);
    if (!random.chance(gaps)) layer->add_segment(from, to, thickness);
    from = to;
  }
  layer->paint(kInks[random.below(kInks.size())], random.uniform(0.3, 0.8));
}

// Cloth, a glove or a drape at one side: its edge is bent, its colour and its shadow lie on the
// skin, and folds run along it.
void draw_drape(Layer* layer, Random& random) {
  constexpr std::array<Rgb, 8> kColours = {{{0.8, 0.15, 0.5},
                                            {0.7, 0.1, 0.35},
                                            {0.2, 0.4, 0.65},
                                            {0.1, 0.55, 0.7},
                                            {0.25, 0.55, 0.45},
                                            {0.85, 0.85, 0.9},
                                            {0.35, 0.3, 0.5},
                                            {0.1, 0.1, 0.12}}};
  const double angle = random.uniform(0, kTurn), radius = random.uniform(1.5, 6);
  const double nx = std::cos(angle), ny = std::sin(angle);
  // So far from the picture's middle that a lesion there is seen.
  const double distance = random.uniform(0.4, 1.1);
  const auto beyond = [&](double depth) {
    return Point{layer->aspect() * distance * nx + depth * nx, distance * ny + depth * ny};
  };
  const Rgb colour = kColours[random.below(kColours.size())];
  if (random.chance(0.6)) {
    layer->add_glow(beyond(radius), radius, random.uniform(0.2, 0.9));
    layer->paint(colour, random.uniform(0.05, 0.35));
  }
  layer->add_ellipse(beyond(radius - random.uniform(0.01, 0.08)), radius, 1);
  layer->paint({0, 0, 0}, random.uniform(0, 0.35));
  layer->add_ellipse(beyond(radius), radius, 1);
  layer->paint(colour, random.uniform(0.9, 1));
  const int folds = static_cast<int>(random.below(6));
  for (int i = 0; i < folds; ++i) {
    Point from = beyond(random.uniform(0.1, 0.9));
    from.x -= 3 * ny;
    from.y += 3 * nx;
    const double along = angle - kTurn / 4 + random.uniform(-0.1, 0.1);
    layer->add_segment(from, {from.x + 6 * std::cos(along), from.y + 6 * std::sin(along)},
                       random.uniform(0.02, 0.12));
    const double light = random.chance(0.5) ? 1.25 : 0.7;
    const auto lit = [light](double value) { return std::min(1.0, light * value); };
    layer->paint({lit(colour.r), lit(colour.g), lit(colour.b)}, random.uniform(0.1, 0.5));
  }
}

// Skin that is redder or browner in places, without an edge: pressure, sun, a nail's bed.
void draw_flush(Layer* layer, Random& random) {
  const int count = 1 + static_cast<int>(random.below(3));
  for (int i = 0; i < count; ++i) {
    layer->add_glow(anywhere(*layer, random), random.uniform(0, 0.6), random.uniform(0.3, 1));
    // Brown stays faint: more would be a lesion.
    const bool red = random.chance(0.7);
    layer->paint(red ? Rgb{0.75, 0.3, 0.3} : Rgb{0.5, 0.35, 0.2},
                 random.uniform(0.04, red ? 0.25 : 0.12));
  }
}

void draw_bubbles(Layer* layer, Random& random) {
  const int count = 3 + static_cast<int>(random.below(25));
  const double opacity = random.uniform(0.15, 0.6);
  for (int i = 0; i < count; ++i) {
    const Point centre = anywhere(*layer, random);
    const double radius = random.uniform(0.02, 0.15);
    constexpr int kCorners = 24;
    Point from = {centre.x + radius, centre.y};
    for (int corner = 1; corner <= kCorners; ++corner) {
      const double angle = kTurn * corner / kCorners;
      const Point to = {centre.x + radius * std::cos(angle), centre.y + radius * std::sin(angle)};
      layer->add_segment(from, to, 0.02);
      from = to;
    }
    layer->paint(random.chance(0.3) ? Rgb{0.25, 0.2, 0.2} : Rgb{1, 1, 1}, opacity);
    layer->add_ellipse({centre.x - radius * 0.4, centre.y - radius * 0.4}, radius * 0.2, 1);
    layer->paint({1, 1, 1}, opacity);
  }
}

// The coloured patches that photographers stick beside a lesion.
void draw_sticker(Layer* layer, Random& random) {
  const std::array<Rgb, 6> colours = {{{0.9, 0.8, 0.2},
                                       {0.2, 0.4, 0.8},
                                       {0.85, 0.3, 0.25},
                                       {0.3, 0.65, 0.4},
                                       {0.95, 0.55, 0.2},
                                       {0.15, 0.15, 0.15}}};
  const double angle = random.uniform(0, kTurn), distance = random.uniform(0.9, 1.4);
  const Point centre = {layer->aspect() * distance * std::cos(angle), distance * std::sin(angle)};
  layer->add_ellipse(centre, random.uniform(0.2, 0.6), random.uniform(0.8, 1.25));
  layer->paint(colours[random.below(colours.size())], 1);
}

}  // namespace

std::vector<std::uint8_t> draw_artefacts(int count, int width, int height, std::uint64_t seed) {
  std::vector<std::uint8_t> layers;
  layers.reserve(static_cast<std::size_t>(count) * 4 * width * height);
  for (int i = 0; i < count; ++i) {
    Random random(seed, Purpose::artefacts, {static_cast<std::uint64_t>(i)});
    Layer layer(width, height);
    if (random.chance(0.2)) draw_flush(&layer, random);
    const double kind = random.uniform();
    if (kind < 0.1 || kind > 0.85) draw_sticker(&layer, random);
    if (kind > 0.15 && kind < 0.3) draw_ruler(&layer, random);
    if (kind > 0.25 && kind < 0.4) draw_bubbles(&layer, random);
    if (kind > 0.7 && kind < 0.82) draw_pen_marks(&layer, random);
    if (kind > 0.8 && kind < 0.88) draw_pen_circle(&layer, random);
    if (kind > 0.88) draw_drape(&layer, random);
    if (kind < 0.2 || (kind > 0.35 && kind < 0.75)) draw_hairs(&layer, random);
    layer.append_to(&layers);
  }
  return layers;
}

}  // namespace unetseg::trainer
