// SPDX-License-Identifier: MIT
// Measurements that unetseg leaves on its buffers, as a table for spreadsheets and scripts.
#pragma once

#include <gst/gst.h>

#include <fstream>
#include <string>

// A CSV file (RFC 4180, decimal points whatever the locale): a row of column names, and one for
// each picture. Columns are named as the element's message names its fields; times of the stream
// are left out, since pictures have none. The file is begun with the first picture, so that a run
// which comes to none leaves the results of one before.
class MeasurementsFile {
 public:
  // `in_mm`: with the columns that the property pixel-size adds.
  MeasurementsFile(const std::string& file, bool in_mm);

  // What is known of a picture from the buffer that shows its mask, encoded or not. Cells are empty
  // where the buffer says nothing. False: it could not be written.
  bool add(const std::string& picture, GstBuffer* mask);

 private:
  void begin();

  std::string file_;
  std::ofstream out_;
  bool in_mm_;
};
