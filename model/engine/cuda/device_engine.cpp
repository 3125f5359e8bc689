// SPDX-License-Identifier: MIT
#include "model/engine/cuda/device_engine.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>

#include <cstring>
#include <functional>
#include <utility>

#include "model/engine/cuda/device_faults.h"
#include "model/engine/cuda/recent_batches.h"
#include "model/engine/number_type.h"
#include "model/engine/results.h"

namespace unetseg::cuda {
namespace {

constexpr int kWarmUps = 2;  // in the first, cuDNN looks for the fastest of its kernels

// A graph runs the kernels that it was captured from: what they give may differ by where memory
// lies, at most.
constexpr double kGraphTolerance = 1e-3;

// For one batch size: memory at fixed addresses, and the network's work on it.
struct Batch {
  at::Tensor pictures_here, pictures, result, result_here;  // "here" is pinned memory of the host
  std::unique_ptr<at::cuda::CUDAGraph> graph;               // null: it is launched kernel by kernel
};

at::Tensor pinned(at::IntArrayRef sizes) {
  return at::empty(sizes, at::TensorOptions().dtype(at::kFloat).pinned_memory(true));
}

class DeviceEngine final : public Engine, private DeviceInference {
 public:
  explicit DeviceEngine(DeviceNetwork network)
      : name_(std::move(network.engine_name)),
        device_(network.device),
        type_(network.type),
        card_(std::move(network.card)),
        on_device_(std::make_unique<OnDevice>(std::move(network.forward), device_)) {
    const c10::InferenceMode inference;
    const c10::cuda::CUDAStreamGuard stream(on_device_->stream);
    batch_of(1);
  }

  ~DeviceEngine() override {
    if (is_lost(device())) static_cast<void>(on_device_.release());
  }

  const ModelCard& card() const override { return card_; }
  std::string device() const override { return device_.str(); }
  std::string name() const override { return name_; }
  std::string precision() const override { return precision_name(type_); }
  std::string notice() const override { return notice_; }

  void run(const float* const* inputs, float* const* probabilities, int n) override {
    infer_guarded([=](Batch& batch) { upload(inputs, n, &batch); }, probabilities, n);
  }

  DeviceInference* on_device() override { return this; }

  void run(const DevicePicture* inputs, float* const* probabilities, int n) override {
    infer_guarded([=](Batch& batch) { gather(inputs, n, &batch); }, probabilities, n);
  }

 private:
  struct OnDevice {
    OnDevice(Forward its_forward, const at::Device& device)
        : forward(std::move(its_forward)),
          stream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())),
          pool(at::cuda::graph_pool_handle()) {}

    const Forward forward;
    const c10::cuda::CUDAStream stream;
    // Graphs run one after the other and leave nothing in it, so that they can share it.
    const decltype(at::cuda::graph_pool_handle()) pool;
    RecentBatches<Batch> batches;
  };

  template <typename Fill>
  void infer_guarded(const Fill& fill, float* const* probabilities, int n) {
    constexpr int kRetries = 1;
    const Remedies remedies = {[this] { free_caches(); },
                               [this] { on_device_->stream.synchronize(); }};
    const auto work = [&] { infer(fill, probabilities, n); };
    run_guarded(device(), remedies, kRetries, std::ref(work));  // or it would be allocated
  }

  // `fill` puts what fills a batch's pictures into the engine's stream.
  template <typename Fill>
  void infer(const Fill& fill, float* const* probabilities, int n) {
    const c10::InferenceMode inference;
    const c10::cuda::CUDAStreamGuard stream(on_device_->stream);
    Batch& batch = batch_of(n);
    fill(batch);
    if (batch.graph)
      batch.graph->replay();
    else
      launch(batch);
    batch.result_here.copy_(batch.result, /*non_blocking=*/true);
    on_device_->stream.synchronize();
    hand_out(batch.result_here.data_ptr<float>(), pixels(), probabilities, n);
  }

  void upload(const float* const* inputs, int n, Batch* batch) const {
    float* here = batch->pictures_here.data_ptr<float>();
    for (int i = 0; i < n; ++i, here += 3 * pixels())
      std::memcpy(here, inputs[i], 3 * pixels() * sizeof(float));
    batch->pictures.copy_(batch->pictures_here, /*non_blocking=*/true);
  }

  void gather(const DevicePicture* inputs, int n, Batch* batch) const {
    const cudaStream_t stream = on_device_->stream.stream();
    float* to = batch->pictures.data_ptr<float>();
    for (int i = 0; i < n; ++i, to += 3 * pixels()) {
      C10_CUDA_CHECK(cudaStreamWaitEvent(stream, static_cast<cudaEvent_t>(inputs[i].ready), 0));
      C10_CUDA_CHECK(cudaMemcpyAsync(to, inputs[i].planar, 3 * pixels() * sizeof(float),
                                     cudaMemcpyDeviceToDevice, stream));
    }
  }

  std::size_t pixels() const {
    return static_cast<std::size_t>(card_.input_height) * card_.input_width;
  }

  void launch(Batch& batch) {
    const at::Tensor result = on_device_->forward(batch.pictures, on_device_->stream.stream());
    batch.result.copy_(result.view_as(batch.result));
  }

  Batch& batch_of(int n) {
    return on_device_->batches.at(n, [this, n] { return prepared(n); });
  }

  Batch prepared(int n) {
    const std::int64_t height = card_.input_height, width = card_.input_width;
    const auto there = at::TensorOptions().dtype(at::kFloat).device(device_);
    Batch batch = {pinned({n, 3, height, width}), at::empty({n, 3, height, width}, there),
                   at::empty({n, height, width}, there), pinned({n, height, width}), nullptr};
    batch.pictures.copy_(
        at::linspace(-2, 2, batch.pictures.numel(), there).view_as(batch.pictures));
    for (int i = 0; i < kWarmUps; ++i) launch(batch);
    on_device_->stream.synchronize();
    if (has_graphs_) capture(batch);
    return batch;
  }

  void capture(Batch& batch) {
    const at::Tensor plain = batch.result.clone();
    try {
      auto graph = std::make_unique<at::cuda::CUDAGraph>();
      // Not global: another element's allocations would end it.
      graph->capture_begin(on_device_->pool, cudaStreamCaptureModeThreadLocal);
      try {
        launch(batch);
      } catch (...) {
        end_quietly(*graph);
        throw;
      }
      graph->capture_end();
      batch.result.zero_();
      graph->replay();
      if (at::allclose(batch.result, plain, 0, kGraphTolerance, /*equal_nan=*/true))
        batch.graph = std::move(graph);
      else
        do_without_graphs("the graph gave another result");
    } catch (const std::exception& error) {
      if (fault_of(error) != DeviceFault::other) throw;
      do_without_graphs(error.what());
    }
  }

  // Or the stream would go on capturing.
  static void end_quietly(at::cuda::CUDAGraph& graph) {
    try {
      graph.capture_end();
    } catch (const std::exception&) {
      // What made the capture fail is the error to report.
    }
  }

  void do_without_graphs(const std::string& why) {
    has_graphs_ = false;
    notice_ =
        "The network runs slower than this GPU could: it cannot be captured as a CUDA graph (" +
        why.substr(0, why.find('\n')) + "); update the GPU's driver or LibTorch";
  }

  void free_caches() {
    on_device_->batches.clear();
    on_device_->stream.synchronize();
    c10::cuda::CUDACachingAllocator::emptyCache();
  }

  const std::string name_;
  const at::Device device_;
  const at::ScalarType type_;
  const ModelCard card_;
  std::unique_ptr<OnDevice> on_device_;
  bool has_graphs_ = true;
  std::string notice_;
};

}  // namespace

std::unique_ptr<Engine> make_device_engine(const at::Device& device,
                                           const std::function<DeviceNetwork()>& load) {
  constexpr int kRetries = 0;  // LibTorch has freed its own caches before it says so
  const Remedies remedies = {[] {},
                             [&] {
                               const c10::cuda::CUDAGuard current(device);
                               c10::cuda::device_synchronize();
                             }};
  std::unique_ptr<Engine> engine;
  run_guarded(device.str(), remedies, kRetries, [&] {
    const c10::cuda::CUDAGuard current(device);
    engine = std::make_unique<DeviceEngine>(load());
  });
  return engine;
}

}  // namespace unetseg::cuda
