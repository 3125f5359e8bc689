// SPDX-License-Identifier: MIT
#include "trainer/commands/train_setup.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/api/include/torch/version.h>

#include <cstdlib>
#include <optional>
#include <thread>

#include "model/engine/engine.h"
#include "model/network/float32.h"
#include "trainer/commands/say.h"
#include "trainer/predict/predictor.h"
#include "trainer/predict/teacher.h"
#include "trainer/report/progress.h"
#include "trainer/train/flat_parameters.h"

namespace unetseg::trainer {
namespace {

bool has_real_bf16(const std::string& device) {
  if (device != "cpu") return true;
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") && TORCH_VERSION_MAJOR >= 2;
#else
  return false;
#endif
}

}  // namespace

Config resolved(Config config) {
  std::string notice;
  const std::string asked = config.device;
  config.device = probe_device(asked, &notice);
  if (!notice.empty()) say("warning: " + notice);
  if (config.precision == "auto") config.precision = has_real_bf16(config.device) ? "bf16" : "fp32";
  if (config.threads == 0) config.threads = std::max(1u, std::thread::hardware_concurrency());
  say(fmt::format("device {}{}, {}, {} threads", config.device,
                  asked == "auto" && config.device == "cpu" ? " (no usable GPU)" : "",
                  config.precision, config.threads));
  return config;
}

Config with_teacher_hashes(Config config) {
  if (!config.teacher.empty() && config.loss != "dice+bce")
    throw Error(Fault::settings,
                fmt::format("--teacher softens the truth, which --loss {} has no use for: take "
                            "dice+bce, or leave --teacher out",
                            config.loss));
  config.teacher_sha256 = teacher_hashes(config.teacher);
  return config;
}

void ask_teachers(const Config& config, bool quiet, const std::atomic<bool>& stop,
                  DecodedSet* set) {
  TeacherOptions options;
  options.weights = config.teacher;
  const std::optional<UnetsegTta> tta = tta_named(config.teacher_tta);
  if (!tta)
    throw Error(Fault::settings,
                "teacher-tta '" + config.teacher_tta + "' is not known: use none, flips or d4");
  options.augmentation = *tta;
  options.device = config.device;
  // Training in float32 is for who wants the digits.
  if (config.precision == "fp32") options.precision = UNETSEG_PRECISION_FP32;
  options.threads = config.threads;
  ProgressLine line("asking the teachers", quiet);
  set->found = found_by_teachers(
      options, *set, [&](std::size_t done, std::size_t total) { line.update(done, total); }, stop);
  line.finish();
}

void prepare_libtorch(const Config& config) {
  // The run's threads each take samples of their own; LibTorch adds none inside.
  at::set_num_threads(config.device == "cpu" ? 1 : static_cast<int>(config.threads));
  forbid_tf32();
  // cuDNN may choose its algorithms by timing, and some of the fastest add in any order.
  at::globalContext().setBenchmarkCuDNN(!config.deterministic);
  at::globalContext().setDeterministicCuDNN(config.deterministic);
  at::globalContext().setDeterministicAlgorithms(config.deterministic, false);
  if (config.deterministic) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
}

// Two checkpoints and one under way (values, two moments, average), and two
// files of weights; the rest is for pictures and metrics.
std::uint64_t bytes_of_run(const Config& config) {
  const auto parameters = static_cast<std::uint64_t>(
      total_elements(network_layout(config.architecture, config.base_width)));
  return 3 * 16 * parameters + 2 * 4 * parameters + 20000000;
}

void require_same_run(const Checkpoint& checkpoint, const Config& config) {
  const std::vector<std::string> keys = differing_keys(checkpoint.config, config);
  if (!keys.empty())
    throw Error(Fault::settings,
                fmt::format("this run was started with other values of {}: leave them out, or "
                            "start a new run",
                            fmt::join(keys, ", ")));
  const Config& before = checkpoint.config;
  if (before.learning_rate != config.learning_rate)
    say(fmt::format("the peak learning rate is {:g} from here on, it was {:g}",
                    config.learning_rate, before.learning_rate));
  if (before.device != config.device || before.threads != config.threads ||
      before.memory_format != config.memory_format)
    say(
        fmt::format("warning: this run was started on {} with {} threads and {} images: its "
                    "numbers will differ in their last digits from those of an unbroken run",
                    before.device, before.threads, before.memory_format));
}

}  // namespace unetseg::trainer
