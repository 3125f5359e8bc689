// SPDX-License-Identifier: MIT
// An inference engine: a loaded network that turns input pictures into probabilities.
#pragma once

#include <memory>
#include <string>

#include "model/backend/backend.h"
#include "model/storage/model_card.h"

namespace unetseg {

// A picture as Engine::run() takes it, in the memory of the engine's device.
struct DevicePicture {
  const float* planar;
  void* ready;  // a CUevent: what comes before it has written the picture
};

// The part of an engine that infers pictures where they lie: as Engine::run(), and they are read
// until it returns.
class DeviceInference {
 public:
  virtual void run(const DevicePicture* inputs, float* const* probabilities, int n) = 0;

 protected:
  ~DeviceInference() = default;
};

// Made by make_engine(), which a backend module links exactly one of (that of choose_engine.cpp, or
// the tests' fake).
class Engine {
 public:
  virtual ~Engine() = default;
  virtual const ModelCard& card() const = 0;
  virtual std::string device() const = 0;     // "cpu" or "cuda:N"
  virtual std::string name() const = 0;       // "libtorch", "fused-cpu" or "fused-cuda"
  virtual std::string precision() const = 0;  // "fp32", "bf16", "fp16", "int8": it computes in that
  // What whoever chose these options should know, as a sentence that names the cure, or nothing.
  virtual std::string notice() const { return {}; }

  // inputs[i]: 3 x input_height x input_width floats, planar, normalised. probabilities[i]: room
  // for input_height x input_width floats; receives sigmoid(logit), 0..1. What one picture gives
  // does not depend on the others of its batch (on a GPU but for rounding). Always called from one
  // thread. Throws Error(bad_result) where a result is not finite, Error(no_space), and
  // Error(device_lost) from when on the process cannot use its device any more.
  virtual void run(const float* const* inputs, float* const* probabilities, int n) = 0;

  // The same for pictures that lie on its device; null where it has none.
  virtual DeviceInference* on_device() { return nullptr; }
};

// Reads and checks the model. Throws Error as read_safetensors() and from_metadata() do,
// Error(settings) listing the first differences where tensors do not fit the architecture or naming
// a precision that is not available, Error(no_device), Error(no_space) where a device has no memory
// for it, Error(device_lost).
std::unique_ptr<Engine> make_engine(const UnetsegOpenOptions& options);

// As UnetsegBackend.probe: the device that `device` stands for here; `notice` may be set for
// "auto".
std::string probe_device(const std::string& device, std::string* notice);

}  // namespace unetseg
