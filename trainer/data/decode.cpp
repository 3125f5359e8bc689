// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "trainer/data/cache.h"
#include "trainer/data/decode_files.h"
#include "trainer/data/decoded_set.h"
#include "trainer/data/file_bytes.h"
#include "trainer/data/manifest.h"

namespace unetseg::trainer {
namespace {

// Content hashes of all pairs as DecodedSet::sha256 has them; none where a file cannot be read or
// is not its manifest's: decoding then says which.
std::vector<std::string> hash_files(const std::vector<Pair>& pairs, unsigned workers,
                                    const std::atomic<bool>* stop) {
  std::vector<std::string> hashes(pairs.size());
  std::atomic<bool> unusable{false};
  const auto make_work = [&]() -> ItemWork {
    return [&](std::size_t i) {
      if (unusable) return;
      try {
        hashes[i] = sha256_of_file(pairs[i].image) + ':' + sha256_of_file(pairs[i].mask);
        if (!changed_files(pairs[i], hashes[i]).empty()) unusable = true;
      } catch (const Error& error) {
        if (error.fault() == Fault::no_space) throw;
        unusable = true;
      }
    };
  };
  for_each_item(pairs.size(), workers, make_work, {}, stop);
  return unusable ? std::vector<std::string>{} : hashes;
}

// Whether the files that were decoded are the files that were hashed before.
bool same_content(const std::vector<Pair>& pairs, const std::vector<std::string>& hashes,
                  const DecodedSet& set) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < pairs.size() && used < set.size(); ++i)
    used += pairs[i].id == set.ids[used] && hashes[i] == set.sha256[used];
  return used == set.size();
}

DecodedFiles decode_or_refuse(const std::vector<Pair>& pairs, const DecodeOptions& options,
                              const ItemProgress& progress, const std::atomic<bool>* stop) {
  DecodedFiles decoded = decode_files(pairs, options, progress, stop);
  const auto allowed = static_cast<std::size_t>(std::max(0, options.skip_bad));
  if (decoded.unusable > allowed || decoded.unusable == pairs.size())
    throw DataError(decoded.faults);
  for (const std::string& fault : decoded.faults) decoded.notes.push_back("left out: " + fault);
  return decoded;
}

}  // namespace

DecodedSet decode(const std::vector<Pair>& pairs, const DecodeOptions& options,
                  DecodeReport* report,
                  const std::function<void(std::size_t, std::size_t)>& progress,
                  const std::atomic<bool>* stop) {
  if (pairs.empty()) throw DataError({"there are no images to decode"});
  DecodeReport told;
  const auto finish = [&](CachedSet&& cached) {
    told.lines.insert(told.lines.end(), cached.notes.begin(), cached.notes.end());
    if (report != nullptr) *report = std::move(told);
    return std::move(cached.set);
  };

  std::vector<std::string> hashes;
  if (!options.cache_folder.empty()) hashes = hash_files(pairs, options.workers, stop);
  if (hashes.empty()) {
    DecodedFiles decoded = decode_or_refuse(pairs, options, progress, stop);
    return finish({std::move(decoded.set), std::move(decoded.notes)});
  }

  const std::string file = cache_path(options.cache_folder, cache_key(pairs, hashes, options));
  try {
    CachedSet cached = read_cached(file);
    told.from_cache = true;
    return finish(std::move(cached));
  } catch (const Error& error) {
    if (error.fault() == Fault::no_space) throw;
    if (error.fault() != Fault::not_found)
      told.lines.push_back(fmt::format("{}; decoding again", error.what()));
  }
  DecodedFiles decoded = decode_or_refuse(pairs, options, progress, stop);
  CachedSet fresh{std::move(decoded.set), std::move(decoded.notes)};
  if (!same_content(pairs, hashes, fresh.set))
    throw DataError({"files changed while they were decoded; start again"});
  try {
    write_cached(file, fresh);
  } catch (const Error& error) {  // costs time at the next start, but nothing now
    told.lines.push_back(fmt::format("no cache is kept: {}", error.what()));
  }
  return finish(std::move(fresh));
}

std::string image_sha256(const DecodedSet& set, std::size_t index) {
  return set.sha256[index].substr(0, set.sha256[index].find(':'));
}

std::vector<std::string> shared_images(const std::string& first_name, const DecodedSet& first,
                                       const std::string& second_name, const DecodedSet& second) {
  std::map<std::string, std::string> id_of;
  for (std::size_t i = 0; i < first.size(); ++i)
    id_of.emplace(image_sha256(first, i), first.ids[i]);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < second.size(); ++i) {
    const auto found = id_of.find(image_sha256(second, i));
    if (found != id_of.end())
      lines.push_back(fmt::format("{} ({}) and {} ({}) are the same image", found->second,
                                  first_name, second.ids[i], second_name));
  }
  return lines;
}

}  // namespace unetseg::trainer
