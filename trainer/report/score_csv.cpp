// SPDX-License-Identifier: MIT
#include "trainer/report/score_csv.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "trainer/data/csv.h"
#include "trainer/data/dataset.h"

namespace unetseg::trainer {
namespace {

double score_in(const CsvTable& table, std::size_t row, const char* column) {
  const std::string& text = table.cell(row, column);
  double value = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end || !(value >= 0 && value <= 1))
    throw DataError(
        {fmt::format("{}: has '{}' for {}, a score from 0 to 1", table.place(row), text, column)});
  return value;
}

}  // namespace

std::string to_csv(const std::vector<ImageScore>& scores) {
  std::string csv =
      "id,width,height,dice,jaccard,sensitivity,specificity,accuracy,thresholded_jaccard,"
      "truth_pixels,predicted_pixels,tp,fp,fn,tn,hd95_of_diagonal,confidence,milliseconds\n";
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

std::vector<ImageResult> read_results(const std::string& path) {
  const CsvTable table(path, {"id", "dice", "jaccard"});
  if (table.rows() == 0) throw DataError({fmt::format("{}: holds no scores", path)});
  std::vector<ImageResult> results;
  for (std::size_t row = 0; row < table.rows(); ++row)
    results.push_back(
        {table.cell(row, "id"), score_in(table, row, "dice"), score_in(table, row, "jaccard")});
  return results;
}

}  // namespace unetseg::trainer
