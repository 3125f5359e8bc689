// SPDX-License-Identifier: MIT
#include "model/frame/cuda/gpu_painter.h"

#include <algorithm>

#include "model/frame/formats.h"

namespace unetseg {
namespace {

constexpr std::size_t kUploads = 3;

bool same_part(const FramePart& a, const FramePart& b) {
  return a.across.first == b.across.first && a.across.last == b.across.last &&
         a.down.first == b.down.first && a.down.last == b.down.last;
}

// For each pixel of an axis; left is -1 for those outside of the map's part.
void place_axis(const Share& share, int samples, int pixels, Neighbours* out) {
  const PlacedAxis axis(share, samples, pixels);
  const Run inside = axis.pixels();
  for (int i = 0; i < pixels; ++i)
    out[i] =
        i >= inside.first && i < inside.last ? neighbours(axis, i, samples) : Neighbours{-1, 0};
}

PlaneRows plane_rows(const UnetsegFrame& frame, int plane) {
  return {frame.plane[plane], frame.stride[plane]};
}

Run hull(const Run& a, const Run& b) {
  if (a.first >= a.last) return b;
  if (b.first >= b.last) return a;
  return {std::min(a.first, b.first), std::max(a.last, b.last)};
}

std::size_t map_values(const ProbabilityView& map) {
  return static_cast<std::size_t>(map.width) * static_cast<std::size_t>(map.height);
}

template <typename T>
const T* put(const Staging& staging, std::size_t at, const T* from, std::size_t count) {
  if (count > 0) std::memcpy(staging.host() + at, from, count * sizeof(T));
  return reinterpret_cast<const T*>(staging.device() + at);
}

// The frame's own part of an overlay.
OverlayJob overlay_of(const UnetsegFrame& frame, const Ink& fill, const Ink& contour) {
  const PixelLayout& layout = pixel_layout(frame.format);
  OverlayJob job = {};
  for (int plane = 0; plane < layout.planes; ++plane) job.plane[plane] = plane_rows(frame, plane);
  job.width = frame.width;
  job.height = frame.height;
  job.components = layout.components;
  job.value_bytes = layout.value_bytes();
  for (int i = 0; i < layout.components; ++i) {
    const Component& c = layout.component[i];
    job.component[i] = {c.plane,   c.offset,      c.step,          c.shift_x,
                        c.shift_y, fill.value[i], contour.value[i]};
  }
  job.fill_alpha = fill.alpha;
  job.contour_alpha = contour.alpha;
  return job;
}

}  // namespace

GpuPainter::GpuPainter(Gpu& gpu) : gpu_(gpu), contour_(kTileRows), placement_(gpu) {
  for (std::size_t i = 0; i < kUploads; ++i) uploads_.push_back(std::make_unique<Staging>(gpu));
}

void GpuPainter::place(const ProbabilityView& map, const UnetsegFrame& frame) {
  if (is_placed_ && width_ == frame.width && height_ == frame.height &&
      placed_.width == map.width && placed_.height == map.height &&
      same_part(placed_.part, map.part))
    return;
  is_placed_ = false;
  Parts parts;
  const std::size_t across = parts.add<Neighbours>(static_cast<std::size_t>(frame.width));
  const std::size_t down = parts.add<Neighbours>(static_cast<std::size_t>(frame.height));
  placement_.reserve(parts.bytes());
  const auto host = [this](std::size_t at) {
    return reinterpret_cast<Neighbours*>(placement_.host() + at);
  };
  place_axis(map.part.across, map.width, frame.width, host(across));
  place_axis(map.part.down, map.height, frame.height, host(down));
  placement_.upload(parts.bytes(), frame.cuda_stream);
  placement_.in_use(frame.cuda_stream);
  across_ = reinterpret_cast<const Neighbours*>(placement_.device() + across);
  down_ = reinterpret_cast<const Neighbours*>(placement_.device() + down);
  width_ = frame.width;
  height_ = frame.height;
  placed_ = map;
  is_placed_ = true;
}

Staging& GpuPainter::next_upload() {
  upload_ = (upload_ + 1) % uploads_.size();
  return *uploads_[upload_];
}

void GpuPainter::overlay(const ProbabilityView& map, float level, double threshold,
                         const UnetsegFrame& frame, const UnetsegStyle& style) {
  const Ink fill = ink_for(frame, style.color, style.opacity);
  const Ink contour = ink_for(frame, style.contour_color, 1);
  OverlayJob job = overlay_of(frame, fill, contour);
  job.reach = static_cast<double>(style.contour_width) / 2 + 0.5;
  Run fill_rows{0, 0};
  if (fill.alpha > 0) upsampler_.rows_reaching(threshold, &fill_rows.first, &fill_rows.last);
  if (contour.alpha > 0 && style.contour_width > 0)
    contour_.trace(map, threshold, frame.width, frame.height, job.reach);
  else
    contour_.clear(frame.height);
  const Run fill_strips = {fill_rows.first / kTileRows,
                           (fill_rows.last + kTileRows - 1) / kTileRows};
  const Run strips =
      hull(fill_rows.first < fill_rows.last ? fill_strips : Run{0, 0}, contour_.strips());
  if (strips.first >= strips.last) return;
  job.first_strip = strips.first;
  job.strip_count = strips.last - strips.first;

  Parts parts;
  const std::size_t map_at = parts.add<float>(map_values(map));
  const std::size_t chords_at = parts.add<Chord>(contour_.chords().size());
  const std::size_t strips_at = parts.add<int>(contour_.starts().size());
  const std::size_t crossing_at = parts.add<int>(contour_.crossing().size());
  Staging& upload = next_upload();
  upload.reserve(parts.bytes());
  job.map = {put(upload, map_at, map.data, map_values(map)), map.width, across_, down_, level};
  job.chords = put(upload, chords_at, contour_.chords().data(), contour_.chords().size());
  job.strips = put(upload, strips_at, contour_.starts().data(), contour_.starts().size());
  job.crossing = put(upload, crossing_at, contour_.crossing().data(), contour_.crossing().size());
  upload.upload(parts.bytes(), frame.cuda_stream);
  gpu_.run(job, frame.cuda_stream);
  upload.in_use(frame.cuda_stream);
}

void GpuPainter::values(const ProbabilityView& map, float level, const UnetsegFrame& frame,
                        UnetsegDrawMode mode) {
  const std::size_t bytes = map_values(map) * sizeof(float);
  Staging& upload = next_upload();
  upload.reserve(bytes);
  const PixelLayout& layout = pixel_layout(frame.format);
  const ValuesJob job = {
      plane_rows(frame, 0),
      frame.width,
      frame.height,
      mode == UNETSEG_DRAW_ALPHA ? layout.alpha : 0,
      layout.component[0].step,
      mode == UNETSEG_DRAW_MASK,
      {put(upload, 0, map.data, map_values(map)), map.width, across_, down_, level}};
  upload.upload(bytes, frame.cuda_stream);
  gpu_.run(job, frame.cuda_stream);
  upload.in_use(frame.cuda_stream);
}

void GpuPainter::draw(const ProbabilityView& probabilities, double threshold,
                      const UnetsegFrame& frame, const UnetsegStyle& style) {
  check_drawing(frame, style.mode);
  upsampler_.configure(probabilities, frame.width, frame.height);
  place(probabilities, frame);
  placement_.order(frame.cuda_stream);
  const float level = reaching_level(threshold);
  if (style.mode == UNETSEG_DRAW_OVERLAY)
    overlay(probabilities, level, threshold, frame, style);
  else
    values(probabilities, level, frame, style.mode);
  placement_.in_use(frame.cuda_stream);
}

}  // namespace unetseg
