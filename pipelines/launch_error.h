// SPDX-License-Identifier: MIT
// What to tell people whose GStreamer cannot make a pipeline of its description.
#pragma once

#include <gst/gst.h>

#include <string>

// GStreamer's own words, in the language of the system; and what to do, where it is unetseg that is
// not found.
inline std::string launch_error(const GError* error) {
  std::string text = error->message;
  if (g_error_matches(error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT) &&
      text.find("unetseg") != std::string::npos)
    text += ": install it, or run this in the shell that `meson devenv -C build -w \"$PWD\"` opens";
  return text;
}
