// SPDX-License-Identifier: MIT
// What a test needs of GStreamer and may be without.
#pragma once

#include <gst/gst.h>

#include <cstdio>
#include <initializer_list>

// False with a line that names the first one that is missing: the test is skipped, exit code 77.
inline bool has_elements(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    GstElementFactory* factory = gst_element_factory_find(name);
    if (factory == nullptr) {
      std::printf("skipped: there is no GStreamer element %s\n", name);
      return false;
    }
    gst_object_unref(factory);
  }
  return true;
}
