// SPDX-License-Identifier: MIT
// From what went wrong to the message that an application gets on the bus.
#pragma once

#include <gst/gst.h>

#include <string>

namespace unetseg {

// Thrown wherever the element cannot go on. `text` is one sentence for the user that says what to
// do, `detail` is for developers and may be empty.
struct Failure {
  GQuark domain;  // GST_LIBRARY_ERROR, GST_RESOURCE_ERROR or GST_STREAM_ERROR
  gint code;      // of that domain
  std::string text, detail;
};

// What a function of the backend's table reported. Takes `error`, which may be NULL where a module
// broke its contract.
Failure failure_from_backend(GError* error);

// The exception that is being handled right now, whatever it is. Call from a catch block.
Failure failure_from_exception();

void post_error(GstElement* element, const Failure& failure);
void post_warning(GstElement* element, const Failure& failure);

}  // namespace unetseg
