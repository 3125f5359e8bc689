// SPDX-License-Identifier: MIT
#include "trainer/train/augment.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

#include "trainer/train/artefacts.h"
#include "trainer/train/erase.h"
#include "trainer/train/gpu/transfer.h"
#include "trainer/train/jpeg.h"
#include "trainer/train/random.h"

namespace unetseg::trainer {
namespace {

constexpr std::uint64_t kArtefactSeed = 1;  // the bank is the same for every run
constexpr std::int64_t kBilinear = 0, kZeros = 0, kReflection = 2;  // grid_sampler's own numbers

// One tensor from one member of all plans.
template <typename Get>
at::Tensor column(const std::vector<SamplePlan>& plans, std::int64_t width, at::Device device,
                  Get&& get) {
  const at::Tensor values =
      gpu::staging({static_cast<std::int64_t>(plans.size()), width}, at::kFloat, device);
  float* out = values.data_ptr<float>();
  for (const SamplePlan& plan : plans)
    for (std::int64_t i = 0; i < width; ++i) *out++ = get(plan, static_cast<std::size_t>(i));
  return gpu::sent(values, device);
}

at::Tensor indices_on(const at::Device& device, const std::vector<std::int64_t>& indices) {
  const auto count = static_cast<std::int64_t>(indices.size());
  const at::Tensor values = gpu::staging({count}, at::kLong, device);
  std::copy(indices.begin(), indices.end(), values.data_ptr<std::int64_t>());
  return gpu::sent(values, device);
}

// Each sample's own Gaussian, as one grouped 9x9 convolution.
at::Tensor blur(const at::Tensor& images, const std::vector<SamplePlan>& plans) {
  constexpr int kRadius = 4, kSize = 2 * kRadius + 1;
  const at::Tensor kernel =
      column(plans, kSize * kSize, images.device(), [](const SamplePlan& plan, std::size_t i) {
        const int x = static_cast<int>(i % kSize) - kRadius,
                  y = static_cast<int>(i / kSize) - kRadius;
        if (plan.blur_sigma == 0) return x == 0 && y == 0 ? 1.0f : 0.0f;
        return std::exp(-static_cast<float>(x * x + y * y) /
                        (2 * plan.blur_sigma * plan.blur_sigma));
      });
  const std::int64_t n = images.size(0), c = images.size(1);
  const at::Tensor weights = (kernel / kernel.sum(1, true))
                                 .view({n, 1, kSize, kSize})
                                 .expand({n, c, kSize, kSize})
                                 .reshape({n * c, 1, kSize, kSize});
  const at::Tensor padded = at::reflection_pad2d(images, {kRadius, kRadius, kRadius, kRadius});
  const std::int64_t one = 1, zero = 0;  // named, since a literal 0 could also mean a null pointer
  return at::conv2d(padded.view({1, n * c, padded.size(2), padded.size(3)}), weights, at::Tensor(),
                    at::IntArrayRef(one), at::IntArrayRef(zero), at::IntArrayRef(one), n * c)
      .view_as(images);
}

at::Tensor recolour(const at::Tensor& images, const std::vector<SamplePlan>& plans) {
  const std::int64_t n = images.size(0);
  const at::Device device = images.device();
  const at::Tensor matrix = column(plans, 9, device, [](const SamplePlan& p, std::size_t i) {
                              return p.colour[i];
                            }).view({n, 3, 3});
  const at::Tensor contrast = column(plans, 1, device, [](const SamplePlan& p, std::size_t) {
                                return p.contrast;
                              }).view({n, 1, 1});
  at::Tensor x = at::bmm(matrix, images.flatten(2));
  const at::Tensor mean = x.mean({1, 2}, true);
  x = ((x - mean) * contrast + mean).clamp_(0, 1);
  if (!device.is_cpu()) {
    const at::Tensor gamma = column(plans, 1, device, [](const SamplePlan& p, std::size_t) {
                               return p.gamma;
                             }).view({n, 1, 1});
    return x.pow(gamma).view_as(images);
  }
  for (std::size_t i = 0; i < plans.size(); ++i)
    if (plans[i].gamma != 1)
      x.select(0, static_cast<std::int64_t>(i)).pow_(static_cast<double>(plans[i].gamma));
  return x.view_as(images);
}

// The share of each sample's pixels that its grid takes from inside the picture; on a CPU of those
// samples alone that have a black border, for others it is not said.
at::Tensor inside_share(const std::vector<SamplePlan>& plans, const at::Tensor& source,
                        const at::Tensor& grid) {
  const std::int64_t n = grid.size(0);
  const auto sampled = [&](const at::Tensor& grids) {
    return at::grid_sampler_2d(
        at::ones({grids.size(0), 1, source.size(2), source.size(3)}, source.options()), grids,
        kBilinear, kZeros, false);
  };
  if (!grid.is_cpu()) return sampled(grid);
  const at::Tensor inside = at::ones({n, 1, grid.size(1), grid.size(2)}, source.options());
  for (std::int64_t i = 0; i < n; ++i)
    if (plans[static_cast<std::size_t>(i)].black_border)
      inside.narrow(0, i, 1).copy_(sampled(grid.narrow(0, i, 1)));
  return inside;
}

// The samples for which `is_one` holds, in groups that are worked on together: one by one on a CPU.
template <typename IsOne>
std::vector<std::vector<std::int64_t>> groups_of(const std::vector<SamplePlan>& plans,
                                                 const at::Device& device, IsOne&& is_one) {
  std::vector<std::vector<std::int64_t>> groups;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (!is_one(plans[i])) continue;
    if (groups.empty() || device.is_cpu()) groups.emplace_back();
    groups.back().push_back(static_cast<std::int64_t>(i));
  }
  return groups;
}

void blur_some(const std::vector<SamplePlan>& plans, at::Tensor* images) {
  const auto is_blurred = [](const SamplePlan& plan) { return plan.blur_sigma > 0; };
  for (const std::vector<std::int64_t>& group : groups_of(plans, images->device(), is_blurred)) {
    std::vector<SamplePlan> blurring;
    for (const std::int64_t i : group) blurring.push_back(plans[static_cast<std::size_t>(i)]);
    const at::Tensor indices = indices_on(images->device(), group);
    images->index_copy_(0, indices, blur(images->index_select(0, indices), blurring));
  }
}

at::Generator generator_on(const at::Device& device, std::uint64_t seed) {
  if (device.is_cpu()) return at::detail::createCPUGenerator(seed);
  at::Generator generator = at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed(seed);
  return generator;
}

// Fewer pixels and back, as an enlarged picture of a small camera has it. `image`: 1 x 3 x H x W.
at::Tensor lowered(const at::Tensor& image, double resolution) {
  const auto fewer = [&](std::int64_t size) {
    return std::max<std::int64_t>(1,
                                  std::llround(static_cast<double>(image.size(size)) * resolution));
  };
  const at::Tensor small = at::adaptive_avg_pool2d(image, {fewer(2), fewer(3)});
  return at::upsample_bilinear2d(small, {image.size(2), image.size(3)}, false);
}

// In squares of `grain` pixels, each with a value of its own for every channel.
at::Tensor noise_like(const at::Tensor& image, float grain, const at::Generator& generator) {
  const auto squares = [&](std::int64_t size) {
    return std::max<std::int64_t>(1,
                                  std::llround(static_cast<float>(size) / std::max(1.0f, grain)));
  };
  const at::Tensor values =
      at::randn({image.size(0), image.size(1), squares(image.size(2)), squares(image.size(3))},
                generator, image.options());
  return at::upsample_nearest2d(values, {image.size(2), image.size(3)});
}

}  // namespace

BatchMaker::BatchMaker(const DecodedSet& set, int width, int height, at::Device device)
    : set_(set), width_(width), height_(height), device_(device), jpeg_(device) {
  const auto n = static_cast<std::int64_t>(set.size());
  const std::int64_t h = set.height, w = set.width;
  // from_blob takes a mutable pointer, but the copies that follow only read.
  const at::Tensor rgb =
      at::from_blob(const_cast<std::uint8_t*>(set.images.data()), {n, h, w, 3}, at::kByte);
  const at::Tensor mask =
      at::from_blob(const_cast<std::uint8_t*>(set.masks.data()), {n, 1, h, w}, at::kByte);
  const bool taught = !set.found.empty();
  data_ = at::empty({n, taught ? 5 : 4, h, w}, at::device(device).dtype(at::kByte));
  data_.narrow(1, 0, 3).copy_(rgb.permute({0, 3, 1, 2}));
  data_.narrow(1, 3, 1).copy_(mask);
  if (taught)
    data_.narrow(1, 4, 1).copy_(
        at::from_blob(const_cast<std::uint8_t*>(set.found.data()), {n, 1, h, w}, at::kByte));
  const at::Tensor y = (at::arange(height, at::kFloat) + 0.5) / (height / 2.0) - 1;
  const at::Tensor x =
      (at::arange(width, at::kFloat) + 0.5) / (height / 2.0) - static_cast<double>(width) / height;
  distance_ = (y.view({-1, 1}).square() + x.view({1, -1}).square())
                  .sqrt()
                  .view({1, 1, height, width})
                  .to(device);
}

at::Tensor BatchMaker::found_in(const at::Tensor& channels) const {
  return channels.size(1) > 4 ? channels.narrow(1, 4, 1).contiguous() : at::Tensor();
}

at::Tensor BatchMaker::gather(const std::vector<std::int64_t>& indices) const {
  return data_.index_select(0, indices_on(device_, indices)).to(at::kFloat).div_(255);
}

Batch BatchMaker::plain(const std::vector<std::int64_t>& indices) const {
  at::Tensor all = gather(indices);
  if (all.size(2) != height_ || all.size(3) != width_)
    all = at::adaptive_avg_pool2d(all, {height_, width_});
  return {all.narrow(1, 0, 3).contiguous(), all.narrow(1, 3, 1).contiguous(), found_in(all)};
}

std::vector<SamplePlan> BatchMaker::plans(const std::vector<std::int64_t>& indices,
                                          const AugmentationPolicy& policy, std::uint64_t seed,
                                          std::uint64_t epoch) const {
  std::vector<SamplePlan> plans;
  plans.reserve(indices.size());
  const std::size_t pixels = static_cast<std::size_t>(set_.width) * set_.height;
  for (const std::int64_t index : indices) {
    const auto i = static_cast<std::size_t>(index);
    plans.push_back(draw_plan(policy, seed, epoch, i, set_.aspect[i],
                              {set_.masks.data() + i * pixels, set_.width, set_.height}));
  }
  return plans;
}

const at::Tensor& BatchMaker::artefacts() const {
  std::call_once(artefacts_drawn_, [this] {
    artefacts_ =
        at::tensor(draw_artefacts(kArtefactLayers, width_, height_, kArtefactSeed), at::kByte)
            .view({kArtefactLayers, 4, height_, width_})
            .to(device_);
  });
  return artefacts_;
}

void BatchMaker::erase_lesions(const std::vector<SamplePlan>& plans, at::Tensor* images,
                               at::Tensor* target) const {
  std::vector<std::int64_t> which;
  for (std::size_t i = 0; i < plans.size(); ++i)
    if (plans[i].erase) which.push_back(static_cast<std::int64_t>(i));
  if (which.empty()) return;
  const at::Tensor index = indices_on(device_, which);
  images->index_copy_(
      0, index, without_lesion(images->index_select(0, index), target->index_select(0, index)));
  target->index_fill_(0, index, 0);
}

void BatchMaker::lay_artefacts(const std::vector<SamplePlan>& plans, at::Tensor* images) const {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (plans[i].artefacts < 0) continue;
    std::vector<std::int64_t> mirrored;
    if (plans[i].artefacts_side & 1) mirrored.push_back(2);
    if (plans[i].artefacts_side & 2) mirrored.push_back(1);
    const at::Tensor layer =
        artefacts().select(0, plans[i].artefacts).flip(mirrored).to(at::kFloat).div_(255);
    at::Tensor image = images->select(0, static_cast<std::int64_t>(i));
    image.mul_(1 - layer.narrow(0, 3, 1)).add_(layer.narrow(0, 0, 3));
  }
}

// Few samples of a batch are concerned.
void BatchMaker::degrade(const std::vector<SamplePlan>& plans,
                         const std::vector<std::int64_t>& indices, std::uint64_t seed,
                         std::uint64_t epoch, at::Tensor* images) const {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const SamplePlan& plan = plans[i];
    at::Tensor image = images->narrow(0, static_cast<std::int64_t>(i), 1);
    if (plan.resolution < 1) image.copy_(lowered(image, plan.resolution));
    if (plan.noise_deviation > 0) {
      Random random(seed, Purpose::noise, {epoch, static_cast<std::uint64_t>(indices[i])});
      const at::Generator generator = generator_on(device_, random.next());
      image.add_(noise_like(image, plan.noise_grain, generator), plan.noise_deviation);
    }
  }
  const auto is_compressed = [](const SamplePlan& plan) { return plan.jpeg_quality > 0; };
  for (const std::vector<std::int64_t>& group : groups_of(plans, device_, is_compressed)) {
    std::vector<double> qualities;
    for (const std::int64_t i : group)
      qualities.push_back(static_cast<double>(plans[static_cast<std::size_t>(i)].jpeg_quality));
    const at::Tensor chosen = indices_on(device_, group);
    images->index_copy_(0, chosen,
                        jpeg_.compressed(images->index_select(0, chosen).clamp(0, 1), qualities));
  }
}

Batch BatchMaker::augmented(const std::vector<std::int64_t>& indices,
                            const AugmentationPolicy& policy, std::uint64_t seed,
                            std::uint64_t epoch) const {
  const std::vector<SamplePlan> plan = plans(indices, policy, seed, epoch);
  const auto n = static_cast<std::int64_t>(indices.size());
  const auto scalar = [&](auto&& get) {
    return column(plan, 1, device_, [&](const SamplePlan& p, std::size_t) { return get(p); })
        .view({n, 1, 1, 1});
  };
  const at::Tensor warp = column(plan, 6, device_, [](const SamplePlan& p, std::size_t i) {
                            return p.warp[i];
                          }).view({n, 2, 3});
  const at::Tensor source = gather(indices);
  const at::Tensor grid =
      at::affine_grid_generator(warp, {n, source.size(1), height_, width_}, false);
  at::Tensor all = at::grid_sampler_2d(source, grid, kBilinear, kReflection, false);
  // A black border is the mirrored one times the share of each pixel that is inside.
  const at::Tensor inside = inside_share(plan, source, grid);
  const at::Tensor bordered =
      scalar([](const SamplePlan& p) { return p.black_border ? 1.0f : 0.0f; });
  all = all * (1 - bordered * (1 - inside));

  at::Tensor images = all.narrow(1, 0, 3).contiguous();
  at::Tensor target = all.narrow(1, 3, 1).contiguous();
  at::Tensor found = found_in(all);
  erase_lesions(plan, &images, &target);
  lay_artefacts(plan, &images);
  images = recolour(images, plan);
  blur_some(plan, &images);
  const at::Tensor keep = scalar([](const SamplePlan& p) { return p.keep; });
  const at::Tensor corners =
      column(plan, 12, device_, [](const SamplePlan& p, std::size_t i) { return p.scenery[i]; })
          .view({n, 2, 2, 3})
          .permute({0, 3, 1, 2});
  const at::Tensor scenery = at::upsample_bilinear2d(corners, {height_, width_}, true);
  const at::Tensor radius = scalar([](const SamplePlan& p) { return p.rim_radius; });
  const at::Tensor in_rim = ((radius - distance_) * (height_ / 2.0) + 0.5).clamp_(0, 1);
  images = (images * keep + scenery * (1 - keep)) * in_rim;
  target = target * keep * in_rim;
  if (found.defined()) found = found * in_rim;
  degrade(plan, indices, seed, epoch, &images);
  return {images.clamp_(0, 1), target, found};
}

}  // namespace unetseg::trainer
