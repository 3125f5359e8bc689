// SPDX-License-Identifier: MIT
// A camera on the network, whose frames come when they like: a server on the loopback address, and
// `rtspsrc ! ... ! unetseg`. Exits with 77 where GStreamer lacks an element.
#include <gst/rtsp-server/rtsp-server.h>

#include "plugin/pointers.h"

#include "tests/pipelines/needs.h"
#include "tests/pipelines/pipeline.h"

namespace {

// Serves JPEG over RTP until the object is gone, each frame up to 60 ms late. On a port of its own.
class Server {
 public:
  Server()
      : context_(g_main_context_new()),
        loop_(g_main_loop_new(context_, FALSE)),
        server_(gst_rtsp_server_new()) {
    gst_rtsp_server_set_address(server_, "127.0.0.1");
    gst_rtsp_server_set_service(server_, "0");
    GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
    gst_rtsp_media_factory_set_launch(
        factory,
        "( videotestsrc is-live=true pattern=red !"
        " video/x-raw,format=I420,width=64,height=48,framerate=30/1 !"
        " netsim min-delay=1 max-delay=60 delay-probability=0.5 allow-reordering=false !"
        " jpegenc ! rtpjpegpay name=pay0 )");
    GstRTSPMountPoints* points = gst_rtsp_server_get_mount_points(server_);
    gst_rtsp_mount_points_add_factory(points, "/camera", factory);
    g_object_unref(points);
    source_ = gst_rtsp_server_attach(server_, context_);
    ck_assert_uint_ne(source_, 0);
    thread_ = g_thread_new("server", serve, loop_);
  }
  ~Server() {
    gst_rtsp_server_client_filter(
        server_, [](GstRTSPServer*, GstRTSPClient*, gpointer) { return GST_RTSP_FILTER_REMOVE; },
        nullptr);
    g_main_loop_quit(loop_);
    g_thread_join(thread_);
    g_source_destroy(g_main_context_find_source_by_id(context_, source_));
    g_object_unref(server_);
    gst_rtsp_thread_pool_cleanup();  // waits for the threads that take clients' streams down
    g_main_loop_unref(loop_);
    g_main_context_unref(context_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string address() const {
    return "rtsp://127.0.0.1:" + std::to_string(gst_rtsp_server_get_bound_port(server_)) +
           "/camera";
  }

 private:
  static gpointer serve(gpointer loop) {
    g_main_loop_run(static_cast<GMainLoop*>(loop));
    return nullptr;
  }

  GMainContext* context_;
  GMainLoop* loop_;
  GstRTSPServer* server_;
  guint source_ = 0;
  GThread* thread_ = nullptr;
};

// The least latency up to `pad`, of a live stream.
GstClockTime latency_at(GstPad* pad) {
  const unetseg::QueryPtr query(gst_query_new_latency());
  ck_assert(gst_pad_query(pad, query.get()));
  gboolean live = FALSE;
  GstClockTime least = 0;
  gst_query_parse_latency(query.get(), &live, &least, nullptr);
  ck_assert(live);
  return least;
}

// Holds the stream between two frames, for as long as the object lives.
class Held {
 public:
  explicit Held(GstPad* pad) : pad_(pad) {
    probe_ = gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, on_frame, this, nullptr);
    while (!is_held_) g_usleep(1000);
  }
  ~Held() { gst_pad_remove_probe(pad_, probe_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  static GstPadProbeReturn on_frame(GstPad*, GstPadProbeInfo*, gpointer self) {
    static_cast<Held*>(self)->is_held_ = true;
    return GST_PAD_PROBE_OK;
  }
  GstPad* pad_;
  gulong probe_;
  std::atomic<bool> is_held_{false};
};

}  // namespace

START_TEST(test_a_jittery_camera_on_the_network_is_never_held_up) {
  const Server server;
  Pipeline pipeline("rtspsrc protocols=tcp latency=50 location=" + server.address() +
                    " ! rtpjpegdepay ! jpegdec name=decoder !"
                    " unetseg name=net model-file=fake:size=64x48,delay-ms=100 !"
                    " fakesink name=out sync=true");
  GstPad *sink = pipeline.pad("net", "sink"), *source = pipeline.pad("net", "src");
  const Counter in(sink), out(source), seen(pipeline.pad("out", "sink"));
  pipeline.set(GST_STATE_PLAYING);
  seen.wait_for_lesions(pipeline, 60);
  ck_assert_int_eq(static_cast<int>(seen.area()), 64 * 48);
  ck_assert_uint_eq(latency_at(source), latency_at(GST_PAD_PEER(sink)));

  const Held held(pipeline.pad("decoder", "src"));
  ck_assert_int_eq(in.buffers(), out.buffers());
  GstElement* net = pipeline.element("net");
  ck_assert_uint_eq(stat_of(net, "frames"), static_cast<guint64>(in.buffers()));
  ck_assert_uint_gt(stat_of(net, "held"), 0);  // latest: frames with the mask of one before
  ck_assert_uint_gt(stat_of(net, "inferred"), 0);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  if (!has_elements({"rtspsrc", "rtpjpegpay", "rtpjpegdepay", "jpegenc", "jpegdec", "netsim"}))
    return 77;
  Suite* suite = suite_create("RTSP");
  TCase* tests = tcase_create("RTSP");
  tcase_add_test(tests, test_a_jittery_camera_on_the_network_is_never_held_up);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
