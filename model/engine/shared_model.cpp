// SPDX-License-Identifier: MIT
#include "model/engine/shared_model.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "model/engine/shared_by_file.h"
#include "model/error.h"
#include "model/network/stored_parameters.h"

namespace unetseg {
namespace {

// Device and type.
using Place = std::pair<std::string, at::ScalarType>;

SharedByFile<Place, LoadedModel>& models() {
  // Never freed: a process may end while sessions are open.
  static auto& all = *new SharedByFile<Place, LoadedModel>;
  return all;
}

// `values`: float32 on the CPU. LibTorch's own conversion there would start a team of threads.
at::Tensor placed(const at::Tensor& values, const at::Device& device, at::ScalarType type) {
  if (!device.is_cpu()) {
    const at::Tensor there = values.to(device).to(type);
    // As the pictures of halves are.
    const bool wants_nhwc = there.dim() == 4 && type != at::kFloat;
    return wants_nhwc ? there.contiguous(at::MemoryFormat::ChannelsLast) : there;
  }
  if (type == at::kFloat) return values;
  at::Tensor narrow = at::empty(values.sizes(), at::kBFloat16);
  std::copy_n(values.data_ptr<float>(), values.numel(), narrow.data_ptr<at::BFloat16>());
  return narrow;
}

}  // namespace

std::shared_ptr<const LoadedModel> load_model(const std::string& path, const at::Device& device,
                                              at::ScalarType type, const SafetensorsFile* read) {
  const Place place = {device.str(), type};
  const auto identity = read != nullptr ? std::optional(read->identity) : identity_of(path);
  if (identity)
    if (const auto found = models().find(*identity, place)) return found;
  const c10::InferenceMode inference;
  if (read == nullptr) {
    const SafetensorsFile file = read_safetensors(path);
    return load_model(path, device, type, &file);
  }
  const SafetensorsFile& file = *read;
  const auto model = std::make_shared<LoadedModel>();
  about_file(path, "", [&] { model->card = card_of(file); });
  Parameters parameters = parameters_of(file);
  for (auto& parameter : parameters) parameter.second = placed(parameter.second, device, type);
  about_file(path, "; train or convert it for one of the known architectures", [&] {
    model->network = make_network(model->card.architecture, model->card.base_width, parameters);
  });
  return models().add(file.identity, place, model);
}

}  // namespace unetseg
