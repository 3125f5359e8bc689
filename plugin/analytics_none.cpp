// SPDX-License-Identifier: MIT
// In a build without GstAnalytics.
#include "plugin/analytics.h"

namespace unetseg {

void Analytics::take(const ShownMask&, const UnetsegMaskOptions&) {}
void Analytics::attach(GstBuffer*, const UnetsegMeasurement&, const GstVideoInfo&) {}

}  // namespace unetseg
