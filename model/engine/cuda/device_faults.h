// SPDX-License-Identifier: MIT
// What an error on a GPU means, and what is done about it. No CUDA and no LibTorch.
#pragma once

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

namespace unetseg::cuda {

enum class DeviceFault {
  out_of_memory,
  lost,   // the process can never use this device again: CUDA answers every later call likewise
  other,  // the device may be well
};

DeviceFault fault_of_code(int cuda_error);  // a cudaError_t but 0
// By the words that LibTorch, cuDNN and cuBLAS of any version put into their exceptions.
DeviceFault fault_of_message(const std::string& message);
DeviceFault fault_of(const std::exception& error);

// A launch of one of our own kernels failed.
struct LaunchError : std::runtime_error {
  explicit LaunchError(int its_code)
      : std::runtime_error("CUDA error " + std::to_string(its_code)), code(its_code) {}
  int code;  // a cudaError_t
};

// The devices that this process has lost. What is on one is best left as it is: freeing it fails
// too. Any thread.
void declare_lost(const std::string& device, const std::string& why);
// Throws Error(device_lost).
void require_usable(const std::string& device);
bool is_lost(const std::string& device);

// Means against faults, which whoever works on a device has. They may throw what the device makes
// them throw.
struct Remedies {
  std::function<void()> free_caches;
  std::function<void()> synchronise;  // throws where the device is not well
};

// Runs `work`, which uses `device`, and answers its faults:
//  - out of memory: caches are freed and it is run again, `retries` times, then Error(no_space)
//  - a device that is lost, or was lost before: Error(device_lost), here and in every later call
//  - an Error, std::bad_alloc and anything that leaves the device well is thrown on as it is
void run_guarded(const std::string& device, const Remedies& remedies, int retries,
                 const std::function<void()>& work);

}  // namespace unetseg::cuda
