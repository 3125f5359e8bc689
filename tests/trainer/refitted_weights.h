// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/storage/safetensors.h"

#include "tests/trainer/small_run.h"

// The small run's best weights, made to take pictures with another fit.
inline void write_weights_for(const std::string& fit, const std::string& path) {
  const unetseg::SafetensorsFile file =
      unetseg::read_safetensors(small_run().folder + "/best.safetensors");
  std::vector<unetseg::TensorToWrite> tensors;
  for (const unetseg::TensorEntry& t : file.tensors)
    tensors.push_back({t.name, t.dtype, t.shape, file.data.data() + t.offset});
  std::map<std::string, std::string> metadata = file.metadata;
  metadata["fit"] = fit;
  unetseg::write_safetensors(path, tensors, metadata);
}
