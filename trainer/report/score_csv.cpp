// SPDX-License-Identifier: MIT
#include "trainer/report/score_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "model/error.h"
#include "trainer/data/csv.h"

namespace unetseg::trainer {
namespace {

using Row = std::vector<std::string>;

[[noreturn]] void refuse(const std::string& name, const std::string& fault) {
  throw Error(Fault::read, fmt::format("{}: {}; write it with evaluate --csv", name, fault));
}

// Rows of fields, quoted or not. An empty line is no row.
std::vector<Row> rows_of(const std::string& text, const std::string& name) {
  std::vector<Row> rows;
  Row row;
  std::string field;
  bool quoted = false;
  const auto end_row = [&] {
    row.push_back(std::move(field));
    if (row.size() > 1 || !row.front().empty()) rows.push_back(row);
    row.clear();
    field.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"' && field.empty()) {
      quoted = true;
    } else if (c == ',') {
      row.push_back(std::move(field));
      field.clear();
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      field += c;
    }
  }
  if (quoted) refuse(name, "ends inside of a quoted field");
  if (!row.empty() || !field.empty()) end_row();
  return rows;
}

std::size_t column_of(const Row& header, const std::string& column, const std::string& name) {
  const auto found = std::find(header.begin(), header.end(), column);
  if (found == header.end()) refuse(name, fmt::format("has no column '{}'", column));
  return static_cast<std::size_t>(found - header.begin());
}

double score_from(const std::string& text, std::size_t row, const std::string& name) {
  double value = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end || !(value >= 0 && value <= 1))
    refuse(name, fmt::format("row {} has '{}' for a score from 0 to 1", row, text));
  return value;
}

}  // namespace

std::string to_csv(const std::vector<ImageScore>& scores) {
  std::string csv =
      "id,width,height,dice,jaccard,sensitivity,specificity,accuracy,thresholded_jaccard,"
      "truth_pixels,predicted_pixels,tp,fp,fn,tn,hd95,confidence,milliseconds\n";
  for (const ImageScore& score : scores) {
    const Confusion& c = score.confusion;
    csv += fmt::format("{},{},{}", csv_field(score.id), score.width, score.height);
    for (const double value : {c.dice(), c.jaccard(), c.sensitivity(), c.specificity(),
                               c.accuracy(), c.thresholded_jaccard()})
      csv += fmt::format(",{:.6f}", value);
    csv += fmt::format(",{},{},{},{},{},{}", c.tp + c.fn, c.tp + c.fp, c.tp, c.fp, c.fn, c.tn);
    for (const double value : {score.hd95, score.confidence, score.milliseconds})
      csv += std::isnan(value) ? "," : fmt::format(",{:.6f}", value);
    csv += "\n";
  }
  return csv;
}

std::vector<ImageResult> results_of(const std::vector<ImageScore>& scores) {
  std::vector<ImageResult> results;
  for (const ImageScore& score : scores)
    results.push_back({score.id, score.confusion.dice(), score.confusion.jaccard()});
  return results;
}

std::vector<ImageResult> results_from_csv(const std::string& text, const std::string& name) {
  const std::vector<Row> rows = rows_of(text, name);
  if (rows.size() < 2) refuse(name, "holds no scores");
  const Row& header = rows.front();
  const std::size_t id = column_of(header, "id", name), dice = column_of(header, "dice", name),
                    jaccard = column_of(header, "jaccard", name);
  std::vector<ImageResult> results;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].size() != header.size())
      refuse(name, fmt::format("row {} has {} fields, and the header {}", i + 1, rows[i].size(),
                               header.size()));
    results.push_back({rows[i][id], score_from(rows[i][dice], i + 1, name),
                       score_from(rows[i][jaccard], i + 1, name)});
  }
  return results;
}

}  // namespace unetseg::trainer
