// SPDX-License-Identifier: MIT
#include "model/engine/cuda/device_faults.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <new>
#include <optional>

#include "model/error.h"

namespace unetseg::cuda {
namespace {

constexpr int kOutOfMemory = 2;
// Uncorrectable ECC and NVLink errors, contained errors, illegal addresses, launches that timed
// out, a destroyed context, assertions, and the many ways of a kernel to crash.
constexpr int kLost[] = {214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719};

const char* const kOutOfMemoryWords[] = {"out of memory", "STATUS_ALLOC_FAILED"};
const char* const kLostWords[] = {"uncorrectable ECC error",
                                  "uncorrectable NVLink error",
                                  "illegal memory access",
                                  "launch timed out",
                                  "context is destroyed",
                                  "device-side assert",
                                  "hardware stack error",
                                  "illegal instruction",
                                  "misaligned address",
                                  "operation not supported on global/shared address space",
                                  "invalid program counter",
                                  "unspecified launch failure",
                                  "GPU is lost"};

template <typename Words>
bool has_any(const std::string& message, const Words& words) {
  return std::any_of(std::begin(words), std::end(words),
                     [&](const char* word) { return message.find(word) != std::string::npos; });
}

struct Lost {
  std::atomic<bool> any{false};  // most processes never lose one, and ask before each inference
  std::mutex mutex;
  std::map<std::string, std::string> why;  // by device
};

Lost& lost() {
  static Lost& all = *new Lost;  // never freed: a process may end while sessions are open
  return all;
}

struct Problem {
  DeviceFault fault;
  std::string message;
  std::exception_ptr thrown;
};

// LibTorch's messages go on with where they come from.
std::string first_line(const std::string& message) {
  return message.substr(0, message.find('\n'));
}

Error lost_error(const std::string& device, const std::string& why) {
  return Error(Fault::device_lost,
               "The GPU " + device +
                   " has failed, and this process cannot use it any more: restart the process, or "
                   "set device=cpu",
               why);
}

std::optional<Problem> attempt(const std::function<void()>& work) {
  try {
    work();
    return std::nullopt;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return Problem{fault_of(error), first_line(error.what()), std::current_exception()};
  }
}

[[noreturn]] void give_up(const std::string& device, const Problem& problem) {
  declare_lost(device, problem.message);
  throw lost_error(device, problem.message);
}

}  // namespace

DeviceFault fault_of_code(int cuda_error) {
  if (cuda_error == kOutOfMemory) return DeviceFault::out_of_memory;
  const bool is_lost = std::find(std::begin(kLost), std::end(kLost), cuda_error) != std::end(kLost);
  return is_lost ? DeviceFault::lost : DeviceFault::other;
}

DeviceFault fault_of_message(const std::string& message) {
  if (has_any(message, kLostWords)) return DeviceFault::lost;
  if (has_any(message, kOutOfMemoryWords)) return DeviceFault::out_of_memory;
  return DeviceFault::other;
}

DeviceFault fault_of(const std::exception& error) {
  const auto* launch = dynamic_cast<const LaunchError*>(&error);
  return launch != nullptr ? fault_of_code(launch->code) : fault_of_message(error.what());
}

void declare_lost(const std::string& device, const std::string& why) {
  const std::lock_guard<std::mutex> lock(lost().mutex);
  lost().why.emplace(device, why);
  lost().any = true;
}

bool is_lost(const std::string& device) {
  if (!lost().any) return false;
  const std::lock_guard<std::mutex> lock(lost().mutex);
  return lost().why.count(device) > 0;
}

void require_usable(const std::string& device) {
  if (!lost().any) return;
  const std::lock_guard<std::mutex> lock(lost().mutex);
  const auto found = lost().why.find(device);
  if (found != lost().why.end()) throw lost_error(device, found->second);
}

void run_guarded(const std::string& device, const Remedies& remedies, int retries,
                 const std::function<void()>& work) {
  require_usable(device);
  for (;;) {
    std::optional<Problem> problem = attempt(work);
    if (!problem) return;
    if (problem->fault == DeviceFault::lost) give_up(device, *problem);
    if (problem->fault == DeviceFault::other) {
      // Whether the error is the device's shows where nothing but waiting for it fails too.
      if (attempt(remedies.synchronise)) give_up(device, *problem);
      std::rethrow_exception(problem->thrown);
    }
    if (retries-- == 0)
      throw Error(Fault::no_space,
                  "There is not enough memory on " + device +
                      " for the network: close what else uses the GPU, take a smaller batch-size "
                      "or tta=none, or set device=cpu",
                  problem->message);
    // Frees what failed too: an exception may hold on to tensors.
    problem->thrown = nullptr;
    if (const auto failed = attempt(remedies.free_caches))
      if (failed->fault == DeviceFault::lost) give_up(device, *failed);
  }
}

}  // namespace unetseg::cuda
