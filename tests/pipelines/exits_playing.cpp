// SPDX-License-Identifier: MIT
// Ends as applications do that clean nothing up: in PLAYING, with an inference on its way.
#include <gst/gst.h>

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  GstElement* pipeline = gst_parse_launch(
      "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=100/1 ! "
      "unetseg name=net model-file=fake:delay-ms=20 ! fakesink sync=false",
      nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstElement* net = gst_bin_get_by_name(GST_BIN(pipeline), "net");
  guint64 inferred = 0;
  while (inferred < 2) {
    g_usleep(1000);
    GstStructure* stats = nullptr;
    g_object_get(net, "stats", &stats, nullptr);
    gst_structure_get_uint64(stats, "inferred", &inferred);
    gst_structure_free(stats);
  }
  return 0;
}
