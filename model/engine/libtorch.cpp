// SPDX-License-Identifier: MIT
// The reference engine: LibTorch's own operators, on the CPU or a CUDA device.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <cstring>
#include <thread>

#include "model/engine/engine.h"
#include "model/error.h"
#include "model/network/float32.h"
#include "model/network/stored_parameters.h"

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

class LibtorchEngine final : public Engine {
 public:
  explicit LibtorchEngine(const UnetsegOpenOptions& options)
      : threads_(options.threads),
        device_(probe_device(options.device, nullptr)),
        type_(type_of(options.precision, device_)) {
    if (device_.is_cuda()) forbid_tf32();
    const c10::InferenceMode inference;
    const SafetensorsFile file = read_safetensors(options.model_file);
    about(options.model_file, "", [&] { card_ = card_of(file); });
    Parameters parameters = parameters_of(file);
    for (auto& parameter : parameters) parameter.second = parameter.second.to(device_, type_);
    about(options.model_file, "; train or convert it for one of the known architectures",
          [&] { network_ = make_network(card_.architecture, card_.base_width, parameters); });
    if (device_.is_cpu() && threads_ == 0)
      threads_ = std::max(1u, std::thread::hardware_concurrency());
  }

  const ModelCard& card() const override { return card_; }
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

  // On the CPU the pictures of a batch are inferred one by one. That is no slower (the benchmark
  // `inference` shows it), and what a picture gives does not depend on its batch: oneDNN would
  // choose other kernels for other sizes of it.
  void run(const float* const* inputs, float* const* probabilities, int n) override {
    const c10::InferenceMode inference;
    if (!device_.is_cpu()) return infer(inputs, probabilities, n);
    if (!threads_set_) {
      at::set_num_threads(static_cast<int>(threads_));  // a setting of the calling thread
      threads_set_ = true;
    }
    for (int i = 0; i < n; ++i) infer(inputs + i, probabilities + i, 1);
  }

 private:
  void infer(const float* const* inputs, float* const* probabilities, int n) {
    const std::int64_t height = card_.input_height, width = card_.input_width;
    if (!staging_.defined() || staging_.size(0) != n)
      staging_ = at::empty({n, 3, height, width}, at::kFloat);
    const std::size_t input_floats = static_cast<std::size_t>(3 * height * width);
    for (int i = 0; i < n; ++i)
      std::memcpy(staging_.data_ptr<float>() + i * input_floats, inputs[i],
                  input_floats * sizeof(float));
    const at::Tensor logits = network_->forward(staging_.to(device_, type_)).full;
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

  // Names the file in whatever error `call` throws, and the cure behind it.
  template <typename Call>
  static void about(const std::string& file, const char* cure, Call call) {
    try {
      call();
    } catch (const Error& error) {
      throw Error(error.fault(), file + ": " + error.what() + cure, error.detail());
    }
  }

  unsigned threads_;
  bool threads_set_ = false;
  at::Device device_;
  at::ScalarType type_;
  ModelCard card_;
  std::unique_ptr<Network> network_;
  at::Tensor staging_;
};

}  // namespace

std::unique_ptr<Engine> make_engine(const UnetsegOpenOptions& options) {
  return std::make_unique<LibtorchEngine>(options);
}

}  // namespace unetseg
