// SPDX-License-Identifier: MIT
#include "trainer/data/csv.h"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/data/dataset.h"
#include "trainer/data/file_bytes.h"

namespace unetseg::trainer {
namespace {

const std::string kNone;

std::string text_of(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_file(path);
  const std::string text(bytes.begin(), bytes.end());
  constexpr const char* kByteOrderMark = "\xef\xbb\xbf";
  return text.rfind(kByteOrderMark, 0) == 0 ? text.substr(3) : text;
}

}  // namespace

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::vector<CsvTable::Row> CsvTable::parse(const std::string& text, const std::string& path) {
  std::vector<Row> rows;
  Row row{1, {}};
  std::string cell;
  std::size_t line = 1;
  bool inside = false;  // of quotes
  const auto end_cell = [&] {
    row.cells.push_back(std::move(cell));
    cell.clear();
  };
  const auto end_row = [&] {
    end_cell();
    if (row.cells.size() > 1 || !row.cells[0].empty()) rows.push_back(std::move(row));
    row = {line, {}};
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    line += c == '\n';
    if (inside && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      cell += '"';
      ++i;
    } else if (c == '"' && (inside || cell.empty())) {
      inside = !inside;
    } else if (inside) {
      cell += c;
    } else if (c == ',') {
      end_cell();
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      cell += c;
    }
  }
  if (inside)
    throw DataError({fmt::format("{}:{}: a quote in this row is not closed", path, row.line)});
  end_row();
  return rows;
}

CsvTable::CsvTable(const std::string& path, const std::vector<std::string>& required)
    : path_(path), rows_(parse(text_of(path), path)) {
  std::vector<std::string> faults;
  if (!rows_.empty()) {
    columns_ = rows_[0].cells;
    rows_.erase(rows_.begin());
  }
  for (const std::string& column : required)
    if (!has(column)) faults.push_back(fmt::format("{}: has no column \"{}\"", path, column));
  for (std::size_t i = 0; i < rows_.size() && faults.empty(); ++i)
    if (rows_[i].cells.size() != columns_.size())
      faults.push_back(fmt::format("{}: has {} cells in place of {}", place(i),
                                   rows_[i].cells.size(), columns_.size()));
  if (!faults.empty()) throw DataError(faults);
}

std::size_t CsvTable::index_of(const std::string& column) const {
  return static_cast<std::size_t>(std::find(columns_.begin(), columns_.end(), column) -
                                  columns_.begin());
}

const std::string& CsvTable::cell(std::size_t row, const std::string& column) const {
  const std::size_t index = index_of(column);
  return index < columns_.size() ? rows_[row].cells[index] : kNone;
}

std::string CsvTable::place(std::size_t row) const {
  return fmt::format("{}:{}", path_, rows_[row].line);
}

}  // namespace unetseg::trainer
