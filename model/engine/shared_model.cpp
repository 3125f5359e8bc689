// SPDX-License-Identifier: MIT
#include "model/engine/shared_model.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>

#include "model/error.h"
#include "model/network/stored_parameters.h"
#include "model/storage/file_identity.h"

namespace unetseg {
namespace {

using Model = std::shared_ptr<const LoadedModel>;

struct Key {
  FileIdentity file;
  std::string device;
  at::ScalarType type;
  bool operator<(const Key& other) const {
    return std::tie(file, device, type) < std::tie(other.file, other.device, other.type);
  }
};

class Registry {
 public:
  Model find(const Key& key) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = models_.find(key);
    return found == models_.end() ? nullptr : found->second.lock();
  }

  // Returns `model`, or what another thread was faster to add.
  Model add(const Key& key, Model model) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto entry = models_.begin(); entry != models_.end();)
      entry = entry->second.expired() ? models_.erase(entry) : std::next(entry);
    std::weak_ptr<const LoadedModel>& entry = models_[key];
    if (Model first = entry.lock()) return first;
    entry = model;
    return model;
  }

 private:
  std::mutex mutex_;
  std::map<Key, std::weak_ptr<const LoadedModel>> models_;
};

Registry& registry() {
  // Never freed: a process may end while sessions are open.
  static Registry& all = *new Registry;
  return all;
}

// `values`: float32 on the CPU. LibTorch's own conversion there would start a team of threads.
at::Tensor placed(const at::Tensor& values, const at::Device& device, at::ScalarType type) {
  if (!device.is_cpu()) return values.to(device).to(type);
  if (type == at::kFloat) return values;
  at::Tensor narrow = at::empty(values.sizes(), at::kBFloat16);
  std::copy_n(values.data_ptr<float>(), values.numel(), narrow.data_ptr<at::BFloat16>());
  return narrow;
}

// Names the file in whatever error `call` throws, and the cure behind it.
template <typename Call>
void about(const std::string& file, const char* cure, Call call) {
  try {
    call();
  } catch (const Error& error) {
    throw Error(error.fault(), file + ": " + error.what() + cure, error.detail());
  }
}

}  // namespace

std::shared_ptr<const LoadedModel> load_model(const std::string& path, const at::Device& device,
                                              at::ScalarType type) {
  if (const auto identity = identity_of(path))
    if (const Model found = registry().find({*identity, device.str(), type})) return found;
  const c10::InferenceMode inference;
  const SafetensorsFile file = read_safetensors(path);
  const auto model = std::make_shared<LoadedModel>();
  about(path, "", [&] { model->card = card_of(file); });
  Parameters parameters = parameters_of(file);
  for (auto& parameter : parameters) parameter.second = placed(parameter.second, device, type);
  about(path, "; train or convert it for one of the known architectures", [&] {
    model->network = make_network(model->card.architecture, model->card.base_width, parameters);
  });
  return registry().add({file.identity, device.str(), type}, model);
}

}  // namespace unetseg
