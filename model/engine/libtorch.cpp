// SPDX-License-Identifier: MIT
// The reference engine: LibTorch's own operators, on the CPU or a CUDA device.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/api/include/torch/cuda.h>

#include <cmath>
#include <cstring>
#include <thread>

#include "model/engine/engine.h"
#include "model/error.h"
#include "model/network/stored_parameters.h"

namespace unetseg {
namespace {

class LibtorchEngine final : public Engine {
 public:
  explicit LibtorchEngine(const UnetsegOpenOptions& options)
      : threads_(options.threads), device_(probe_device(options.device, nullptr)) {
    const c10::InferenceMode inference;
    const SafetensorsFile file = read_safetensors(options.model_file);
    about(options.model_file, "", [&] { card_ = card_of(file); });
    Parameters parameters = parameters_of(file);
    for (auto& parameter : parameters) parameter.second = parameter.second.to(device_);
    about(options.model_file, "; train or convert it for one of the known architectures", [&] {
      network_ = make_network(card_.architecture, card_.base_width, parameters);
    });
    if (device_.is_cpu() && threads_ == 0)
      threads_ = std::max(1u, std::thread::hardware_concurrency());
  }

  const ModelCard& card() const override { return card_; }
  std::string device() const override { return device_.str(); }
  std::string name() const override { return "libtorch"; }

  void run(const float* const* inputs, float* const* probabilities, int n) override {
    const c10::InferenceMode inference;
    if (device_.is_cpu() && !threads_set_) {
      at::set_num_threads(static_cast<int>(threads_));  // a setting of the calling thread
      threads_set_ = true;
    }
    const std::int64_t height = card_.input_height, width = card_.input_width;
    if (!staging_.defined() || staging_.size(0) != n)
      staging_ = at::empty({n, 3, height, width}, at::kFloat);
    const std::size_t input_floats = static_cast<std::size_t>(3 * height * width);
    for (int i = 0; i < n; ++i)
      std::memcpy(staging_.data_ptr<float>() + i * input_floats, inputs[i],
                  input_floats * sizeof(float));
    const at::Tensor result =
        at::sigmoid(network_->forward(staging_.to(device_)).full).to(at::kCPU).contiguous();
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

 private:
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
  ModelCard card_;
  std::unique_ptr<Network> network_;
  at::Tensor staging_;
};

[[noreturn]] void no_cuda(const std::string& device, const std::string& why) {
  throw Error(Fault::no_device,
              "device=" + device + " cannot be used: " + why + "; set device=cpu or device=auto");
}

}  // namespace

std::unique_ptr<Engine> make_engine(const UnetsegOpenOptions& options) {
  return std::make_unique<LibtorchEngine>(options);
}

std::string probe_device(const std::string& device, std::string* notice) {
  if (device == "cpu") return "cpu";
  if (device != "auto" && device.rfind("cuda", 0) != 0)
    throw Error(Fault::settings,
                "device '" + device + "' is not known: use auto, cpu, cuda or cuda:N");
  const std::size_t count = torch::cuda::is_available() ? torch::cuda::device_count() : 0;
  if (device == "auto") {
    if (count == 0) return "cpu";
    try {
      at::ones({1}, at::device(at::Device(at::kCUDA, 0)));
      return "cuda:0";
    } catch (const c10::Error& error) {
      if (notice)
        *notice =
            std::string("the GPU cannot be used, the CPU is: ") + error.what_without_backtrace();
      return "cpu";
    }
  }
  std::size_t index = 0;
  if (device != "cuda") {
    const std::string digits = device.size() > 5 && device[4] == ':' ? device.substr(5) : "";
    if (digits.empty() || digits.size() > 3 ||
        digits.find_first_not_of("0123456789") != std::string::npos)
      throw Error(Fault::settings,
                  "device '" + device + "' is not known: use auto, cpu, cuda or cuda:N");
    index = std::stoul(digits);
  }
  if (count == 0) no_cuda(device, "this LibTorch or this machine has no CUDA device");
  if (index >= count)
    no_cuda(device, "there are " + std::to_string(count) + " CUDA devices, counted from 0");
  const at::Device resolved(at::kCUDA, static_cast<at::DeviceIndex>(index));
  try {
    at::ones({1}, at::device(resolved));
  } catch (const c10::Error& error) {
    no_cuda(device, error.what_without_backtrace());
  }
  return resolved.str();
}

}  // namespace unetseg
