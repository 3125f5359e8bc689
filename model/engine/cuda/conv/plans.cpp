// SPDX-License-Identifier: MIT
#include "model/engine/cuda/conv/plans.h"

#include <algorithm>
#include <limits>

namespace unetseg::cuda {
namespace {

constexpr ConvShape kShapes[] = {
#define UNETSEG_SHAPE(m, n, k) {m, n, k},
    UNETSEG_CONV_SHAPES(UNETSEG_SHAPE)
#undef UNETSEG_SHAPE
};

constexpr int kBytes = 2;  // of a number
constexpr int kNormBytes = 2 * sizeof(float);

// Where all weights of a block fit beside the input, they are under way before the input is there.
constexpr int kMostStagedBytes = 80 << 10;

// What a processor does in a clock cycle, and what a block costs beside it. Only their proportions
// matter.
constexpr double kBytesFromCache = 40, kBytesFromShared = 100;
constexpr double kLatency = 3000;
constexpr int kMostBlocksAtOnce = 4;  // of a processor: registers

int align(int bytes) {
  return multiple_of(bytes, 128);
}

// All but what depends on the chunk.
ConvPlan cut(const ConvForm& form, const ConvShape& shape) {
  ConvPlan plan = {};
  plan.form = form;
  plan.shape = shape;
  plan.stride = form.kind == ConvKind::strided ? 2 : 1;
  plan.kernel = kernel_of(form.kind);
  plan.margin = form.kind == ConvKind::pointwise ? 0 : 1;
  plan.out_height = form.in_height / plan.stride;
  plan.out_width = form.in_width / plan.stride;
  plan.across = pieces_of(plan.out_width, kTileWidth);
  plan.down = pieces_of(plan.out_height, shape.tile_height());
  plan.groups = pieces_of(form.out_channels, shape.channels());
  plan.by_across = Divider::of(plan.across);
  plan.is_even = plan.out_width % kTileWidth == 0 && plan.out_height % shape.tile_height() == 0;
  plan.window_width = (kTileWidth - 1) * plan.stride + plan.kernel;
  plan.window_pixels = plan.window_width * ((shape.tile_height() - 1) * plan.stride + plan.kernel);
  plan.by_window_width = Divider::of(plan.window_width);
  if (form.reads_picture) {
    plan.padded = plan.padded_first = multiple_of(kPictureChannels, kMatrixDepth);
  } else {
    plan.padded_first = multiple_of(form.in_channels[0], kMatrixDepth);
    plan.padded = plan.padded_first + multiple_of(form.in_channels[1], kMatrixDepth);
  }
  plan.packed_columns = multiple_of(form.out_channels, kMostColumns) / kPackedColumns;
  plan.first_maps = form.reads_picture ? 0 : form.is_sum[0] ? 2 : 1;
  plan.first_channels = plan.first_maps * form.in_channels[0];
  plan.n_maps = plan.first_maps + (form.in_channels[1] == 0 ? 0 : form.is_sum[1] ? 2 : 1);
  plan.depth_blocks = plan.kernel * plan.kernel * plan.padded / kMatrixDepth;
  return plan;
}

struct PiecesOfChunk {
  explicit PiecesOfChunk(int chunk)
      : by_vectors(Divider::of(chunk / kVector)),
        by_blocks(Divider::of(chunk / kMatrixDepth)),
        pixels_at_once(kConvThreads / (chunk / kVector)) {}
  Divider by_vectors, by_blocks;
  int pixels_at_once;
};

// An odd multiple of 16 bytes, or eight neighbours would lie in the same banks.
int pitch_of(int chunk) {
  return chunk * kBytes + 16;
}

// A block's weights, in whole packed columns.
int staged_bytes(const ConvPlan& plan) {
  return plan.depth_blocks * pieces_of(plan.shape.channels(), kPackedColumns) * kPackedBlock *
         kBytes;
}

void lay_out(int chunk, bool stages_weights, ConvPlan* plan) {
  plan->chunk = chunk;
  const int left_over = plan->padded % chunk;
  plan->last_chunk = left_over == 0 ? chunk : left_over;
  const PiecesOfChunk whole(chunk), last(plan->last_chunk);
  plan->by_vectors = whole.by_vectors;
  plan->by_blocks = whole.by_blocks;
  plan->pixels_at_once = whole.pixels_at_once;
  plan->by_last_vectors = last.by_vectors;
  plan->by_last_blocks = last.by_blocks;
  plan->last_pixels_at_once = last.pixels_at_once;
  plan->pitch = pitch_of(chunk);
  plan->stages_weights = stages_weights;

  const ConvForm& form = plan->form;
  int norms = 0;
  for (int i = 0; i < kMostInputs; ++i) norms += form.in_channels[i] * (form.is_sum[i] ? 2 : 1);
  const int steps = plan->kernel * plan->kernel * chunk / kMatrixDepth;
  const int tile = align(plan->window_pixels * plan->pitch);
  const int sums = align(plan->shape.k_splits * plan->shape.pixels() * plan->shape.channels() *
                         static_cast<int>(sizeof(float)));
  plan->steps = align(norms * kNormBytes);
  plan->weights = plan->steps + align(steps * static_cast<int>(sizeof(ConvStep)));
  plan->input = plan->weights + (stages_weights ? align(staged_bytes(*plan)) : 0);
  plan->second = plan->input + tile;
  const bool has_sum = form.is_sum[0] || form.is_sum[1];
  const int input_end = plan->second + (has_sum ? tile : 0);
  // After the products nobody needs the input.
  plan->scratch = plan->input + sums;
  const int scratch_end = plan->scratch + align(2 * kConvThreads * static_cast<int>(sizeof(float)));
  plan->size = std::max(input_end, scratch_end);
}

bool fit(const ConvLimits& limits, ConvPlan* plan) {
  if (staged_bytes(*plan) <= kMostStagedBytes) {
    lay_out(plan->padded, true, plan);
    if (plan->size <= limits.shared_memory) return true;
  }
  for (int pieces = 1; pieces <= plan->padded / kMatrixDepth; ++pieces) {
    const int chunk = multiple_of(pieces_of(plan->padded, pieces), kMatrixDepth);
    if (chunk / kVector > kConvThreads) continue;
    lay_out(chunk, false, plan);
    if (plan->size <= limits.shared_memory) return true;
  }
  return false;
}

double estimated_cycles(const ConvLimits& limits, const ConvPlan& plan) {
  const ConvForm& form = plan.form;
  const double pixels = plan.shape.pixels(), columns = plan.shape.channels();
  const double depth = static_cast<double>(plan.depth_blocks) * kMatrixDepth;
  const double inputs = form.is_sum[0] || form.is_sum[1] ? 2 : 1;
  const double input = static_cast<double>(plan.window_pixels) * plan.padded * kBytes;
  const double from_cache = inputs * input + depth * columns * kBytes + pixels * columns * kBytes;
  const int warps_down = kConvWarps / plan.shape.k_splits;
  const double from_shared = input * 3 + pixels * depth * kBytes +
                             warps_down * depth * columns * kBytes +
                             pixels * columns * 4 * (2 * plan.shape.k_splits + 2);
  const double busy = from_cache / kBytesFromCache + from_shared / kBytesFromShared;
  const double blocks = static_cast<double>(form.images) * plan.across * plan.down *
                        phases_of(form.kind) * plan.groups;
  const double of_a_processor = std::max(1., blocks / limits.processors);
  const double rounds = of_a_processor <= 1 ? 1 : std::max(of_a_processor, 2.);
  const double at_once =
      std::clamp(std::min(static_cast<double>(limits.shared_memory / plan.size), rounds), 1.,
                 static_cast<double>(kMostBlocksAtOnce));
  return rounds * busy + kLatency * std::max(1., rounds / at_once);
}

}  // namespace

std::vector<ConvPlan> possible_plans(const ConvLimits& limits, const ConvForm& form) {
  std::vector<ConvPlan> possible;
  for (const ConvShape& shape : kShapes) {
    if (shape.channels() > multiple_of(form.out_channels, kMatrixColumns)) continue;
    ConvPlan plan = cut(form, shape);
    if (plan.across * plan.groups > Divider::kMostDividend) continue;
    if (fit(limits, &plan)) possible.push_back(plan);
  }
  return possible;
}

std::optional<ConvPlan> plan_conv(const ConvLimits& limits, const ConvForm& form) {
  std::optional<ConvPlan> best;
  double least = std::numeric_limits<double>::infinity();
  for (const ConvPlan& plan : possible_plans(limits, form)) {
    const double cycles = estimated_cycles(limits, plan);
    if (cycles >= least) continue;
    least = cycles;
    best = plan;
  }
  return best;
}

}  // namespace unetseg::cuda
