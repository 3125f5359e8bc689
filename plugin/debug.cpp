// SPDX-License-Identifier: MIT
#include "plugin/debug.h"

GST_DEBUG_CATEGORY(gst_unetseg_debug);
