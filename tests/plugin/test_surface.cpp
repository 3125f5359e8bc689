// SPDX-License-Identifier: MIT
// What gst-inspect-1.0 shows of the element, as a text that does not depend on GStreamer's version,
// and which libraries are there before anybody asks for the network.
//
// After an intended change: build/tests/plugin/test_surface --print >
// tests/plugin/gst-inspect-unetseg.txt in an environment with GST_PLUGIN_PATH=build/plugin.
#include <cstdio>
#include <sstream>

#include "tests/assertions.h"
#include "tests/plugin/lone_element.h"

namespace {

std::string range_of(GParamSpec* spec) {
  std::ostringstream text;
  if (G_IS_PARAM_SPEC_UINT(spec)) {
    const GParamSpecUInt* number = G_PARAM_SPEC_UINT(spec);
    text << number->minimum << " - " << number->maximum << ", default " << number->default_value;
  } else if (G_IS_PARAM_SPEC_INT64(spec)) {
    const GParamSpecInt64* number = G_PARAM_SPEC_INT64(spec);
    text << number->minimum << " - " << number->maximum << ", default " << number->default_value;
  } else if (G_IS_PARAM_SPEC_UINT64(spec)) {
    const GParamSpecUInt64* number = G_PARAM_SPEC_UINT64(spec);
    text << number->minimum << " - " << number->maximum << ", default " << number->default_value;
  } else if (G_IS_PARAM_SPEC_BOOLEAN(spec)) {
    text << "default " << (G_PARAM_SPEC_BOOLEAN(spec)->default_value ? "true" : "false");
  } else if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    const GParamSpecDouble* number = G_PARAM_SPEC_DOUBLE(spec);
    text << number->minimum << " - " << number->maximum << ", default " << number->default_value;
  } else if (G_IS_PARAM_SPEC_STRING(spec)) {
    const gchar* standard = G_PARAM_SPEC_STRING(spec)->default_value;
    text << "default " << (standard ? standard : "null");
  } else if (G_IS_PARAM_SPEC_ENUM(spec)) {
    const GParamSpecEnum* choice = G_PARAM_SPEC_ENUM(spec);
    text << "default " << g_enum_get_value(choice->enum_class, choice->default_value)->value_nick;
    for (guint i = 0; i < choice->enum_class->n_values; ++i) {
      const GEnumValue& value = choice->enum_class->values[i];
      text << "\n    " << value.value << " " << value.value_nick << ": " << value.value_name;
    }
  }
  return text.str();
}

std::string flags_of(GParamSpec* spec) {
  std::string text = spec->flags & G_PARAM_READABLE ? "readable" : "";
  if (spec->flags & G_PARAM_WRITABLE) text += ", writable";
  if (spec->flags & GST_PARAM_MUTABLE_PLAYING) text += ", in any state";
  if (spec->flags & GST_PARAM_MUTABLE_READY) text += ", in NULL and READY";
  return text;
}

std::string surface() {
  GstElementFactory* factory = gst_element_factory_find("unetseg");
  if (factory == nullptr) return "there is no element unetseg";
  std::ostringstream text;
  for (const char* key : {GST_ELEMENT_METADATA_LONGNAME, GST_ELEMENT_METADATA_KLASS,
                          GST_ELEMENT_METADATA_DESCRIPTION, GST_ELEMENT_METADATA_AUTHOR})
    text << key << ": " << gst_element_factory_get_metadata(factory, key) << "\n";
  text << "rank: " << gst_plugin_feature_get_rank(GST_PLUGIN_FEATURE(factory)) << "\n\n";

  std::vector<std::string> pads;  // whose order depends on whether the registry was cached
  for (const GList* entry = gst_element_factory_get_static_pad_templates(factory); entry;
       entry = entry->next) {
    auto* pad = static_cast<GstStaticPadTemplate*>(entry->data);
    const CapsPtr caps(gst_static_caps_get(&pad->static_caps));
    gchar* caps_text = gst_caps_to_string(caps.get());
    pads.push_back(std::string("pad ") + pad->name_template + ": " +
                   (pad->direction == GST_PAD_SINK ? "sink" : "source") + ", " +
                   (pad->presence == GST_PAD_ALWAYS ? "always" : "on request") + "\n  " +
                   caps_text + "\n");
    g_free(caps_text);
  }
  std::sort(pads.begin(), pads.end());
  for (const std::string& pad : pads) text << pad;

  GstElement* element = gst_element_factory_create(factory, nullptr);
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
  std::sort(specs, specs + count,
            [](GParamSpec* a, GParamSpec* b) { return std::string(a->name) < b->name; });
  for (guint i = 0; i < count; ++i) {
    if (specs[i]->owner_type != G_OBJECT_TYPE(element)) continue;
    text << "\n"
         << specs[i]->name << ": " << g_param_spec_get_blurb(specs[i]) << "\n  "
         << flags_of(specs[i]) << "\n  " << g_type_name(specs[i]->value_type);
    const std::string range = range_of(specs[i]);
    text << (range.empty() ? "" : ", ") << range << "\n";
  }
  g_free(specs);
  gst_object_unref(gst_object_ref_sink(element));
  gst_object_unref(factory);
  return text.str();
}

// Lines of the process's memory map that name a library of the network or of a GPU.
std::string network_libraries() {
  std::ifstream maps("/proc/self/maps");
  std::string found;
  for (std::string line; std::getline(maps, line);)
    for (const char* name : {"libtorch", "libc10", "libopencv", "libunetseg-torch", "libcuda.", "libgstcuda"})
      if (line.find(name) != std::string::npos) found += line + "\n";
  return found;
}

}  // namespace

START_TEST(test_the_surface_is_as_written_down) {
  std::ifstream file(UNETSEG_TEST_SURFACE);
  const std::string golden((std::istreambuf_iterator<char>(file)), {});
  std::istringstream expected(golden), shown(surface());
  std::string a, b;
  for (int line = 1;; ++line) {
    const bool more_expected = static_cast<bool>(std::getline(expected, a));
    const bool more_shown = static_cast<bool>(std::getline(shown, b));
    if (!more_expected && !more_shown) return;
    ck_assert_msg(more_expected == more_shown && a == b,
                  "line %d is '%s', not '%s': if that is meant, see the head of this test", line,
                  more_shown ? b.c_str() : "missing", more_expected ? a.c_str() : "missing");
  }
}
END_TEST

// A scan of the plugins must not pay for the network, nor fail where its libraries are missing.
START_TEST(test_b1_the_network_is_loaded_at_ready_and_not_before) {
  LoneElement element({{"device", "cpu"}});
  assert_equal(network_libraries(), "");
  ck_assert_int_eq(element.set(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  for (const char* name : {"libtorch", "libc10", "libunetseg-torch"})
    ck_assert_msg(network_libraries().find(name) != std::string::npos, "%s", name);
}
END_TEST

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--print") {
    gst_init(nullptr, nullptr);
    std::fputs(surface().c_str(), stdout);
    return EXIT_SUCCESS;
  }
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("surface");
  TCase* tests = tcase_create("what others rely on");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_the_surface_is_as_written_down);
  tcase_add_test(tests, test_b1_the_network_is_loaded_at_ready_and_not_before);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
