// SPDX-License-Identifier: MIT
// The debug category that all of the plugin logs to: GST_DEBUG=unetseg:5.
#pragma once

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN(gst_unetseg_debug);
#define GST_CAT_DEFAULT gst_unetseg_debug
