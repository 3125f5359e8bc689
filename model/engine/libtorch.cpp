// SPDX-License-Identifier: MIT
// The reference engine: LibTorch's own operators, on the CPU or a CUDA device.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <thread>

#include "model/engine/compute_threads.h"
#include "model/engine/engines.h"
#include "model/engine/shared_model.h"
#include "model/error.h"
#include "model/network/float32.h"

namespace unetseg {
namespace {

bool emulates_bfloat16() {
#if defined(__x86_64__)
  return !__builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

// "auto" is float32 on every device: the narrower types are faster on some, but move borders.
at::ScalarType type_of(UnetsegPrecision precision, const at::Device& device) {
  switch (precision) {
    case UNETSEG_PRECISION_AUTO:
    case UNETSEG_PRECISION_FP32:
      return at::kFloat;
    case UNETSEG_PRECISION_BF16:
      return at::kBFloat16;
    case UNETSEG_PRECISION_FP16:
      if (device.is_cuda()) return at::kHalf;
      throw Error(Fault::settings,
                  "precision=fp16 is not available on the CPU: use auto, fp32 or bf16, or a GPU");
    default:
      throw Error(Fault::settings,
                  "precision=int8 is not available with the libtorch engine: use auto or fp32");
  }
}

std::shared_ptr<ComputeThreads> compute_threads(unsigned asked) {
  const unsigned team = asked > 0 ? asked : std::max(1u, std::thread::hardware_concurrency());
  return ComputeThreads::shared(team, [team] {
    at::get_num_threads();  // once in each thread this takes what another has set for itself
    at::set_num_threads(static_cast<int>(team));
  });
}

class LibtorchEngine final : public Engine {
 public:
  LibtorchEngine(const UnetsegOpenOptions& options, const SafetensorsFile* read)
      : device_(probe_device(options.device, nullptr)),
        type_(type_of(options.precision, device_)),
        model_(load_model(options.model_file, device_, type_, read)),
        threads_(device_.is_cpu() ? compute_threads(options.threads) : nullptr) {
    if (device_.is_cuda()) forbid_tf32();
  }

  const ModelCard& card() const override { return model_->card; }
  std::string device() const override { return device_.str(); }
  std::string name() const override { return "libtorch"; }
  std::string precision() const override {
    return type_ == at::kBFloat16 ? "bf16" : type_ == at::kHalf ? "fp16" : "fp32";
  }
  std::string notice() const override {
    if (type_ != at::kBFloat16 || !device_.is_cpu() || !emulates_bfloat16()) return "";
    return "precision=bf16 is emulated by this CPU, which takes many times longer: use auto or "
           "fp32";
  }

  // On the CPU the pictures of a batch are inferred one by one, so that none depends on its batch:
  // oneDNN's kernels for 4 or 8 give other bits. It costs nothing, a picture among others takes as
  // much processor time as one alone.
  void run(const float* const* inputs, float* const* probabilities, int n) override {
    if (!threads_) return infer(inputs, probabilities, n);
    for (int i = 0; i < n; ++i) {
      const auto one = [&] { infer(inputs + i, probabilities + i, 1); };
      threads_->run(std::ref(one));
    }
  }

 private:
  void infer(const float* const* inputs, float* const* probabilities, int n) {
    const c10::InferenceMode inference;
    const std::int64_t height = card().input_height, width = card().input_width;
    if (!staging_.defined() || staging_.size(0) != n)
      staging_ = at::empty({n, 3, height, width}, at::kFloat);
    const std::size_t input_floats = static_cast<std::size_t>(3 * height * width);
    for (int i = 0; i < n; ++i)
      std::memcpy(staging_.data_ptr<float>() + i * input_floats, inputs[i],
                  input_floats * sizeof(float));
    const at::Tensor logits = model_->network->forward(staging_.to(device_, type_)).full;
    const at::Tensor result = at::sigmoid(logits.to(at::kFloat)).to(at::kCPU).contiguous();
    const std::size_t output_floats = static_cast<std::size_t>(height * width);
    const float* values = result.data_ptr<float>();
    for (int i = 0; i < n; ++i, values += output_floats) {
      for (std::size_t j = 0; j < output_floats; ++j)
        if (!std::isfinite(values[j]))
          throw Error(
              Fault::bad_result,
              "the network gave a value that is not finite: the frame is left without a mask");
      std::memcpy(probabilities[i], values, output_floats * sizeof(float));
    }
  }

  const at::Device device_;
  const at::ScalarType type_;
  const std::shared_ptr<const LoadedModel> model_;
  const std::shared_ptr<ComputeThreads> threads_;  // on the CPU
  at::Tensor staging_;
};

}  // namespace

std::unique_ptr<Engine> make_libtorch_engine(const UnetsegOpenOptions& options,
                                             const SafetensorsFile* read) {
  return std::make_unique<LibtorchEngine>(options, read);
}

}  // namespace unetseg
