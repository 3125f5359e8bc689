// SPDX-License-Identifier: MIT
#include "plugin/analytics.h"

#include <gst/analytics/analytics.h>

#include "plugin/errors.h"

namespace unetseg {
namespace {

constexpr const char* kObject = "lesion";

}  // namespace

void Analytics::take(const ShownMask& mask, const UnetsegMaskOptions& options) {
  const UnetsegModelInfo& model = mask.model->info();
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_GRAY8, static_cast<guint>(model.input_width),
                            static_cast<guint>(model.input_height));
  mask_.reset(gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr));
  GstMapInfo map;
  if (!mask_ || !gst_buffer_map(mask_.get(), &map, GST_MAP_WRITE))
    throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                  "There is no memory for a mask: close other programs", "GstAnalytics"};
  UnetsegFrame frame = {};
  frame.format = UNETSEG_FORMAT_GRAY8;
  frame.width = model.input_width;
  frame.height = model.input_height;
  frame.plane[0] = map.data;
  frame.stride[0] = GST_VIDEO_INFO_PLANE_STRIDE(&info, 0);
  UnetsegStyle style = {};
  style.mode = UNETSEG_DRAW_MASK;
  const auto unmap = [&] { gst_buffer_unmap(mask_.get(), &map); };
  try {
    mask.model->draw(mask.slot, frame, options, style);
  } catch (...) {
    unmap();
    throw;
  }
  unmap();
  gst_buffer_add_video_meta(mask_.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8,
                            static_cast<guint>(model.input_width),
                            static_cast<guint>(model.input_height));
}

void Analytics::attach(GstBuffer* buffer, const UnetsegMeasurement& measurement,
                       const GstVideoInfo& frame) {
  GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
  if (meta == nullptr) meta = gst_buffer_add_analytics_relation_meta(buffer);
  guint regions[] = {0, 255};
  GstAnalyticsSegmentationMtd segmentation;
  gst_analytics_relation_meta_add_segmentation_mtd(
      meta, gst_buffer_ref(mask_.get()), GST_SEGMENTATION_TYPE_SEMANTIC, G_N_ELEMENTS(regions),
      regions, 0, 0, static_cast<guint>(GST_VIDEO_INFO_WIDTH(&frame)),
      static_cast<guint>(GST_VIDEO_INFO_HEIGHT(&frame)), &segmentation);
  if (!measurement.found) return;
  GstAnalyticsODMtd object;
  gst_analytics_relation_meta_add_od_mtd(meta, g_quark_from_static_string(kObject), measurement.x,
                                         measurement.y, measurement.width, measurement.height,
                                         static_cast<gfloat>(measurement.confidence), &object);
  gst_analytics_relation_meta_set_relation(meta, GST_ANALYTICS_REL_TYPE_RELATE_TO, object.id,
                                           segmentation.id);
}

}  // namespace unetseg
