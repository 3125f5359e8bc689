// SPDX-License-Identifier: MIT
// A network without LibTorch, behind the real C table, sampler and painter.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "model/engine/engine.h"
#include "model/error.h"
#include "tests/plugin/fake/script.h"

namespace unetseg {
namespace {

constexpr std::chrono::seconds kLongestWait(60);

// Added to each input by the card's mean: a slot that nothing was sampled into holds zeros, and
// sampled ones hold 1 to 2.
constexpr float kOffset = 1;

class Gate {
 public:
  explicit Gate(const std::string& folder) : folder_(folder) {}
  void pass() const {
    if (folder_.empty()) return;
    make("begun");
    const auto end = std::chrono::steady_clock::now() + kLongestWait;
    while (!std::filesystem::exists(folder_ + "/go") && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    make("done");
  }

 private:
  void make(const char* name) const { std::ofstream(folder_ + "/" + name); }
  std::string folder_;
};

// A pipe that is closed ends the wait too.
void take_steps(const int (&pipes)[3]) {
  if (pipes[0] < 0) return;
  char byte = 0;
  if (write(pipes[0], &byte, 1) == 1 && read(pipes[1], &byte, 1) == 1 &&
      write(pipes[2], &byte, 1) == 1)
    return;
}

class FakeEngine final : public Engine {
 public:
  FakeEngine(const Script& script, const std::string& device)
      : script_(script), gate_(script.gate), device_(device) {
    card_.name = "fake";
    card_.input_width = script.width;
    card_.input_height = script.height;
    card_.threshold = script.threshold;
    card_.fit = script.fit;
    card_.clean_up = script.clean_up;
    for (float& mean : card_.normalisation.mean) mean = -kOffset;
  }

  const ModelCard& card() const override { return card_; }
  std::string device() const override { return device_; }
  std::string name() const override { return "fake"; }
  std::string precision() const override { return "fp32"; }

  void run(const float* const* inputs, float* const* probabilities, int n) override {
    if (n > script_.room) throw_fault("no-space");
    for (int i = 0; i < n; ++i) {
      const bool warm_up = inputs[i][0] < kOffset / 2;
      const long frame = warm_up ? 0 : ++frames_;
      if (script_.delayed.has(frame))
        std::this_thread::sleep_for(std::chrono::milliseconds(script_.delay_ms));
      if (!warm_up) gate_.pass();
      if (!warm_up) take_steps(script_.steps);
      for (const auto& fault : script_.faults)
        if (fault.second.has(frame)) throw_fault(fault.first);
      if (!warm_up && std::lround(255 * (inputs[i][0] - kOffset)) == script_.nan_red)
        throw_fault("nan");
      for (int y = 0; y < script_.height; ++y) {
        const float* in = inputs[i] + y * script_.width;
        float* out = probabilities[i] + y * script_.width;
        for (int x = 0; x < script_.width; ++x)
          out[x] = !script_.shift ? probability(in[x] - kOffset)
                   : x > 0        ? probability(in[x - 1] - kOffset)
                                  : 0;
      }
    }
  }

 private:
  float probability(float red) const {
    if (script_.dark < 0) return red;
    return std::clamp(0.5f + 4 * (static_cast<float>(script_.dark) - red), 0.0f, 1.0f);
  }

  Script script_;
  Gate gate_;
  std::string device_;
  ModelCard card_;
  long frames_ = 0;
};

}  // namespace

std::unique_ptr<Engine> make_engine(const UnetsegOpenOptions& options) {
  const std::string device = probe_device(options.device, nullptr);
  const Script script = read_script(options.model_file);
  if (!script.open.empty()) throw_fault(script.open);
  return std::make_unique<FakeEngine>(script, device);
}

std::string probe_device(const std::string& device, std::string* notice) {
  const char* gpus = std::getenv("UNETSEG_FAKE_GPUS");
  const int count = gpus ? std::atoi(gpus) : 0;
  if (device == "cpu") return device;
  if (device == "auto") {
    if (count > 0) return "cuda:0";
    if (const char* text = std::getenv("UNETSEG_FAKE_NOTICE"))
      if (notice) *notice = text;
    return "cpu";
  }
  const int index = device == "cuda" ? 0 : device.rfind("cuda:", 0) == 0 ? device[5] - '0' : -1;
  if (0 <= index && index < count) return "cuda:" + std::to_string(index);
  if (device.rfind("cuda", 0) == 0)
    throw Error(Fault::no_device, "device=" + device + " cannot be used: set device=cpu");
  throw Error(Fault::settings, "device '" + device + "' is not known: use auto or cpu");
}

}  // namespace unetseg
