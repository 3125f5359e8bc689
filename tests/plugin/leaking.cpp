// SPDX-License-Identifier: MIT
// Leaves a buffer behind, for a tracer to find.
#include <gst/gst.h>

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  gst_buffer_new();
  gst_deinit();
  return 0;
}
