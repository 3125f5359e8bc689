// SPDX-License-Identifier: MIT
// The fused engine behind the interface of engines.
#include <algorithm>
#include <thread>

#include "model/engine/engines.h"
#include "model/engine/fused/runner.h"
#include "model/error.h"

namespace unetseg {
namespace {

class FusedEngine final : public Engine {
 public:
  explicit FusedEngine(std::shared_ptr<fused::Runner> runner) : runner_(std::move(runner)) {}

  const ModelCard& card() const override { return runner_->model().card; }
  std::string device() const override { return "cpu"; }
  std::string name() const override { return "fused-cpu"; }
  std::string precision() const override {
    return runner_->model().network->kernels.bf16 != nullptr ? "bf16" : "fp32";
  }
  void run(const float* const* inputs, float* const* probabilities, int n) override {
    runner_->run(inputs, probabilities, n);
  }

 private:
  const std::shared_ptr<fused::Runner> runner_;
};

const fused::Kernels& kernels_for(UnetsegPrecision precision) {
  switch (precision) {
    case UNETSEG_PRECISION_AUTO:
      if (const fused::Kernels* kernels = fused::kernels_named("amx-bf16")) return *kernels;
      return *fused::best_kernels();
    case UNETSEG_PRECISION_FP32:
      return *fused::best_kernels();
    case UNETSEG_PRECISION_BF16:
      if (const fused::Kernels* kernels = fused::best_bf16_kernels()) return *kernels;
      throw Error(Fault::settings,
                  "engine=fused-cpu computes in bf16 on processors with AVX512_BF16 or AMX alone: "
                  "use precision=auto or fp32 on this one");
    default:
      throw Error(Fault::settings,
                  "engine=fused-cpu computes in fp32 or bf16: use precision=auto, or "
                  "engine=libtorch");
  }
}

}  // namespace

std::unique_ptr<Engine> make_fused_engine(const UnetsegOpenOptions& options,
                                          const SafetensorsFile* read) {
  auto model = fused::load_fused_model(options.model_file, kernels_for(options.precision), read);
  if (!model->network)
    throw Error(Fault::settings, std::string(options.model_file) + " is a " +
                                     model->card.architecture +
                                     ", which engine=fused-cpu does not run: use engine=auto or "
                                     "libtorch");
  const unsigned threads =
      options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  return std::make_unique<FusedEngine>(fused::Runner::shared(std::move(model), threads));
}

}  // namespace unetseg
