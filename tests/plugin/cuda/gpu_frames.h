// SPDX-License-Identifier: MIT
// Frames in the fake GPU's memory, and what elements around unetseg ask of it.
#pragma once

#include <memory>

#include "tests/assertions.h"
#include "tests/plugin/cuda/fake_cuda.h"
#include "tests/plugin/cuda/fake_gst_cuda.h"
#include "tests/plugin/lone_element.h"
#include "tests/plugin/pictures.h"

struct Unref {
  void operator()(GstObject* object) const { gst_object_unref(object); }
};
using ObjectPtr = std::unique_ptr<GstObject, Unref>;

inline std::string take_notes() {
  gchar* notes = fake_cuda_take_notes();
  const std::string text = notes;
  g_free(notes);
  return text;
}

inline std::string cuda_caps(const Case& c) {
  const std::string raw = "video/x-raw";
  return raw + "(memory:CUDAMemory)" + c.caps().substr(raw.size());
}

inline std::string device_in_use(GstElement* element) {
  gchar* device = nullptr;
  g_object_get(element, "device-in-use", &device, nullptr);
  const unetseg::StringPtr owned(device);
  return device == nullptr ? "" : device;
}

// What a neighbour on the side of `pad` finds; null where the element has none.
inline ObjectPtr context_of(GstElement* element, const char* pad_name = "sink") {
  const unetseg::PadPtr pad(gst_element_get_static_pad(element, pad_name));
  const QueryPtr query(gst_query_new_context("gst.cuda.context"));
  if (!gst_pad_query(pad.get(), query.get())) return nullptr;
  GstContext* context = nullptr;
  gst_query_parse_context(query.get(), &context);
  GstObject* object = nullptr;
  const GstStructure* fields = gst_context_get_structure(context);
  const GType type = gst_structure_get_field_type(fields, "gst.cuda.context");
  ck_assert(gst_structure_get(fields, "gst.cuda.context", type, &object, nullptr));
  return ObjectPtr(object);
}

// Of a buffer with one memory, on the GPU; what the processor sees, where it maps it.
inline std::vector<guint8> device_bytes(GstBuffer* buffer) {
  GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  const guint8* bytes = fake_cuda_memory_bytes(memory);
  return {bytes, bytes + memory->size};
}

// A picture as a buffer with video meta, and what the element makes of it in system memory.
class Drawing {
 public:
  explicit Drawing(const Case& c, Layout layout = Layout::padded)
      : picture_(picture(c, 1)),
        placed_(info_of(c.caps()), layout),
        bytes_(placed_.bytes(picture_)) {
    Bench bench({{"device", "cpu"}});
    ck_assert(bench.send_caps(c.caps()));
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
    drawn_ = bytes_of(bench.pull().get());
    ck_assert(drawn_ != bytes_);
  }

  const std::vector<guint8>& bytes() const { return bytes_; }
  const std::vector<guint8>& drawn() const { return drawn_; }

  BufferPtr frame() const { return placed_.buffer(picture_); }
  BufferPtr cuda_frame(GstObject* context, std::uintptr_t stream) const {
    const BufferPtr system = frame();
    BufferPtr cuda(gst_buffer_new());
    GstMemory* memory =
        fake_cuda_memory_new(context, bytes_.size(), 0, reinterpret_cast<gpointer>(stream));
    std::copy(bytes_.begin(), bytes_.end(), fake_cuda_memory_bytes(memory));
    gst_buffer_append_memory(cuda.get(), memory);
    const GstVideoMeta* meta = gst_buffer_get_video_meta(system.get());
    gsize offset[GST_VIDEO_MAX_PLANES];
    gint stride[GST_VIDEO_MAX_PLANES];
    std::copy(std::begin(meta->offset), std::end(meta->offset), offset);
    std::copy(std::begin(meta->stride), std::end(meta->stride), stride);
    gst_buffer_add_video_meta_full(cuda.get(), meta->flags, meta->format, meta->width, meta->height,
                                   meta->n_planes, offset, stride);
    return cuda;
  }
  BufferPtr cuda_frame(const Bench& bench, std::uintptr_t stream) const {
    return cuda_frame(context_of(bench.element()).get(), stream);
  }

  // The drawn pixels alone, wherever they lie on the GPU by the buffer's video meta.
  void assert_drawn(GstBuffer* buffer) const {
    const std::vector<guint8> got = device_bytes(buffer);
    const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
    ck_assert(meta != nullptr);
    TestFrame expected = picture_;
    placed_.read(drawn_, &expected);
    for (int p = 0; p < static_cast<int>(meta->n_planes); ++p)
      for (int y = 0; y < expected.rows(p); ++y)
        for (int x = 0; x < expected.row_bytes(p); ++x) {
          const gsize at = meta->offset[p] + static_cast<gsize>(y * meta->stride[p] + x);
          ck_assert_msg(got.at(at) == expected.byte(p, x, y), "plane %d, row %d, byte %d", p, y, x);
        }
  }

 private:
  TestFrame picture_;
  PlacedFrame placed_;
  std::vector<guint8> bytes_, drawn_;
};
