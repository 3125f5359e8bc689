// SPDX-License-Identifier: MIT
#include "results_folder.h"

#include <cstdio>

namespace fs = std::filesystem;

namespace {

bool save(GstSample* sample, const fs::path& file) {
  GstMapInfo map;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return false;
  GError* error = nullptr;
  const bool ok = g_file_set_contents(file.c_str(), reinterpret_cast<const gchar*>(map.data),
                                      static_cast<gssize>(map.size), &error);
  gst_buffer_unmap(buffer, &map);
  if (!ok) {
    std::fprintf(stderr, "\nerror: %s\n", error->message);
    g_error_free(error);
  }
  return ok;
}

}  // namespace

ResultsFolder::ResultsFolder(const std::string& path, bool has_overlays, bool in_mm)
    : path_(path),
      has_overlays_(has_overlays),
      measurements_((path_ / "measurements.csv").string(), in_mm) {}

bool ResultsFolder::is_apart_from(const fs::path& pictures) const {
  for (const char* name : {"masks", "overlays"}) {
    std::error_code none_yet;
    const bool is_written = has_overlays_ || name == std::string("masks");
    if (!is_written || !fs::equivalent(pictures, path_ / name, none_yet)) continue;
    std::fprintf(
        stderr,
        "error: %s holds the pictures: give another OUTPUT, or %s would take their places\n",
        (path_ / name).c_str(), name);
    return false;
  }
  return true;
}

bool ResultsFolder::create() const {
  std::error_code error;
  fs::create_directories(path_ / "masks", error);
  if (!error && has_overlays_) fs::create_directories(path_ / "overlays", error);
  if (error)
    std::fprintf(stderr, "error: %s cannot be created: %s\n", path_.c_str(),
                 error.message().c_str());
  return !error;
}

bool ResultsFolder::add(const fs::path& picture, GstSample* mask, GstSample* overlay) {
  const std::string name = picture.stem().string() + ".png";
  if (!save(mask, path_ / "masks" / name)) return false;
  if (has_overlays_ && !save(overlay, path_ / "overlays" / name)) return false;
  if (measurements_.add(picture.filename().string(), gst_sample_get_buffer(mask))) return true;
  std::fprintf(stderr, "\nerror: measurements.csv cannot be written in %s\n", path_.c_str());
  return false;
}
