// SPDX-License-Identifier: MIT
#include "trainer/train/teacher.h"

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "model/error.h"
#include "model/network/stored_parameters.h"

namespace unetseg::trainer {
namespace {

// Symmetries are numbered by what they are made of; 0 is the picture itself.
constexpr int kMirrorX = 1, kMirrorY = 2, kTranspose = 4;

at::Tensor mirrored(const at::Tensor& pictures, int symmetry) {
  at::Tensor result = pictures;
  if (symmetry & kMirrorX) result = result.flip(3);
  if (symmetry & kMirrorY) result = result.flip(2);
  return result;
}

at::Tensor turned(const at::Tensor& pictures, int symmetry) {
  const at::Tensor result = mirrored(pictures, symmetry);
  return symmetry & kTranspose ? result.transpose(2, 3) : result;
}

at::Tensor turned_back(const at::Tensor& pictures, int symmetry) {
  return mirrored(symmetry & kTranspose ? pictures.transpose(2, 3) : pictures, symmetry);
}

int symmetries_of(const Config& config) {
  if (config.teacher_tta == "none") return 1;
  const bool is_square = config.input_width == config.input_height;
  return config.teacher_tta == "d4" && is_square ? 8 : 4;
}

at::Tensor resized(const at::Tensor& pictures, std::int64_t height, std::int64_t width) {
  if (pictures.size(2) == height && pictures.size(3) == width) return pictures;
  return at::_upsample_bilinear2d_aa(pictures, {height, width}, /*align_corners=*/false);
}

at::Tensor channels(const float (&values)[3], const at::Device& device) {
  return at::tensor({values[0], values[1], values[2]}).view({1, 3, 1, 1}).to(device);
}

ModelCard checked_card(const SafetensorsFile& file, const std::string& path) {
  const ModelCard card = card_of(file);
  if (card.architecture != "improved-unet")
    throw Error(Fault::settings,
                fmt::format("{} cannot teach: what a {} tells is no probability; take weights of "
                            "improved-unet",
                            path, card.architecture));
  if (card.fit != UNETSEG_FIT_STRETCH)
    throw Error(Fault::settings,
                fmt::format("{} takes pictures with fit={}, and training stretches them: take a "
                            "teacher with fit=stretch",
                            path, fit_name(card.fit)));
  return card;
}

}  // namespace

std::vector<std::string> teacher_hashes(const Config& config) {
  std::vector<std::string> hashes;
  for (const std::string& path : config.teacher) {
    const SafetensorsFile file = read_safetensors(path);
    checked_card(file, path);
    hashes.push_back(tensors_sha256(file));
  }
  return hashes;
}

Teacher::Teacher(const Config& config)
    : weight_(config.teacher_weight),
      symmetries_(symmetries_of(config)),
      type_(config.precision == "bf16" ? at::kBFloat16 : at::kFloat),
      format_(config.memory_format == "channels-last" ? at::MemoryFormat::ChannelsLast
                                                      : at::MemoryFormat::Contiguous) {
  const at::Device device(config.device);
  for (const std::string& path : config.teacher) {
    const SafetensorsFile file = read_safetensors(path);
    const ModelCard card = checked_card(file, path);
    Parameters parameters = parameters_of(file);
    for (auto& parameter : parameters) parameter.second = parameter.second.to(device);
    members_.push_back({card, make_network(card.architecture, card.base_width, parameters),
                        channels(card.normalisation.mean, device),
                        channels(card.normalisation.stddev, device)});
  }
}

at::Tensor Teacher::probabilities(const Member& member, const at::Tensor& images) const {
  const at::Tensor pictures =
      (resized(images, member.card.input_height, member.card.input_width) - member.mean) /
      member.stddev;
  const Logits logits = member.network->forward(pictures.to(type_).contiguous(format_));
  return resized(at::sigmoid(logits.full.to(at::kFloat)), images.size(2), images.size(3));
}

at::Tensor Teacher::softened(const Batch& batch) const {
  const c10::NoGradGuard no_gradient;
  at::Tensor found = at::zeros_like(batch.target);
  for (const Member& member : members_)
    for (int symmetry = 0; symmetry < symmetries_; ++symmetry)
      found += turned_back(probabilities(member, turned(batch.images, symmetry)), symmetry);
  found /= static_cast<double>(members_.size()) * symmetries_;
  const at::Tensor shows_lesion = batch.target.ge(0.5).flatten(1).any(1).view({-1, 1, 1, 1});
  return at::where(shows_lesion, at::lerp(batch.target, found, weight_), batch.target);
}

}  // namespace unetseg::trainer
