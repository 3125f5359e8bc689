// SPDX-License-Identifier: MIT
#include "measurements.h"

#include <iomanip>

namespace {

const char* const kFields[] = {
    "found",    "area",      "area-fraction",       "x",          "y",
    "width",    "height",    "centroid-x",          "centroid-y", "perimeter",
    "diameter", "asymmetry", "border-irregularity", "confidence", "inference-time",
    "device"};
const char* const kFieldsInMm[] = {"area-mm2", "perimeter-mm", "diameter-mm"};

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string inside;
  for (const char c : text) inside += c == '"' ? std::string("\"\"") : std::string(1, c);
  return '"' + inside + '"';
}

void write_cell(std::ostream& out, const GValue* value) {
  out << ',';
  if (value == nullptr) return;
  if (G_VALUE_HOLDS_BOOLEAN(value))
    out << (g_value_get_boolean(value) ? "true" : "false");
  else if (G_VALUE_HOLDS_INT(value))
    out << g_value_get_int(value);
  else if (G_VALUE_HOLDS_UINT64(value))
    out << g_value_get_uint64(value);
  else if (G_VALUE_HOLDS_DOUBLE(value))
    out << g_value_get_double(value);
  else if (G_VALUE_HOLDS_STRING(value))
    out << quoted(g_value_get_string(value));
}

}  // namespace

MeasurementsFile::MeasurementsFile(const std::string& file, bool in_mm)
    : file_(file), in_mm_(in_mm) {}

void MeasurementsFile::begin() {
  out_.open(file_);
  out_ << std::setprecision(10) << "picture";
  for (const char* field : kFields) out_ << ',' << field;
  if (in_mm_)
    for (const char* field : kFieldsInMm) out_ << ',' << field;
  out_ << '\n';
}

bool MeasurementsFile::add(const std::string& picture, GstBuffer* mask) {
  if (!out_.is_open()) begin();
  GstCustomMeta* meta = gst_buffer_get_custom_meta(mask, "unetseg");
  const GstStructure* result = meta == nullptr ? nullptr : gst_custom_meta_get_structure(meta);
  const auto cell = [&](const char* field) {
    write_cell(out_, result == nullptr ? nullptr : gst_structure_get_value(result, field));
  };
  out_ << quoted(picture);
  for (const char* field : kFields) cell(field);
  if (in_mm_)
    for (const char* field : kFieldsInMm) cell(field);
  out_ << '\n';
  out_.flush();  // what is done stays, whatever comes next
  return static_cast<bool>(out_);
}
