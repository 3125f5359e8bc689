// SPDX-License-Identifier: MIT
#include "trainer/train/erase.h"

#include <algorithm>
#include <vector>

namespace unetseg::trainer {
namespace {

// The mean over a square of 2 reach + 1 pixels; at the picture's edge over what there is of it. Of
// columns first and then of rows, as the maximum below: the same for a fraction of the work.
at::Tensor mean_around(const at::Tensor& x, std::int64_t reach) {
  const std::int64_t side = 2 * reach + 1;
  const at::Tensor columns = at::avg_pool2d(x, {side, 1}, {1, 1}, {reach, 0}, false, false);
  return at::avg_pool2d(columns, {1, side}, {1, 1}, {0, reach}, false, false);
}

// 1 where a pixel within `reach` has anything of `x`.
at::Tensor spread(const at::Tensor& x, std::int64_t reach) {
  constexpr double kFaint = 0.02;
  const std::int64_t side = 2 * reach + 1;
  const at::Tensor columns = at::max_pool2d(x, {side, 1}, {1, 1}, {reach, 0});
  return at::max_pool2d(columns, {1, side}, {1, 1}, {0, reach}).gt(kFaint).to(x.scalar_type());
}

// `images` where `known` is 1, and smoothly continued where it is 0.
at::Tensor filled(const at::Tensor& images, const at::Tensor& known) {
  const auto half = [](std::int64_t size) { return std::max<std::int64_t>(1, size / 2); };
  std::vector<at::Tensor> pyramid = {at::cat({images * known, known}, 1)};
  while (pyramid.back().size(2) > 1 || pyramid.back().size(3) > 1) {
    const at::Tensor& finer = pyramid.back();
    const at::Tensor mean =
        at::adaptive_avg_pool2d(finer, {half(finer.size(2)), half(finer.size(3))});
    // One known pixel of four is enough, so that what is near counts more than what is far.
    pyramid.push_back(mean / mean.narrow(1, 3, 1).clamp_min(0.25));
  }
  at::Tensor fill = pyramid.back().narrow(1, 0, 3);
  for (auto level = pyramid.rbegin() + 1; level != pyramid.rend(); ++level) {
    const at::Tensor larger =
        at::upsample_bilinear2d(fill, {level->size(2), level->size(3)}, false);
    fill = level->narrow(1, 0, 3) + (1 - level->narrow(1, 3, 1)) * larger;
  }
  return fill;
}

// What is finer than `reach` pixels, except on the lesion and on what is no skin: hairs and rims.
at::Tensor fine_texture(const at::Tensor& images, const at::Tensor& lesion, std::int64_t halo,
                        std::int64_t reach) {
  constexpr double kStrongest = 0.06;
  const at::Tensor fine = images - mean_around(images, reach);
  const at::Tensor strong = fine.abs().amax(1, true).gt(kStrongest).to(fine.scalar_type());
  return fine * (1 - at::maximum(spread(lesion, halo), spread(strong, reach)));
}

// 1 on what is not covered and no black rim: at least half as light as the picture's mean.
at::Tensor skin_of(const at::Tensor& images, const at::Tensor& covered) {
  const at::Tensor free = 1 - covered, light = images.amax(1, true);
  const at::Tensor mean = (light * free).sum({2, 3}, true) / free.sum({2, 3}, true).clamp_min(1);
  return free * light.ge(0.5 * mean).to(free.scalar_type());
}

}  // namespace

at::Tensor without_lesion(const at::Tensor& images, const at::Tensor& lesion) {
  const std::int64_t height = images.size(2), width = images.size(3);
  const std::int64_t halo = std::max<std::int64_t>(1, height / 16);
  const std::int64_t fade = std::max<std::int64_t>(1, height / 32);
  const at::Tensor covered = spread(lesion, halo + fade);
  const at::Tensor share = mean_around(covered, fade);  // still 1 on the lesion and its halo
  const at::Tensor fill = filled(images, skin_of(images, covered));
  const at::Tensor smooth = at::lerp(fill, mean_around(fill, fade), covered);
  // Lesions lie in the middle: what is half a picture away is skin.
  const at::Tensor texture =
      fine_texture(images, lesion, halo, fade).roll({height / 2, width / 2}, {2, 3});
  return at::lerp(images, smooth + texture, share);
}

}  // namespace unetseg::trainer
