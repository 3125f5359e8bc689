// SPDX-License-Identifier: MIT
// Tables as text with commas (RFC 4180), as spreadsheets write them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace unetseg::trainer {

// Quoted where it holds a comma, a quote or a line break; quotes inside are doubled.
std::string csv_field(const std::string& text);

// A file whose first row names its columns. Blank lines and a byte order mark count for nothing.
class CsvTable {
 public:
  // Throws Error(not_found), (open_read), (read), and DataError where a column of `required` is
  // missing, a row has another number of cells than the first, or a quote is not closed.
  CsvTable(const std::string& path, const std::vector<std::string>& required);

  std::size_t rows() const { return rows_.size(); }
  bool has(const std::string& column) const { return index_of(column) < columns_.size(); }
  // Empty where there is no such column.
  const std::string& cell(std::size_t row, const std::string& column) const;
  // "groups.csv:12", for faults.
  std::string place(std::size_t row) const;

 private:
  struct Row {
    std::size_t line;
    std::vector<std::string> cells;
  };
  static std::vector<Row> parse(const std::string& text, const std::string& path);
  std::size_t index_of(const std::string& column) const;

  std::string path_;
  std::vector<std::string> columns_;
  std::vector<Row> rows_;
};

}  // namespace unetseg::trainer
