// SPDX-License-Identifier: MIT
#include "trainer/data/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "model/storage/atomic_file.h"
#include "trainer/data/csv.h"
#include "trainer/data/file_bytes.h"
#include "trainer/data/folder.h"
#include "trainer/data/parallel.h"

namespace unetseg::trainer {
namespace {

namespace fs = std::filesystem;

// Links to folders are followed, so that ".." means the same to everybody; a file's name stays.
fs::path folder_of(const fs::path& path) {
  std::error_code ignored;  // a folder that is not there is found out when its file is opened
  return fs::weakly_canonical(fs::absolute(path).parent_path(), ignored);
}

std::string relative_to(const fs::path& folder, const std::string& path) {
  if (path.empty()) return {};
  return (folder_of(path) / fs::path(path).filename()).lexically_relative(folder).string();
}

bool is_hash_pair(const std::string& text) {
  constexpr std::size_t kDigits = 64;
  return text.size() == 2 * kDigits + 1 && text[kDigits] == ':' &&
         text.find_first_not_of("0123456789abcdef:") == std::string::npos;
}

bool is_split(const std::string& name) {
  return name == "train" || name == "validation" || name == "test";
}

std::vector<Pair>& split_of(Dataset* dataset, const std::string& name) {
  return name == "train"        ? dataset->train
         : name == "validation" ? dataset->validation
                                : dataset->test;
}

// Empty where the row can be used.
std::string fault_of_row(const CsvTable& table, std::size_t row) {
  for (const char* column : {"id", "image", "mask", "split"})
    if (table.cell(row, column).empty()) return fmt::format("has no {}", column);
  if (!is_split(table.cell(row, "split")))
    return fmt::format("split \"{}\" is none of train, validation and test",
                       table.cell(row, "split"));
  const std::string& sha256 = table.cell(row, "sha256");
  if (!sha256.empty() && !is_hash_pair(sha256))
    return "sha256 is not those of image and mask, joined by a colon";
  return {};
}

}  // namespace

void add_to_manifest(Manifest* manifest, const std::string& split, const std::vector<Pair>& pairs,
                     const DecodedSet& set) {
  std::map<std::string, const Pair*> by_id;
  for (const Pair& pair : pairs) by_id.emplace(pair.id, &pair);
  for (std::size_t i = 0; i < set.size(); ++i) {
    const auto found = by_id.find(set.ids[i]);
    Pair pair = found == by_id.end() ? Pair{set.ids[i], {}, {}} : *found->second;
    pair.sha256 = set.sha256[i];
    manifest->push_back({std::move(pair), split});
  }
}

void write_manifest(const std::string& path, const Manifest& manifest) {
  const bool grouped = std::any_of(manifest.begin(), manifest.end(),
                                   [](const ManifestEntry& e) { return !e.pair.group.empty(); });
  const fs::path folder = folder_of(path);
  std::string text = fmt::format("id,image,mask,split,sha256{}\n", grouped ? ",group" : "");
  for (const auto& [pair, split] : manifest) {
    text += fmt::format("{},{},{},{},{}", csv_field(pair.id),
                        csv_field(relative_to(folder, pair.image)),
                        csv_field(relative_to(folder, pair.mask)), split, pair.sha256);
    if (grouped) text += ',' + csv_field(pair.group);
    text += '\n';
  }
  write_file_atomically(path, text);
}

Dataset read_manifest(const std::string& path, std::vector<std::string>* faults) {
  const CsvTable table(path, {"id", "image", "mask", "split"});
  const fs::path folder = folder_of(path);
  const auto resolved = [&](const std::string& name) {
    return (folder / name).lexically_normal().string();
  };
  Dataset dataset;
  dataset.layout = table.has("sha256") ? "manifest" : "manifest without sha256";
  std::map<std::string, std::size_t> rows;  // by id in lower case
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const std::string fault = fault_of_row(table, i);
    if (!fault.empty()) {
      faults->push_back(fmt::format("{}: {}", table.place(i), fault));
      continue;
    }
    const std::string& id = table.cell(i, "id");
    const auto [first, is_new] = rows.try_emplace(lower_case(id), i);
    if (!is_new) {
      faults->push_back(
          fmt::format("{} and {}: {} twice", table.place(first->second), table.place(i), id));
      continue;
    }
    split_of(&dataset, table.cell(i, "split"))
        .push_back({id, resolved(table.cell(i, "image")), resolved(table.cell(i, "mask")),
                    table.cell(i, "sha256"), table.cell(i, "group")});
  }
  if (rows.empty() && faults->empty()) faults->push_back(path + ": lists no images");
  for (std::vector<Pair>* split : {&dataset.train, &dataset.validation, &dataset.test})
    std::sort(split->begin(), split->end(),
              [](const Pair& a, const Pair& b) { return a.id < b.id; });
  return dataset;
}

std::vector<std::string> changed_files(const Pair& pair, const std::string& sha256) {
  std::vector<std::string> lines;
  if (pair.sha256.empty()) return lines;
  const auto halves = [](const std::string& both) {
    const std::size_t colon = both.find(':');
    return std::make_pair(both.substr(0, colon), both.substr(colon));
  };
  const auto was = halves(pair.sha256), is = halves(sha256);
  const char* what = "the file is not the one that the manifest was written for";
  if (was.first != is.first) lines.push_back(fmt::format("{}: {}", pair.image, what));
  if (was.second != is.second) lines.push_back(fmt::format("{}: {}", pair.mask, what));
  return lines;
}

void require_unchanged(const std::vector<Pair>& pairs) {
  std::vector<std::vector<std::string>> found(pairs.size());
  const auto make_work = [&]() -> ItemWork {
    return [&](std::size_t i) {
      if (pairs[i].sha256.empty()) return;
      try {
        found[i] = changed_files(
            pairs[i], sha256_of_file(pairs[i].image) + ':' + sha256_of_file(pairs[i].mask));
      } catch (const Error& error) {
        if (error.fault() == Fault::no_space) throw;
        found[i] = {error.what()};
      }
    };
  };
  for_each_item(pairs.size(), 0, make_work);
  std::vector<std::string> faults;
  for (const std::vector<std::string>& lines : found)
    faults.insert(faults.end(), lines.begin(), lines.end());
  if (!faults.empty()) throw DataError(faults);
}

}  // namespace unetseg::trainer
