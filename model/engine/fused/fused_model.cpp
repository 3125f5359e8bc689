// SPDX-License-Identifier: MIT
#include "model/engine/fused/fused_model.h"

#include <map>
#include <vector>

#include "model/engine/shared_by_file.h"
#include "model/network/layout.h"
#include "model/network/stored_card.h"
#include "model/storage/half.h"

namespace unetseg::fused {
namespace {

SharedByFile<std::string, FusedModel>& models() {
  // Never freed: a process may end while sessions are open.
  static auto& all = *new SharedByFile<std::string, FusedModel>;
  return all;
}

std::map<std::string, std::vector<float>> values_of(const SafetensorsFile& file) {
  std::map<std::string, std::vector<float>> values;
  for (const TensorEntry& entry : file.tensors) {
    std::vector<float>& to = values[entry.name];
    to.resize(entry.bytes / size_of(entry.dtype));
    to_float32(entry.dtype, file.data.data() + entry.offset, to.size(), to.data());
  }
  return values;
}

void require_fitting_tensors(const SafetensorsFile& file, const ModelCard& card) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const TensorEntry& entry : file.tensors) shapes[entry.name] = entry.shape;
  require_layout(card.architecture, card.base_width, shapes);
}

}  // namespace

std::shared_ptr<const FusedModel> load_fused_model(const std::string& path, const Kernels& kernels,
                                                   const SafetensorsFile* read) {
  const auto identity = read != nullptr ? std::optional(read->identity) : identity_of(path);
  if (identity)
    if (const auto found = models().find(*identity, kernels.name)) return found;
  if (read == nullptr) {
    const SafetensorsFile file = read_safetensors(path);
    return load_fused_model(path, kernels, &file);
  }
  const SafetensorsFile& file = *read;
  const auto model = std::make_shared<FusedModel>();
  about_file(path, "", [&] { model->card = card_of(file); });
  about_file(path, "; train or convert it for one of the known architectures",
             [&] { require_fitting_tensors(file, model->card); });
  if (model->card.architecture == "improved-unet") {
    const auto values = values_of(file);
    model->network = std::make_shared<PackedNetwork>(
        improved_unet_graph(model->card.base_width),
        [&](const std::string& name) { return values.at(name).data(); }, model->card.input_height,
        model->card.input_width, kernels);
  }
  return models().add(file.identity, kernels.name, model);
}

}  // namespace unetseg::fused
