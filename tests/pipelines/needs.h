// SPDX-License-Identifier: MIT
// What a test needs of GStreamer and may be without, or is to be without.
#pragma once

#include <gst/gst.h>

#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <string>

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

// Programs that are started from now on find the plugins of these elements alone, through links in
// `folder`: as where unetseg is not installed.
inline void leave_elements(std::initializer_list<const char*> names, const std::string& folder) {
  for (const char* name : names) {
    GstElementFactory* factory = gst_element_factory_find(name);
    GstPlugin* plugin = gst_plugin_feature_get_plugin(GST_PLUGIN_FEATURE(factory));
    const std::filesystem::path file = gst_plugin_get_filename(plugin);
    std::error_code ignored;  // two elements may be of one plugin
    std::filesystem::create_symlink(file, folder / file.filename(), ignored);
    gst_object_unref(plugin);
    gst_object_unref(factory);
  }
  g_setenv("GST_PLUGIN_SYSTEM_PATH_1_0", folder.c_str(), TRUE);
  g_setenv("GST_PLUGIN_PATH_1_0", "", TRUE);
  g_setenv("GST_REGISTRY_1_0", (folder + "/registry.bin").c_str(), TRUE);
}
