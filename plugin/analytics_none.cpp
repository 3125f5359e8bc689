// SPDX-License-Identifier: MIT
// In a build without GstAnalytics.
#include "plugin/analytics.h"

namespace unetseg {

void Analytics::take(guint, gdouble) {}
void Analytics::attach(GstBuffer*, const UnetsegMeasurement&, const GstVideoInfo&) {}

}  // namespace unetseg
