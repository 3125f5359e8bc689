// SPDX-License-Identifier: MIT
#include "model/frame/cuda/gpu_sampler.h"

#include <algorithm>

#include "model/frame/axis.h"
#include "model/frame/colour.h"
#include "model/frame/formats.h"

namespace unetseg {
namespace {

bool same_geometry(const UnetsegFrame& a, const UnetsegFrame& b) {
  return a.format == b.format && a.width == b.width && a.height == b.height &&
         !a.chroma_cosited_x == !b.chroma_cosited_x && !a.chroma_cosited_y == !b.chroma_cosited_y;
}

int longest_of(const Axis& axis) {
  int longest = 0;
  for (const Span& span : axis.spans) longest = std::max(longest, span.count);
  return longest;
}

// As many as find room in a chunk, so that a block goes through one of a plane.
int outputs_of_block(int values_each) {
  int outputs = kSamplingThreads;
  while (outputs > 1 && outputs * values_each > kSamplingChunk) outputs /= 2;
  return outputs;
}

}  // namespace

float* GpuPicture::make_room(std::size_t bytes) {
  planar_.reserve(bytes);
  bytes_ = bytes;
  is_fetched_ = false;
  return reinterpret_cast<float*>(planar_.device());
}

const float* GpuPicture::planar() {
  const std::lock_guard<std::mutex> lock(fetching_);
  if (!is_fetched_) {
    void* const stream = gpu_.own_stream();
    planar_.wait();
    planar_.download(bytes_, stream);
    planar_.in_use(stream);
    planar_.wait();
    is_fetched_ = true;
  }
  return reinterpret_cast<const float*>(planar_.host());
}

GpuSampler::GpuSampler(Gpu& gpu, int width, int height, const Normalisation& normalisation)
    : gpu_(gpu), width_(width), height_(height), normalisation_(normalisation), tables_(gpu) {
  job_.input_width = width;
  job_.input_height = height;
  for (int i = 0; i < 3; ++i) {
    job_.scale[i] = 1 / (255 * normalisation.stddev[i]);
    job_.shift[i] = -normalisation.mean[i] / normalisation.stddev[i];
  }
}

// Of columns and of rows, for luma and for chroma that is subsampled.
void GpuSampler::make_tables(const UnetsegFrame& frame, const Framing& framing) {
  has_tables_ = false;  // until all of them are there
  Axis across[2], down[2];
  std::size_t across_at[2], down_at[2];
  Parts parts;
  for (int shift = 0; shift < 2; ++shift) {
    across[shift] =
        make_axis(framing.across, frame.width, framing.width, shift, frame.chroma_cosited_x);
    down[shift] =
        make_axis(framing.down, frame.height, framing.height, shift, frame.chroma_cosited_y);
    across_at[shift] = parts.add<Span>(across[shift].spans.size());
    down_at[shift] = parts.add<Span>(down[shift].spans.size());
  }
  tables_.reserve(parts.bytes());
  const auto place = [this](const Axis& axis, std::size_t at) {
    std::memcpy(tables_.host() + at, axis.spans.data(), axis.spans.size() * sizeof(Span));
    return reinterpret_cast<const Span*>(tables_.device() + at);
  };
  Tables tables[2];
  for (int shift = 0; shift < 2; ++shift)
    tables[shift] = {place(across[shift], across_at[shift]), place(down[shift], down_at[shift]),
                     across[shift].scale, down[shift].scale, longest_of(across[shift])};
  tables_.upload(parts.bytes(), frame.cuda_stream);
  tables_.in_use(frame.cuda_stream);
  describe(frame, framing, tables);
  geometry_ = frame;
  framing_ = framing;
  has_tables_ = true;
}

void GpuSampler::describe(const UnetsegFrame& frame, const Framing& framing,
                          const Tables (&tables)[2]) {
  const PixelLayout& layout = pixel_layout(frame.format);
  job_.planes = layout.planes;
  job_.components = layout.components;
  job_.value_bytes = layout.value_bytes();
  job_.x = framing.x;
  job_.y = framing.y;
  job_.width = framing.width;
  job_.height = framing.height;
  for (int plane = 0; plane < layout.planes; ++plane) {
    job_.plane[plane].values =
        static_cast<int>(row_bytes(layout, plane, frame.width)) / job_.value_bytes;
    job_.plane[plane].down = tables[row_shift(layout, plane)].down;
  }
  const float code_scale = 1 / static_cast<float>(1 << (layout.depth - 8));
  int values_each = 1;
  for (int i = 0; i < layout.components; ++i) {
    const Component& c = layout.component[i];
    const Tables &x = tables[c.shift_x], &y = tables[c.shift_y];
    const int step = c.step / job_.value_bytes;
    job_.component[i] = {c.plane, c.offset / job_.value_bytes, step, x.across,
                         x.scale_across * y.scale_down * code_scale};
    values_each = std::max(values_each, x.longest * step);
  }
  job_.outputs = outputs_of_block(values_each);
}

Framing GpuSampler::sample(const UnetsegFrame& frame, UnetsegFit fit, GpuPicture& picture) {
  check_frame(frame);
  const ColourMatrix matrix = to_rgb(frame);
  const Framing framing = framing_of(frame, fit, width_, height_);
  if (!has_tables_ || !same_geometry(geometry_, frame) || !(framing_ == framing))
    make_tables(frame, framing);
  const std::size_t bytes =
      sizeof(float) * 3 * static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
  for (int plane = 0; plane < job_.planes; ++plane) {
    job_.plane[plane].first = frame.plane[plane];
    job_.plane[plane].stride = frame.stride[plane];
  }
  std::copy(&matrix.factor[0][0], &matrix.factor[0][0] + 9, &job_.factor[0][0]);
  std::copy(matrix.offset, matrix.offset + 3, job_.offset);
  job_.planar = picture.make_room(bytes);
  tables_.order(frame.cuda_stream);
  gpu_.run(job_, frame.cuda_stream);
  picture.sampled(frame.cuda_stream);
  tables_.in_use(frame.cuda_stream);
  return framing;
}

}  // namespace unetseg
