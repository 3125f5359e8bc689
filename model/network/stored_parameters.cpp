// SPDX-License-Identifier: MIT
#include "model/network/stored_parameters.h"

#include <cmath>

namespace unetseg {
namespace {

at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return at::kDouble;
    case DType::f32:
      return at::kFloat;
    case DType::f16:
      return at::kHalf;
    case DType::bf16:
      return at::kBFloat16;
    case DType::i64:
      return at::kLong;
    case DType::i32:
      return at::kInt;
    case DType::u8:
      return at::kByte;
  }
  throw Error(Fault::failed, "a tensor has a type that this program does not know");
}

}  // namespace

std::string architecture_of(const SafetensorsFile& file) {
  if (file.find("encoder.0.down.conv.weight")) return "improved-unet";
  if (file.find("encoder_block1.0.weight")) return "seed-unet";
  return "";
}

ModelCard card_of(const SafetensorsFile& file) {
  const std::string hint = architecture_of(file);
  ModelCard card = from_metadata(file.metadata, hint);
  if (!file.metadata.count("base_width")) {
    const TensorEntry* first =
        file.find(card.architecture == "seed-unet" ? "encoder_block1.0.weight"
                                                   : "encoder.0.down.conv.weight");
    if (first != nullptr && !first->shape.empty())
      card.base_width = static_cast<int>(first->shape[0]);
  }
  return card;
}

Parameters parameters_of(const SafetensorsFile& file) {
  Parameters parameters;
  for (const TensorEntry& entry : file.tensors) {
    // from_blob takes a mutable pointer, but the copy that follows only reads.
    auto* bytes = const_cast<std::uint8_t*>(file.data.data() + entry.offset);
    const at::Tensor stored =
        at::from_blob(bytes, entry.shape, at::dtype(scalar_type(entry.dtype)));
    parameters[entry.name] = stored.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  }
  return parameters;
}

void save_parameters(const std::string& path, const Parameters& parameters, const ModelCard& card,
                     bool half_precision) {
  std::vector<at::Tensor> kept;
  std::vector<TensorToWrite> tensors;
  for (const ParameterLayout& layout : network_layout(card.architecture, card.base_width)) {
    at::Tensor value = parameters.at(layout.name).detach().to(at::kCPU);
    value = value.to(half_precision ? at::kHalf : at::kFloat).contiguous();
    kept.push_back(value);
    tensors.push_back(
        {layout.name, half_precision ? DType::f16 : DType::f32, layout.shape, value.data_ptr()});
  }
  write_safetensors(path, tensors, to_metadata(card));
}

}  // namespace unetseg
