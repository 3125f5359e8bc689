// SPDX-License-Identifier: MIT
// The plugin's entry. Loading it opens neither the backend module nor any library of the network.
#include <gst/gst.h>

#include "plugin/gstunetseg.h"

static gboolean plugin_init(GstPlugin* plugin) {
  return GST_ELEMENT_REGISTER(unetseg, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, unetseg,
                  "Segments skin lesions in dermatoscope video", plugin_init, PACKAGE_VERSION,
                  "MIT/X11", PACKAGE, PACKAGE)
