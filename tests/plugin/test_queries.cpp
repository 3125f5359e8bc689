// SPDX-License-Identifier: MIT
// Queries that the element answers itself: caps in both directions, latency, allocation.
#include "tests/plugin/bench.h"

namespace {

constexpr const char* kFormats =
    "{ NV12, I420, YUY2, UYVY, YV12, NV21, Y42B, P010_10LE, Y444, RGB, BGR, RGBx, BGRx, xRGB, "
    "xBGR, RGBA, BGRA, ARGB, ABGR, GRAY8 }";

CapsPtr parse(const std::string& text) {
  std::string full = text;
  for (const auto& formats : {std::pair<std::string, std::string>{"ANY", kFormats},
                              {"ALPHA", "{ RGBA, BGRA, ARGB, ABGR }"}}) {
    const std::size_t at = full.find(formats.first);
    if (at != std::string::npos) full.replace(at, formats.first.size(), formats.second);
  }
  CapsPtr caps(gst_caps_from_string(full.c_str()));
  ck_assert_msg(caps != nullptr, "no caps: %s", full.c_str());
  return caps;
}

std::string raw(const std::string& fields) {
  return "video/x-raw," + fields;
}

const std::string kAnySize =
    ",width=(int)[1,max],height=(int)[1,max],framerate=(fraction)[0/1,max]";
const std::string kSmall = ",width=8,height=8,framerate=(fraction)[0/1,max]";

// `peer` is what the pad opposite of the one that is asked can do; empty: anything.
struct CapsCase {
  const char *output, *pad;
  std::string peer, filter, expected;
};

const std::vector<CapsCase>& caps_cases() {
  static const std::vector<CapsCase> rows = {
      {"overlay", "sink", "", "", raw("format=ANY" + kAnySize)},
      {"mask", "sink", "", "", raw("format=ANY" + kAnySize)},
      {"overlay", "src", "", "", raw("format=ANY" + kAnySize)},
      {"mask", "src", "", "", raw("format=GRAY8" + kAnySize)},
      {"probability", "src", "", "", raw("format=GRAY8" + kAnySize)},
      {"cutout", "sink", "", "", raw("format=ANY" + kAnySize)},
      {"cutout", "src", "", "", raw("format=ALPHA" + kAnySize)},
      // What the peer can do comes through.
      {"overlay", "sink", raw("format=RGB" + kSmall), "", raw("format=RGB" + kSmall)},
      {"mask", "sink", raw("format=GRAY8" + kSmall), "", raw("format=ANY" + kSmall)},
      {"probability", "sink", raw("format=GRAY8" + kSmall), "", raw("format=ANY" + kSmall)},
      {"mask", "sink", raw("format=RGB" + kSmall), "", "EMPTY"},
      {"overlay", "sink", raw("format=v210" + kSmall), "", "EMPTY"},
      {"overlay", "src", raw("format=NV12" + kSmall), "", raw("format=NV12" + kSmall)},
      {"mask", "src", raw("format=NV12,colorimetry=bt709" + kSmall), "",
       raw("format=GRAY8" + kSmall)},
      {"overlay", "src", raw("format=NV12,colorimetry=bt709" + kSmall), "",
       raw("format=NV12,colorimetry=bt709" + kSmall)},
      {"cutout", "sink", raw("format={RGB,BGRA}" + kSmall), "", raw("format=ANY" + kSmall)},
      {"cutout", "sink", raw("format={RGB,NV12}" + kSmall), "", "EMPTY"},
      {"cutout", "src", raw("format=NV12,colorimetry=bt709,chroma-site=mpeg2" + kSmall), "",
       raw("format=ALPHA" + kSmall)},
      {"cutout", "src", raw("format={BGR,ARGB},colorimetry=1:1:5:1" + kSmall), "",
       raw("format=ALPHA,colorimetry=1:1:5:1" + kSmall)},
      {"cutout", "src", raw("format={BGR,GRAY8},colorimetry=1:1:5:1" + kSmall), "",
       raw("format=ALPHA" + kSmall)},
      // So does a filter.
      {"overlay", "sink", "", raw("format=BGR" + kSmall), raw("format=BGR" + kSmall)},
      {"mask", "sink", "", raw("format=BGR" + kSmall), raw("format=BGR" + kSmall)},
      {"mask", "src", "", raw("format=BGR" + kSmall), "EMPTY"},
      {"mask", "src", "", raw("format={BGR,GRAY8}" + kSmall), raw("format=GRAY8" + kSmall)},
      {"overlay", "sink", "", "video/x-raw(memory:DMABuf),format=NV12,width=8,height=8", "EMPTY"},
      {"mask", "sink", raw("format=GRAY8" + kSmall), raw("format=RGB,width=9"), "EMPTY"},
      {"cutout", "sink", raw("format=RGBA" + kSmall), raw("format=NV12" + kSmall),
       raw("format=NV12" + kSmall)},
      {"cutout", "src", raw("format=NV12" + kSmall), raw("format={RGB,ABGR}" + kSmall),
       raw("format=ABGR" + kSmall)},
  };
  return rows;
}

// A peer that can do `caps`, which are borrowed.
GstPadProbeReturn answer_caps(GstPad*, GstPadProbeInfo* info, gpointer caps) {
  GstQuery* query = GST_PAD_PROBE_INFO_QUERY(info);
  if (GST_QUERY_TYPE(query) != GST_QUERY_CAPS) return GST_PAD_PROBE_OK;
  GstCaps* filter = nullptr;
  gst_query_parse_caps(query, &filter);
  GstCaps* all = static_cast<GstCaps*>(caps);
  const CapsPtr answer(filter ? gst_caps_intersect_full(filter, all, GST_CAPS_INTERSECT_FIRST)
                              : gst_caps_ref(all));
  gst_query_set_caps_result(query, answer.get());
  return GST_PAD_PROBE_HANDLED;
}

constexpr auto kQueries =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_QUERY_BOTH | GST_PAD_PROBE_TYPE_PUSH);

CapsPtr ask(GstElement* element, const char* pad_name, GstCaps* filter) {
  GstPad* pad = gst_element_get_static_pad(element, pad_name);
  CapsPtr caps(gst_pad_query_caps(pad, filter));
  gst_object_unref(pad);
  return caps;
}

void assert_equal(const CapsPtr& got, const CapsPtr& expected, const char* what) {
  gchar *a = gst_caps_to_string(got.get()), *b = gst_caps_to_string(expected.get());
  ck_assert_msg(gst_caps_is_equal(got.get(), expected.get()), "%s: %s instead of %s", what, a, b);
  g_free(a);
  g_free(b);
}

// What is live and how late it is, answered for the source of the pipeline.
struct UpstreamLatency {
  bool answers, live;
  GstClockTime least, most;
};

GstPadProbeReturn answer_latency(GstPad*, GstPadProbeInfo* info, gpointer data) {
  GstQuery* query = GST_PAD_PROBE_INFO_QUERY(info);
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return GST_PAD_PROBE_OK;
  const auto& upstream = *static_cast<const UpstreamLatency*>(data);
  if (!upstream.answers) return GST_PAD_PROBE_DROP;
  gst_query_set_latency(query, upstream.live, upstream.least, upstream.most);
  return GST_PAD_PROBE_HANDLED;
}

}  // namespace

START_TEST(test_caps_of_either_side_are_the_other_sides_seen_through_the_output) {
  for (const CapsCase& c : caps_cases()) {
    Bench bench({{"output", c.output}});
    const bool at_sink = std::string(c.pad) == "sink";
    CapsPtr peer;
    if (!c.peer.empty()) {
      peer = parse(c.peer);
      gst_pad_add_probe(at_sink ? bench.harness()->sinkpad : bench.harness()->srcpad, kQueries,
                        answer_caps, peer.get(), nullptr);
    }
    const CapsPtr filter = c.filter.empty() ? nullptr : parse(c.filter);
    const std::string what =
        std::string(c.output) + " at " + c.pad + ", peer " + c.peer + ", filter " + c.filter;
    assert_equal(ask(bench.element(), c.pad, filter.get()), parse(c.expected), what.c_str());
  }
}
END_TEST

// Lists are equal in any order, but the first is what most elements take.
START_TEST(test_cutouts_of_formats_with_alpha_are_preferred) {
  const struct {
    const char *pad, *peer, *first;
  } cases[] = {{"sink", "format={RGB,ARGB,BGRA}", "ARGB"},
               {"src", "format={NV12,ABGR,BGRA}", "ABGR"},
               {"src", "format=NV12", "RGBA"}};
  for (const auto& c : cases) {
    Bench bench({{"output", "cutout"}});
    const CapsPtr peer = parse(raw(c.peer + kSmall));
    gst_pad_add_probe(
        std::string(c.pad) == "sink" ? bench.harness()->sinkpad : bench.harness()->srcpad, kQueries,
        answer_caps, peer.get(), nullptr);
    const CapsPtr caps(gst_caps_fixate(ask(bench.element(), c.pad, nullptr).release()));
    const gchar* format = gst_structure_get_string(gst_caps_get_structure(caps.get(), 0), "format");
    ck_assert_str_eq(format, c.first);
  }
}
END_TEST

START_TEST(test_caps_are_those_of_the_output_that_runs) {
  const CapsPtr grey = parse(raw("format=GRAY8" + kAnySize));
  const CapsPtr any = parse(raw("format=ANY" + kAnySize));
  Bench bench({{"output", "mask"}});
  assert_equal(ask(bench.element(), "src", nullptr), grey, "before the first caps");
  set_properties(bench.element(), {{"output", "overlay"}});
  assert_equal(ask(bench.element(), "src", nullptr), any, "another before the first caps");
  set_properties(bench.element(), {{"output", "mask"}});
  ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
  const CapsPtr masks = ask(bench.element(), "src", nullptr);
  set_properties(bench.element(), {{"output", "overlay"}});  // for the next frame
  assert_equal(ask(bench.element(), "src", nullptr), masks, "while masks are pushed");
  gst_element_set_state(bench.element(), GST_STATE_READY);
  assert_equal(ask(bench.element(), "src", nullptr), any, "before the next start");
  gst_element_set_state(bench.element(), GST_STATE_PLAYING);
  assert_equal(ask(bench.element(), "src", nullptr), any, "after the next start");
}
END_TEST

START_TEST(test_c10_latency_grows_by_the_time_of_an_inference) {
  const UpstreamLatency cases[] = {
      {true, true, 5 * GST_MSECOND, 50 * GST_MSECOND},
      {true, true, 0, GST_CLOCK_TIME_NONE},
      {true, false, 0, GST_CLOCK_TIME_NONE},
  };
  constexpr GstClockTime kDelay = 20 * GST_MSECOND;
  for (UpstreamLatency upstream : cases) {
    Bench bench({{"model-file", "fake:delay-ms=20"}, {"mode", "every-frame"}});
    gst_pad_add_probe(bench.harness()->srcpad, kQueries, answer_latency, &upstream, nullptr);
    const QueryPtr query(gst_query_new_latency());
    ck_assert(gst_pad_peer_query(bench.harness()->sinkpad, query.get()));
    gboolean live = FALSE;
    GstClockTime least = 0, most = 0;
    gst_query_parse_latency(query.get(), &live, &least, &most);
    ck_assert_int_eq(live, upstream.live);
    ck_assert_uint_ge(least, upstream.least + kDelay);
    if (GST_CLOCK_TIME_IS_VALID(upstream.most))
      ck_assert_uint_eq(most - upstream.most, least - upstream.least);
    else
      ck_assert(!GST_CLOCK_TIME_IS_VALID(most));
  }
}
END_TEST

// Sinks ask when they have their first frame, and perhaps before.
START_TEST(test_auto_mode_answers_before_the_first_caps_as_it_does_after_them) {
  for (const bool live : {true, false}) {
    Bench bench({{"model-file", "fake:delay-ms=20"}});
    UpstreamLatency upstream = {true, live, 0, GST_CLOCK_TIME_NONE};
    gst_pad_add_probe(bench.harness()->srcpad, kQueries, answer_latency, &upstream, nullptr);
    const guint64 before = gst_harness_query_latency(bench.harness());
    ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
    ck_assert_uint_eq(gst_harness_query_latency(bench.harness()), before);
    ck_assert_int_eq(before == 0, live);
  }
}
END_TEST

START_TEST(test_latency_that_upstream_does_not_know_is_not_known) {
  Bench bench;
  UpstreamLatency silent = {false, false, 0, 0};
  gst_pad_add_probe(bench.harness()->srcpad, kQueries, answer_latency, &silent, nullptr);
  const QueryPtr query(gst_query_new_latency());
  ck_assert(!gst_pad_peer_query(bench.harness()->sinkpad, query.get()));
}
END_TEST

// Warm-ups take no time, frames do: the latency that was reported does not hold any more.
START_TEST(test_an_inference_that_becomes_slower_is_reported) {
  Bench bench({{"model-file", "fake:delay-ms=3,delay-at=1.."}});
  ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
  bench.latency_messages();
  for (int i = 0; i < 192; ++i) ck_assert_int_eq(bench.push(bytes_buffer(64, 0)), GST_FLOW_OK);
  ck_assert_int_ge(bench.latency_messages(),
                   1);  // more on a machine that has become slower by itself
  ck_assert_uint_ge(gst_harness_query_latency(bench.harness()), 3 * GST_MSECOND);
}
END_TEST

START_TEST(test_allocation_is_downstreams_for_overlays_and_free_for_masks_and_cutouts) {
  struct {
    const char* output;
    PeerMeta peer;
    bool offers_video_meta;
  } const cases[] = {{"overlay", PeerMeta::video, true},
                     {"overlay", PeerMeta::none, false},
                     {"mask", PeerMeta::none, true},
                     {"probability", PeerMeta::none, true},
                     {"cutout", PeerMeta::none, true}};
  for (const auto& c : cases) {
    Bench bench({{"output", c.output}}, Upstream::not_live, c.peer);
    const std::string caps_text = caps_of("RGB", 8, 8);
    ck_assert(bench.send_caps(caps_text));
    const CapsPtr caps(gst_caps_from_string(caps_text.c_str()));
    const QueryPtr query(gst_query_new_allocation(caps.get(), TRUE));
    ck_assert(gst_pad_peer_query(bench.harness()->srcpad, query.get()));
    ck_assert_msg(gst_query_find_allocation_meta(query.get(), GST_VIDEO_META_API_TYPE, nullptr) ==
                      c.offers_video_meta,
                  "%s", c.output);
  }
}
END_TEST

// Not every part of a frame can be read where it lies.
START_TEST(test_whole_frames_are_asked_for_whatever_downstream_reads) {
  for (const char* output : {"overlay", "none", "mask", "cutout"}) {
    Bench bench({{"output", output}});
    gst_harness_add_propose_allocation_meta(bench.harness(), GST_VIDEO_CROP_META_API_TYPE, nullptr);
    const std::string caps_text = caps_of("RGB", 8, 8);
    ck_assert(bench.send_caps(caps_text));
    const CapsPtr caps(gst_caps_from_string(caps_text.c_str()));
    const QueryPtr query(gst_query_new_allocation(caps.get(), TRUE));
    ck_assert(gst_pad_peer_query(bench.harness()->srcpad, query.get()));
    ck_assert(gst_query_find_allocation_meta(query.get(), GST_VIDEO_META_API_TYPE, nullptr));
    ck_assert(!gst_query_find_allocation_meta(query.get(), GST_VIDEO_CROP_META_API_TYPE, nullptr));
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("queries");
  TCase* tests = tcase_create("answers");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_caps_of_either_side_are_the_other_sides_seen_through_the_output);
  tcase_add_test(tests, test_cutouts_of_formats_with_alpha_are_preferred);
  tcase_add_test(tests, test_caps_are_those_of_the_output_that_runs);
  tcase_add_test(tests, test_c10_latency_grows_by_the_time_of_an_inference);
  tcase_add_test(tests, test_auto_mode_answers_before_the_first_caps_as_it_does_after_them);
  tcase_add_test(tests, test_latency_that_upstream_does_not_know_is_not_known);
  tcase_add_test(tests, test_an_inference_that_becomes_slower_is_reported);
  tcase_add_test(tests, test_allocation_is_downstreams_for_overlays_and_free_for_masks_and_cutouts);
  tcase_add_test(tests, test_whole_frames_are_asked_for_whatever_downstream_reads);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
