// SPDX-License-Identifier: MIT
// What an application sets and reads.
#include "tests/assertions.h"
#include "tests/plugin/bench.h"

namespace {

// As gst-launch writes them. `other` is a value that can be set.
struct Setting {
  const char *name, *standard, *least, *most, *other;
};
const Setting kSettings[] = {
    {"model-file", "fast", nullptr, nullptr, "/somewhere/weights.safetensors"},
    {"device", "auto", nullptr, nullptr, "cuda:1"},
    {"precision", "auto", nullptr, nullptr, "fp32"},
    {"threads", "0", "0", "1024", "4"},
    {"batch-size", "1", "1", "32", "8"},
    {"output", "overlay", nullptr, nullptr, "probability"},
    {"fit", "weights", nullptr, nullptr, "letterbox"},
    {"tta", "none", nullptr, nullptr, "d4"},
    {"engine", "auto", nullptr, nullptr, "libtorch"},
    {"smoothing", "0", "0", "1", "0.5"},
    {"largest-only", "auto", nullptr, nullptr, "on"},
    {"fill-holes", "auto", nullptr, nullptr, "off"},
    {"min-area", "-1", "-1", "1", "0.01"},
    {"min-confidence", "-1", "-1", "1", "0.75"},
    {"threshold", "-1", "-1", "1", "0.25"},
    {"color", "4278241535", "0", "4294967295", "16909060"},
    {"opacity", "0.25", "0", "1", "0.75"},
    {"contour-color", "4278241535", "0", "4294967295", "16909060"},
    {"contour-width", "3", "0", "64", "7"},
    {"on-error", "auto", nullptr, nullptr, "pass"},
    {"mode", "auto", nullptr, nullptr, "latest"},
    {"inference-interval", "1", "1", "1000", "3"},
    {"max-mask-age", "-1", "-1", "9223372036854775807", "5000000"},
    {"motion-compensation", "true", nullptr, nullptr, "false"},
    {"inference-timeout", "0", "0", "18446744073709551615", "60000000000"},
    {"qos", "true", nullptr, nullptr, "false"},
    {"post-messages", "false", nullptr, nullptr, "true"},
    {"pixel-size", "0", "0", "1000", "0.05"},
};
const char* const kReadOnly[] = {"device-in-use", "model-info", "stats"};

GstElement* new_element() {
  GstElement* element = gst_element_factory_make("unetseg", nullptr);
  ck_assert(element != nullptr);
  return GST_ELEMENT(gst_object_ref_sink(element));
}

GParamSpec* spec_of(GstElement* element, const char* name) {
  return g_object_class_find_property(G_OBJECT_GET_CLASS(element), name);
}

// Numbers without trailing zeros, enums by nick.
std::string text_of(const GValue* value) {
  if (G_VALUE_HOLDS_DOUBLE(value)) {
    gchar text[G_ASCII_DTOSTR_BUF_SIZE];
    return g_ascii_formatd(text, sizeof text, "%g", g_value_get_double(value));
  }
  if (G_VALUE_HOLDS_ENUM(value))
    return g_enum_get_value(G_ENUM_CLASS(g_type_class_peek(G_VALUE_TYPE(value))),
                            g_value_get_enum(value))
        ->value_nick;
  if (G_VALUE_HOLDS_STRING(value))
    return g_value_get_string(value) ? g_value_get_string(value) : "(null)";
  if (G_VALUE_HOLDS_BOOLEAN(value)) return g_value_get_boolean(value) ? "true" : "false";
  if (G_VALUE_HOLDS_INT64(value)) return std::to_string(g_value_get_int64(value));
  if (G_VALUE_HOLDS_UINT64(value)) return std::to_string(g_value_get_uint64(value));
  return std::to_string(g_value_get_uint(value));
}

std::string read(GstElement* element, const char* name) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec_of(element, name)->value_type);
  g_object_get_property(G_OBJECT(element), name, &value);
  const std::string text = text_of(&value);
  g_value_unset(&value);
  return text;
}

StructurePtr structure(GstElement* element, const char* name) {
  GstStructure* read = nullptr;
  g_object_get(element, name, &read, nullptr);
  return StructurePtr(read);
}

}  // namespace

START_TEST(test_settings_have_their_defaults_and_read_back_what_was_set) {
  GstElement* element = new_element();
  for (const Setting& setting : kSettings) {
    assert_equal(read(element, setting.name), setting.standard);
    assert_equal(text_of(g_param_spec_get_default_value(spec_of(element, setting.name))),
                 setting.standard);
    set_properties(element, {{setting.name, setting.other}});
    assert_equal(read(element, setting.name), setting.other);
  }
  gst_object_unref(element);
}
END_TEST

START_TEST(test_numbers_have_ranges) {
  GstElement* element = new_element();
  for (const Setting& setting : kSettings) {
    if (setting.least == nullptr) continue;
    GParamSpec* spec = spec_of(element, setting.name);
    double least, most;
    if (G_IS_PARAM_SPEC_INT64(spec)) {
      least = static_cast<double>(G_PARAM_SPEC_INT64(spec)->minimum);
      most = static_cast<double>(G_PARAM_SPEC_INT64(spec)->maximum);
    } else if (G_IS_PARAM_SPEC_UINT64(spec)) {
      least = static_cast<double>(G_PARAM_SPEC_UINT64(spec)->minimum);
      most = static_cast<double>(G_PARAM_SPEC_UINT64(spec)->maximum);
    } else if (G_IS_PARAM_SPEC_UINT(spec)) {
      least = G_PARAM_SPEC_UINT(spec)->minimum;
      most = G_PARAM_SPEC_UINT(spec)->maximum;
    } else {
      least = G_PARAM_SPEC_DOUBLE(spec)->minimum;
      most = G_PARAM_SPEC_DOUBLE(spec)->maximum;
    }
    ck_assert_msg(least == std::stod(setting.least), "%s from %f", setting.name, least);
    ck_assert_msg(most == std::stod(setting.most), "%s to %f", setting.name, most);
    for (const char* limit : {setting.least, setting.most}) {
      set_properties(element, {{setting.name, limit}});
      assert_equal(read(element, setting.name), limit);
    }
  }
  gst_object_unref(element);
}
END_TEST

START_TEST(test_an_empty_text_is_the_default) {
  GstElement* element = new_element();
  for (const char* name : {"model-file", "device"})
    for (const char* nothing : {"", static_cast<const char*>(nullptr)}) {
      g_object_set(element, name, "something", nullptr);
      g_object_set(element, name, nothing, nullptr);
      assert_equal(read(element, name), std::string(name) == "device" ? "auto" : "fast");
    }
  gst_object_unref(element);
}
END_TEST

// The golden text of gst-inspect shows the rest: this is about what the list leaves out.
START_TEST(test_every_property_is_in_this_test_and_has_a_blurb) {
  GstElement* element = new_element();
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
  guint own = 0;
  for (guint i = 0; i < count; ++i) {
    if (specs[i]->owner_type != G_OBJECT_TYPE(element)) continue;
    ++own;
    const char* blurb = g_param_spec_get_blurb(specs[i]);
    ck_assert_msg(blurb != nullptr && *blurb != '\0', "%s", specs[i]->name);
  }
  g_free(specs);
  ck_assert_uint_eq(own, G_N_ELEMENTS(kSettings) + G_N_ELEMENTS(kReadOnly));
  for (const char* name : kReadOnly)
    ck_assert_msg((spec_of(element, name)->flags & G_PARAM_WRITABLE) == 0, "%s", name);
  gst_object_unref(element);
}
END_TEST

START_TEST(test_what_runs_is_shown_from_ready_and_paused_on) {
  GstElement* element = GST_ELEMENT(
      gst_object_ref_sink(make_element({{"model-file", "fake:size=16x12,threshold=0.75"}})));
  const auto shown = [element](const char* device, bool has_model) {
    assert_equal(read(element, "device-in-use"), device);
    ck_assert_int_eq(structure(element, "model-info") != nullptr, has_model);
  };
  shown("(null)", false);
  gst_element_set_state(element, GST_STATE_READY);
  shown("cpu", false);
  gst_element_set_state(element, GST_STATE_PAUSED);
  shown("cpu", true);
  const StructurePtr info = structure(element, "model-info");
  gint width = 0, height = 0;
  gdouble threshold = 0;
  ck_assert(gst_structure_get(info.get(), "input-width", G_TYPE_INT, &width, "input-height",
                              G_TYPE_INT, &height, "threshold", G_TYPE_DOUBLE, &threshold,
                              nullptr));
  ck_assert_int_eq(width, 16);
  ck_assert_int_eq(height, 12);
  ck_assert(threshold == .75);
  assert_equal(gst_structure_get_string(info.get(), "file"), "fake:size=16x12,threshold=0.75");
  assert_equal(gst_structure_get_string(info.get(), "name"), "fake");
  for (const char* field : {"sha256", "architecture", "engine", "base-width"})
    ck_assert_msg(gst_structure_has_field(info.get(), field), "%s", field);
  gst_element_set_state(element, GST_STATE_READY);
  shown("cpu", true);
  gst_element_set_state(element, GST_STATE_NULL);
  shown("(null)", false);
  gst_object_unref(element);
}
END_TEST

START_TEST(test_stats_add_up) {
  Bench bench({{"on-error", "pass"}, {"model-file", "fake:nan-at=3,delay-ms=1"}});
  ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
  for (int i = 0; i < 5; ++i) ck_assert_int_eq(bench.push(bytes_buffer(64, 0)), GST_FLOW_OK);
  for (int i = 0; i < 3; ++i) {
    BufferPtr gap = bytes_buffer(64, 0);
    GST_BUFFER_FLAG_SET(gap.get(), GST_BUFFER_FLAG_GAP);
    ck_assert_int_eq(bench.push(std::move(gap)), GST_FLOW_OK);
  }
  ck_assert_int_eq(bench.push(bytes_buffer(1, 0)), GST_FLOW_OK);
  ck_assert_uint_eq(bench.stat("inferred"), 4);
  ck_assert_uint_eq(bench.stat("held"), 0);
  ck_assert_uint_eq(bench.stat("gaps"), 3);
  ck_assert_uint_eq(bench.stat("faulty"), 2);
  ck_assert_uint_eq(bench.stat("frames"), 9);
  ck_assert_uint_ge(bench.stat("inference-time-median"), GST_MSECOND);
  ck_assert_uint_ge(bench.stat("inference-time-p95"), bench.stat("inference-time-median"));
  ck_assert_uint_ge(bench.stat("inference-time-p99"), bench.stat("inference-time-p95"));
}
END_TEST

START_TEST(test_s16_properties_may_be_set_and_read_while_frames_flow) {
  Bench bench;
  ck_assert(bench.send_caps(caps_of("RGB", 8, 8)));
  std::atomic<bool> stop{false};
  std::thread application([&] {
    for (int i = 0; !stop; ++i) {
      for (const Setting& setting : kSettings)
        set_properties(bench.element(), {{setting.name, i % 2 ? setting.other : setting.standard}});
      for (const Setting& setting : kSettings) read(bench.element(), setting.name);
      for (const char* name : {"model-info", "stats"}) structure(bench.element(), name);
    }
  });
  for (int i = 0; i < 2000; ++i) {
    ck_assert_int_eq(bench.push(bytes_buffer(192, 200)), GST_FLOW_OK);
    bench.pull();
  }
  stop = true;
  application.join();
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("properties");
  TCase* tests = tcase_create("properties");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_settings_have_their_defaults_and_read_back_what_was_set);
  tcase_add_test(tests, test_numbers_have_ranges);
  tcase_add_test(tests, test_an_empty_text_is_the_default);
  tcase_add_test(tests, test_every_property_is_in_this_test_and_has_a_blurb);
  tcase_add_test(tests, test_what_runs_is_shown_from_ready_and_paused_on);
  tcase_add_test(tests, test_stats_add_up);
  tcase_add_test(tests, test_s16_properties_may_be_set_and_read_while_frames_flow);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
