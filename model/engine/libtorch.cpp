// SPDX-License-Identifier: MIT
// The engine "libtorch": LibTorch's own operators, on the CPU or a CUDA device.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <thread>

#include "model/engine/compute_threads.h"
#include "model/engine/cuda/device_engine.h"
#include "model/engine/engines.h"
#include "model/engine/number_type.h"
#include "model/engine/results.h"
#include "model/engine/shared_model.h"
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

std::shared_ptr<ComputeThreads> compute_threads(unsigned asked) {
  const unsigned team = asked > 0 ? asked : std::max(1u, std::thread::hardware_concurrency());
  return ComputeThreads::shared(team, [team] {
    at::get_num_threads();  // once in each thread this takes what another has set for itself
    at::set_num_threads(static_cast<int>(team));
  });
}

// Convolutions of halves on a GPU are made for NHWC.
at::Tensor placed(const at::Tensor& pictures, const at::Device& device, at::ScalarType type) {
  const bool wants_nhwc = device.is_cuda() && type != at::kFloat;
  return pictures.to(device, type)
      .contiguous(wants_nhwc ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

at::Tensor probabilities_of(const LoadedModel& model, const at::Tensor& pictures) {
  return at::sigmoid(model.network->forward(pictures).full.to(at::kFloat));
}

class LibtorchEngine final : public Engine {
 public:
  LibtorchEngine(const UnetsegOpenOptions& options, const SafetensorsFile* read)
      : device_(probe_device(options.device, nullptr)),
        type_(number_type_of(options.precision, device_)),
        model_(load_model(options.model_file, device_, type_, read)),
        threads_(device_.is_cpu() ? compute_threads(options.threads) : nullptr) {
    if (device_.is_cuda()) forbid_tf32();
  }

  const ModelCard& card() const override { return model_->card; }
  std::string device() const override { return device_.str(); }
  std::string name() const override { return "libtorch"; }
  std::string precision() const override { return precision_name(type_); }
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
    const at::Tensor result = probabilities_of(*model_, placed(staging_, device_, type_));
    hand_out(result.to(at::kCPU).contiguous().data_ptr<float>(),
             static_cast<std::size_t>(height * width), probabilities, n);
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
  const at::Device device(probe_device(options.device, nullptr));
  if (!device.is_cuda()) return make_plain_libtorch_engine(options, read);
  const at::ScalarType type = number_type_of(options.precision, device);
  auto engine = cuda::make_device_engine(device, [&]() -> cuda::DeviceNetwork {
    const auto model = load_model(options.model_file, device, type, read);
    forbid_tf32();
    return {"libtorch", model->card, device, type,
            [model, device, type](const at::Tensor& pictures, void*) {
              return probabilities_of(*model, placed(pictures, device, type));
            }};
  });
  return engine ? std::move(engine) : make_plain_libtorch_engine(options, read);
}

std::unique_ptr<Engine> make_plain_libtorch_engine(const UnetsegOpenOptions& options,
                                                   const SafetensorsFile* read) {
  return std::make_unique<LibtorchEngine>(options, read);
}

}  // namespace unetseg
