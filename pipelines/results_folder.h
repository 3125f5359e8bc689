// SPDX-License-Identifier: MIT
// Where the results of a folder of pictures go: masks/, overlays/ and measurements.csv.
#pragma once

#include <gst/gst.h>

#include <filesystem>
#include <string>

#include "measurements.h"

// What fails is said on stderr.
class ResultsFolder {
 public:
  // `in_mm`: measurements in millimetres too.
  ResultsFolder(const std::string& path, bool has_overlays, bool in_mm);

  // Results have their pictures' names: written among them they would take their places.
  bool is_apart_from(const std::filesystem::path& pictures) const;
  bool create() const;
  // Encoded pictures, `overlay` null where there are none.
  bool add(const std::filesystem::path& picture, GstSample* mask, GstSample* overlay);

 private:
  std::filesystem::path path_;
  bool has_overlays_;
  MeasurementsFile measurements_;
};
