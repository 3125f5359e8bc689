// SPDX-License-Identifier: MIT
#include "model/network/stored_parameters.h"

#include "model/storage/half.h"

namespace unetseg {

Parameters parameters_of(const SafetensorsFile& file) {
  Parameters parameters;
  for (const TensorEntry& entry : file.tensors) {
    at::Tensor values = at::empty(entry.shape, at::kFloat);
    to_float32(entry.dtype, file.data.data() + entry.offset,
               static_cast<std::size_t>(values.numel()), values.data_ptr<float>());
    parameters[entry.name] = values;
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
