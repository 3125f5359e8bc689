// SPDX-License-Identifier: MIT
#include "model/engine/names.h"

#include "model/error.h"

namespace unetseg {
namespace {

template <typename Value>
struct Named {
  const char* name;
  Value value;
};
constexpr Named<UnetsegEngine> kEngines[] = {{"auto", UNETSEG_ENGINE_AUTO},
                                             {"libtorch", UNETSEG_ENGINE_LIBTORCH},
                                             {"fused-cpu", UNETSEG_ENGINE_FUSED_CPU},
                                             {"fused-cuda", UNETSEG_ENGINE_FUSED_CUDA}};
constexpr Named<UnetsegPrecision> kPrecisions[] = {{"auto", UNETSEG_PRECISION_AUTO},
                                                   {"fp32", UNETSEG_PRECISION_FP32},
                                                   {"bf16", UNETSEG_PRECISION_BF16},
                                                   {"fp16", UNETSEG_PRECISION_FP16},
                                                   {"int8", UNETSEG_PRECISION_INT8}};

}  // namespace

UnetsegEngine engine_named(const std::string& name) {
  for (const auto& engine : kEngines)
    if (name == engine.name) return engine.value;
  throw Error(Fault::settings,
              "engine '" + name + "' is not known: use auto, libtorch, fused-cpu or fused-cuda");
}

UnetsegPrecision precision_named(const std::string& name) {
  for (const auto& precision : kPrecisions)
    if (name == precision.name) return precision.value;
  throw Error(Fault::settings,
              "precision '" + name + "' is not known: use auto, fp32, bf16, fp16 or int8");
}

const char* name_of(UnetsegPrecision precision) {
  for (const auto& known : kPrecisions)
    if (precision == known.value) return known.name;
  return "?";
}

}  // namespace unetseg
