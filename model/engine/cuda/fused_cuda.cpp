// SPDX-License-Identifier: MIT
// The engine "fused-cuda": the improved U-Net with convolutions of our own, or, where these cannot
// run it, with our own kernels around cuDNN's.
#include <c10/core/InferenceMode.h>

#include <memory>
#include <utility>

#include "model/engine/cuda/conv/network.h"
#include "model/engine/cuda/device_engine.h"
#include "model/engine/cuda/network.h"
#include "model/engine/engines.h"
#include "model/engine/number_type.h"
#include "model/engine/shared_by_file.h"
#include "model/error.h"
#include "model/network/stored_parameters.h"

namespace unetseg {
namespace {

struct Model {
  ModelCard card;
  std::unique_ptr<const cuda::ConvNetwork> own;  // null: these kernels cannot run it
  std::unique_ptr<const cuda::FusedNetwork> with_cudnn;

  at::Tensor forward(const at::Tensor& pictures, void* stream) const {
    // On an H200 eight pictures take 0.7 of cuDNN's time, 64 take 1.16.
    constexpr int kMostForOwn = 24;
    return own && pictures.size(0) <= kMostForOwn
               ? own->forward(pictures, stream)
               : with_cudnn->forward(pictures, *cuda::device_kernels(), stream);
  }
};

// Device and type.
using Place = std::pair<std::string, at::ScalarType>;

SharedByFile<Place, Model>& models() {
  // Never freed: a process may end while sessions are open.
  static auto& all = *new SharedByFile<Place, Model>;
  return all;
}

// Each once in the process however many sessions run it.
std::shared_ptr<const Model> load(const std::string& path, const at::Device& device,
                                  at::ScalarType type, const SafetensorsFile* read) {
  const Place place = {device.str(), type};
  const auto identity = read != nullptr ? std::optional(read->identity) : identity_of(path);
  if (identity)
    if (const auto found = models().find(*identity, place)) return found;
  if (read == nullptr) {
    const SafetensorsFile file = read_safetensors(path);
    return load(path, device, type, &file);
  }
  const c10::InferenceMode inference;
  const auto model = std::make_shared<Model>();
  about_file(path, "", [&] { model->card = card_of(*read); });
  const ModelCard& card = model->card;
  if (card.architecture != "improved-unet")
    throw Error(Fault::settings, path + " is a " + card.architecture +
                                     ", which engine=fused-cuda does not run: use engine=auto or "
                                     "libtorch");
  const Parameters parameters = parameters_of(*read);
  about_file(path, "; train or convert it for one of the known architectures",
             [&] { make_network(card.architecture, card.base_width, parameters); });
  const NetworkGraph graph = improved_unet_graph(card.base_width);
  model->own = cuda::ConvNetwork::make(graph, parameters, card.input_height, card.input_width,
                                       device, type, *cuda::device_conv_kernels());
  model->with_cudnn = std::make_unique<cuda::FusedNetwork>(graph, parameters, card.input_height,
                                                           card.input_width, device, type);
  return models().add(read->identity, place, model);
}

[[noreturn]] void not_in_this_build(const char* what) {
  throw Error(Fault::settings, std::string("engine=fused-cuda is not in this build of unetseg, "
                                           "which was made without ") +
                                   what + ": use engine=auto or libtorch");
}

}  // namespace

std::unique_ptr<Engine> make_fused_cuda_engine(const UnetsegOpenOptions& options,
                                               const SafetensorsFile* read) {
  if (cuda::device_kernels() == nullptr) not_in_this_build("LibTorch for CUDA or without nvcc");
  const at::Device device(probe_device(options.device, nullptr));
  const at::ScalarType type = number_type_of(options.precision, device);
  auto engine = cuda::make_device_engine(device, [&]() -> cuda::DeviceNetwork {
    const auto model = load(options.model_file, device, type, read);
    return {"fused-cuda", model->card, device, type,
            [model](const at::Tensor& pictures, void* stream) {
              return model->forward(pictures, stream);
            }};
  });
  if (!engine) not_in_this_build("CUDA's headers");
  return engine;
}

}  // namespace unetseg
