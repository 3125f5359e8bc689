// SPDX-License-Identifier: MIT
// The GObject type of the element.
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_UNETSEG (gst_unetseg_get_type())
G_DECLARE_FINAL_TYPE(GstUnetseg, gst_unetseg, GST, UNETSEG, GstElement)

GST_ELEMENT_REGISTER_DECLARE(unetseg);

G_END_DECLS
