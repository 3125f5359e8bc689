// SPDX-License-Identifier: MIT
#include "trainer/train/checkpoint.h"

#include <cstring>
#include <filesystem>

#include "model/storage/atomic_file.h"
#include "model/storage/safetensors.h"
#include "trainer/train/flat_parameters.h"

namespace unetseg::trainer {
namespace {

const char kKind[] = "unetseg training checkpoint 1";

at::Tensor tensor_of(const SafetensorsFile& file, const char* name, const std::string& path) {
  const TensorEntry* entry = file.find(name);
  if (entry == nullptr || entry->dtype != DType::f32 || entry->shape.size() != 1)
    throw Error(Fault::read, path + ": the tensor " + name + " is missing or of another type");
  at::Tensor tensor = at::empty(entry->shape, at::kFloat);
  std::memcpy(tensor.data_ptr(), file.data.data() + entry->offset, entry->bytes);
  return tensor;
}

Checkpoint load_file(const std::string& path) {
  const SafetensorsFile file = read_safetensors(path);
  const auto text = [&](const char* key) {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end())
      throw Error(Fault::read,
                  path + ": this is no checkpoint of a training run (no '" + key + "')");
    return found->second;
  };
  if (text("kind") != kKind)
    throw Error(Fault::read, path + ": a checkpoint of another version: '" + text("kind") + "'");
  Checkpoint checkpoint;
  try {
    checkpoint.config = config_from_json(nlohmann::ordered_json::parse(text("config")));
    checkpoint.optimizer_steps = std::stoll(text("optimizer-steps"));
  } catch (const std::exception& error) {
    throw Error(Fault::read, path + ": the checkpoint's configuration is damaged", error.what());
  }
  checkpoint.data_sha256 = text("data-sha256");
  checkpoint.progress = progress_from_json(text("progress"));
  checkpoint.values = tensor_of(file, "values", path);
  checkpoint.first_moment = tensor_of(file, "first-moment", path);
  checkpoint.second_moment = tensor_of(file, "second-moment", path);
  checkpoint.average = tensor_of(file, "average", path);
  const std::int64_t size =
      total_elements(network_layout(checkpoint.config.architecture, checkpoint.config.base_width));
  for (const at::Tensor& tensor :
       {checkpoint.values, checkpoint.first_moment, checkpoint.second_moment, checkpoint.average})
    if (tensor.numel() != size)
      throw Error(Fault::read, path + ": its tensors do not fit the network that it names");
  return checkpoint;
}

}  // namespace

void save_checkpoint(const std::string& folder, const Checkpoint& checkpoint) {
  std::vector<at::Tensor> kept;
  std::vector<TensorToWrite> tensors;
  const auto add = [&](const char* name, const at::Tensor& tensor) {
    kept.push_back(tensor.detach().to(at::kCPU).contiguous());
    tensors.push_back({name, DType::f32, kept.back().sizes().vec(), kept.back().data_ptr()});
  };
  add("values", checkpoint.values);
  add("first-moment", checkpoint.first_moment);
  add("second-moment", checkpoint.second_moment);
  add("average", checkpoint.average);
  const std::string last = folder + "/last.safetensors", prev = folder + "/prev.safetensors";
  const std::string next = folder + "/next.safetensors";
  // The new file is on the disk before an old one moves: a full disk changes nothing. What breaks
  // off between the renames leaves `next`, which loading knows: `prev` may then be what was `last`,
  // and damaged.
  write_safetensors(next, tensors,
                    {{"kind", kKind},
                     {"config", to_json_text(checkpoint.config)},
                     {"data-sha256", checkpoint.data_sha256},
                     {"optimizer-steps", std::to_string(checkpoint.optimizer_steps)},
                     {"progress", to_json_text(checkpoint.progress)}});
  if (std::filesystem::exists(last)) rename_file_durably(last, prev);
  rename_file_durably(next, last);
}

Checkpoint load_checkpoint(const std::string& folder, std::string* warning) {
  const std::string last = folder + "/last.safetensors";
  std::vector<std::string> paths;  // the newest first
  for (const char* name : {"/last.safetensors", "/next.safetensors", "/prev.safetensors"})
    if (std::filesystem::exists(folder + name)) paths.push_back(folder + name);
  if (paths.empty()) throw Error(Fault::not_found, folder + " holds no checkpoint to go on from");
  std::string reason = paths[0] == last ? "" : last + " is missing";
  for (;; paths.erase(paths.begin())) {
    try {
      Checkpoint checkpoint = load_file(paths[0]);
      if (!reason.empty() && warning) *warning = reason + "; going on from " + paths[0];
      return checkpoint;
    } catch (const Error& error) {
      if (paths.size() == 1) throw;
      if (reason.empty()) reason = error.what();
    }
  }
}

}  // namespace unetseg::trainer
