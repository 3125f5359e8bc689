// SPDX-License-Identifier: MIT
// What an inference costs the GPU alone, pictures and probabilities in its memory: our network with
// convolutions of our own and with cuDNN's, each as a CUDA graph, and of the former every
// convolution in every shape.
//
//   network_speed [--shapes]
//
// tests/benchmarks/peers/gpu_times.py takes the same times of PyTorch.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/InferenceMode.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>

#include "model/engine/cuda/conv/network.h"
#include "model/engine/cuda/conv/plans.h"
#include "model/engine/cuda/network.h"

#include "tests/model/random_network.h"

using namespace unetseg;
using namespace unetseg::cuda;

namespace {

struct Case {
  int base_width, side, images;
};
const Case kCases[] = {{16, 128, 1}, {16, 256, 1}, {24, 160, 1}, {16, 128, 8}, {16, 128, 64}};

// The median of several times, in microseconds a call.
double microseconds(cudaStream_t stream, int calls, const std::function<void()>& call) {
  constexpr int kTimes = 9;
  cudaEvent_t begin, end;
  cudaEventCreate(&begin);
  cudaEventCreate(&end);
  std::vector<float> times(kTimes);
  for (float& time : times) {
    cudaEventRecord(begin, stream);
    for (int i = 0; i < calls; ++i) call();
    cudaEventRecord(end, stream);
    cudaEventSynchronize(end);
    cudaEventElapsedTime(&time, begin, end);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  std::sort(times.begin(), times.end());
  return 1e3 * times[kTimes / 2] / calls;
}

double of_graph(const c10::cuda::CUDAStream& stream, const std::function<at::Tensor()>& forward) {
  constexpr int kWarmUps = 3, kCalls = 30;
  for (int i = 0; i < kWarmUps; ++i) forward();
  at::cuda::CUDAGraph graph;
  graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
  const at::Tensor result = forward();
  graph.capture_end();
  graph.replay();
  stream.synchronize();
  return microseconds(stream.stream(), kCalls, [&] { graph.replay(); });
}

// Of the last inference, in the order of nodes.
std::vector<ConvJob> jobs;

void print_shapes(const c10::cuda::CUDAStream& stream, int device) {
  constexpr int kCalls = 20;
  const ConvKernels& kernels = *device_conv_kernels();
  ConvLimits limits;
  kernels.limits(device, &limits);
  for (const ConvJob& job : jobs) {
    const ConvForm& form = job.plan.form;
    const auto took = [&](const ConvPlan& plan) {
      ConvJob other = job;
      other.plan = plan;
      return microseconds(stream.stream(), kCalls, [&] { kernels.conv(other, stream.stream()); });
    };
    std::printf("  kind %d, %dx%d, %d to %d channels: %.2f us;", static_cast<int>(form.kind),
                form.in_width, form.in_height, job.plan.padded, form.out_channels, took(job.plan));
    for (const ConvPlan& plan : possible_plans(limits, form))
      std::printf(" %dx%dx%d %.2f", plan.shape.m_tiles, plan.shape.n_tiles, plan.shape.k_splits,
                  took(plan));
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool shapes = argc > 1 && std::strcmp(argv[1], "--shapes") == 0;
  const c10::InferenceMode inference;
  const at::Device device(at::kCUDA, 0);
  const auto stream = c10::cuda::getStreamFromPool(false, 0);
  const c10::cuda::CUDAStreamGuard current(stream);
  ConvKernels recording = *device_conv_kernels();
  recording.conv = [](const ConvJob& job, void* on) {
    jobs.push_back(job);
    return device_conv_kernels()->conv(job, on);
  };
  std::printf("fp16, on the GPU alone: our convolutions, cuDNN's\n");
  for (const Case& c : kCases) {
    const RandomNetwork network(c.base_width, 11);
    const NetworkGraph graph = improved_unet_graph(c.base_width);
    const at::Tensor pictures = at::rand({c.images, 3, c.side, c.side}, at::kFloat).to(device);
    const auto own =
        ConvNetwork::make(graph, network.parameters, c.side, c.side, device, at::kHalf, recording);
    if (!own) return 77;  // too old a GPU
    const FusedNetwork with_cudnn(graph, network.parameters, c.side, c.side, device, at::kHalf);
    const double own_time =
        of_graph(stream, [&] { return own->forward(pictures, stream.stream()); });
    const double cudnn_time = of_graph(
        stream, [&] { return with_cudnn.forward(pictures, *device_kernels(), stream.stream()); });
    std::printf("width %d, %dx%d, %d at once: %.1f us, %.1f us; %.0f and %.0f frames/s\n",
                c.base_width, c.side, c.side, c.images, own_time, cudnn_time,
                1e6 * c.images / own_time, 1e6 * c.images / cudnn_time);
    std::fflush(stdout);
    if (!shapes || c.base_width != 16) continue;
    jobs.clear();
    own->forward(pictures, stream.stream());
    print_shapes(stream, device.index());
  }
  return cudaGetLastError() == cudaSuccess ? EXIT_SUCCESS : EXIT_FAILURE;
}
