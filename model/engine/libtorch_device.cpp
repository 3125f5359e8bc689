// SPDX-License-Identifier: MIT
// Which devices LibTorch can use here.
#include <ATen/ATen.h>
#include <torch/csrc/api/include/torch/cuda.h>

#include "model/engine/cuda/device_faults.h"
#include "model/engine/engine.h"
#include "model/error.h"

namespace unetseg {
namespace {

[[noreturn]] void no_cuda(const std::string& device, const std::string& why) {
  throw Error(Fault::no_device,
              "device=" + device + " cannot be used: " + why + "; set device=cpu or device=auto");
}

// Throws c10::Error where it cannot be used, Error(no_space) and Error(device_lost).
void touch(const at::Device& device) {
  cuda::run_guarded(device.str(), {[] {}, [] {}}, 0, [&] { at::ones({1}, at::device(device)); });
}

}  // namespace

std::string probe_device(const std::string& device, std::string* notice) {
  if (device == "cpu") return "cpu";
  if (device != "auto" && device.rfind("cuda", 0) != 0)
    throw Error(Fault::settings,
                "device '" + device + "' is not known: use auto, cpu, cuda or cuda:N");
  const std::size_t count = torch::cuda::is_available() ? torch::cuda::device_count() : 0;
  if (device == "auto") {
    if (count == 0) return "cpu";
    try {
      touch(at::Device(at::kCUDA, 0));
      return "cuda:0";
    } catch (const c10::Error& error) {
      if (notice)
        *notice =
            std::string("the GPU cannot be used, the CPU is: ") + error.what_without_backtrace();
    } catch (const Error& error) {
      if (notice) *notice = std::string("the CPU is used: ") + error.what();
    }
    return "cpu";
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
    touch(resolved);
  } catch (const c10::Error& error) {
    no_cuda(device, error.what_without_backtrace());
  }
  return resolved.str();
}

}  // namespace unetseg
