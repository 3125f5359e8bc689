// SPDX-License-Identifier: MIT
#include "trainer/commands/training_data.h"

#include <fmt/format.h>
#include <glib.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>

#include "trainer/commands/say.h"
#include "trainer/data/file_bytes.h"
#include "trainer/data/groups.h"
#include "trainer/data/image_files.h"
#include "trainer/data/near_duplicates.h"
#include "trainer/report/progress.h"

namespace unetseg::trainer {
namespace {

// The first picture that can be read; where there is none, decoding says why.
Image first_image(const std::vector<Pair>& pairs) {
  for (const Pair& pair : pairs) {
    try {
      return read_rgb(pair.image);
    } catch (const Error& error) {
      if (error.fault() == Fault::no_space) throw;
    }
  }
  return {};
}

// How much of the wanted supersampling the pictures can fill, judged by the first one, and memory
// too.
int usable_supersampling(const TrainingDataOptions& options, const std::vector<Pair>& pairs) {
  constexpr double kMostBytes = 2e9;
  const Image first = first_image(pairs);
  int factor = std::max(1, options.supersampling);
  const auto bytes = [&](int f) {
    return 4.0 * f * f * options.width * options.height * static_cast<double>(pairs.size());
  };
  while (factor > 1 && (first.width < factor * options.width ||
                        first.height < factor * options.height || bytes(factor) > kMostBytes))
    --factor;
  return factor;
}

DecodedSet decode_split(const char* name, const std::vector<Pair>& pairs,
                        const DecodeOptions& options, const std::atomic<bool>& stop) {
  ProgressLine progress(fmt::format("decoding {} images", name));
  DecodeReport report;
  DecodedSet set = decode(
      pairs, options, &report,
      [&](std::size_t done, std::size_t total) { progress.update(done, total); }, &stop);
  progress.finish();
  for (const std::string& line : report.lines) say(fmt::format("{}: {}", name, line));
  say(fmt::format("{}: {} images at {}x{}{}", name, set.size(), set.width, set.height,
                  report.from_cache ? " from the cache" : ""));
  return set;
}

// Runs `decode_one` for each split and throws the faults of all of them at once.
void decode_all(std::initializer_list<std::function<void()>> splits) {
  std::vector<std::string> faults;
  for (const std::function<void()>& decode_one : splits) {
    try {
      decode_one();
    } catch (const DataError& error) {
      faults.insert(faults.end(), error.faults().begin(), error.faults().end());
    }
  }
  if (!faults.empty()) throw DataError(faults);
}

std::string hash_of(const DecodedSet& train, const DecodedSet& validation) {
  GChecksum* checksum = g_checksum_new(G_CHECKSUM_SHA256);
  const auto add = [&](const std::string& text) {
    g_checksum_update(checksum, reinterpret_cast<const guchar*>(text.c_str()),
                      static_cast<gssize>(text.size() + 1));
  };
  for (const DecodedSet* set : {&train, &validation}) {
    add(std::to_string(set->size()));
    for (std::size_t i = 0; i < set->size(); ++i) {
      add(set->ids[i]);
      add(set->sha256[i]);
    }
  }
  const std::string text = g_checksum_get_string(checksum);
  g_checksum_free(checksum);
  return text;
}

void erase_sample(DecodedSet* set, std::size_t index) {
  const auto erase = [&](auto* values, std::size_t stride) {
    const auto first = values->begin() + static_cast<std::ptrdiff_t>(index * stride);
    values->erase(first, first + static_cast<std::ptrdiff_t>(stride));
  };
  const std::size_t pixels = static_cast<std::size_t>(set->width) * set->height;
  erase(&set->ids, 1);
  erase(&set->sha256, 1);
  erase(&set->aspect, 1);
  erase(&set->images, 3 * pixels);
  erase(&set->masks, pixels);
  if (!set->truth.empty()) erase(&set->truth, 1);
}

struct KnownImage {
  std::string id, split;
};
using KnownImages = std::map<std::string, KnownImage>;  // by the hash of the file

KnownImages images_of(const DecodedSet& validation) {
  KnownImages known;
  for (std::size_t i = 0; i < validation.size(); ++i)
    known[image_sha256(validation, i)] = {validation.ids[i], "validation"};
  return known;
}

// Nothing for what cannot be looked at: training needs no test image, and scoring says what is
// wrong with one.
std::optional<std::uintmax_t> bytes_of(const Pair& pair) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(pair.image, error);
  return error ? std::nullopt : std::optional(bytes);
}

std::optional<std::string> hash_of_image(const Pair& pair) {
  try {
    return sha256_of_file(pair.image);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Test images are not decoded, and read only where they have a training image's size to the byte.
void add_test_images(const Dataset& dataset, KnownImages* known) {
  std::set<std::uintmax_t> sizes;
  for (const Pair& pair : dataset.train)
    if (const auto bytes = bytes_of(pair)) sizes.insert(*bytes);
  for (const Pair& pair : dataset.test) {
    const auto bytes = bytes_of(pair);
    if (!bytes || sizes.count(*bytes) == 0) continue;
    if (const auto hash = hash_of_image(pair)) known->emplace(*hash, KnownImage{pair.id, "test"});
  }
}

// An image in two splits would make scores too good. Up to `skip_bad` training copies are left out;
// more are faults.
void separate_splits(DecodedSet* train, const KnownImages& others, int skip_bad) {
  std::vector<std::string> faults;
  std::vector<std::pair<std::size_t, std::string>> shared;  // and the other's split
  for (std::size_t i = 0; i < train->size(); ++i) {
    const auto found = others.find(image_sha256(*train, i));
    if (found == others.end()) continue;
    shared.emplace_back(i, found->second.split);
    faults.push_back(
        fmt::format("{} (train) and {} ({}) are the same image; --skip-bad {} leaves the training "
                    "copy out",
                    train->ids[i], found->second.id, found->second.split, shared.size()));
  }
  if (shared.size() > static_cast<std::size_t>(std::max(0, skip_bad))) throw DataError(faults);
  for (auto copy = shared.rbegin(); copy != shared.rend(); ++copy) {
    say(fmt::format("train: {} left out, it is a {} image too", train->ids[copy->first],
                    copy->second));
    erase_sample(train, copy->first);
  }
}

// Not a fault: whether two pictures are too much alike is for people to judge.
void warn_of_near_duplicates(const DecodedSet& train, const DecodedSet& validation) {
  const std::vector<NearDuplicate> found = near_duplicates(train, validation);
  if (found.empty()) return;
  say(
      fmt::format("warning: {} of the validation images {} nearly the same as a training image, "
                  "which flatters the scores; the first is {}, like {} (check lists all)",
                  found.size(), found.size() == 1 ? "is" : "are", validation.ids[found[0].second],
                  train.ids[found[0].first]));
}

}  // namespace

std::string cached_split_path(const std::string& folder, const std::string& split) {
  return folder + "/decoded-" + split + ".safetensors";
}

TrainingData load_training_data(const TrainingDataOptions& options, const std::atomic<bool>& stop) {
  TrainingData data;
  Dataset dataset;
  const std::string cached = cached_split_path(options.data, "train");
  if (std::filesystem::exists(cached)) {
    data.train = read_decoded(cached);
    data.validation = read_decoded(cached_split_path(options.data, "validation"));
    if (data.validation.width != options.width || data.validation.height != options.height)
      throw Error(Fault::settings,
                  fmt::format("{} was decoded for an input of {}x{}: train with that "
                              "--size, or decode it again",
                              options.data, data.validation.width, data.validation.height));
    say(fmt::format("decoded set: {} training and {} validation images", data.train.size(),
                    data.validation.size()));
  } else {
    dataset = find_dataset(options.data);
    if (!options.groups.empty()) read_groups(options.groups, &dataset);
    if (dataset.validation.empty() && options.validation_fraction > 0)
      split_off_validation(&dataset, options.validation_fraction);
    for (const std::string& line : groups_in_two_splits(dataset)) say("warning: " + line);
    say(fmt::format("{}: {}, {} training, {} validation, {} test images", dataset.root,
                    dataset.layout, dataset.train.size(), dataset.validation.size(),
                    dataset.test.size()));
    if (dataset.train.empty() || dataset.validation.empty())
      throw DataError(
          {fmt::format("{}: no {} images; give a validation split or --val-fraction 0.1",
                       options.data, dataset.train.empty() ? "training" : "validation")});
    DecodeOptions decode_options;
    decode_options.cache_folder = options.cache_folder;
    decode_options.skip_bad = options.skip_bad;
    decode_options.stretch_masks = options.stretch_masks;
    decode_options.workers = options.workers;
    decode_options.width = options.width;
    decode_options.height = options.height;
    const int factor = usable_supersampling(options, dataset.train);
    DecodeOptions train_options = decode_options, validation_options = decode_options;
    train_options.width = factor * options.width;
    train_options.height = factor * options.height;
    validation_options.truth_side = kEpochTruthSide;
    decode_all({[&] { data.train = decode_split("train", dataset.train, train_options, stop); },
                [&] {
                  data.validation =
                      decode_split("validation", dataset.validation, validation_options, stop);
                }});
  }
  KnownImages others = images_of(data.validation);
  if (!options.resumed) add_test_images(dataset, &others);
  separate_splits(&data.train, others, options.skip_bad);
  if (data.train.size() == 0 || data.validation.size() == 0)
    throw DataError({options.data + ": no images are left to train or to score with"});
  warn_of_near_duplicates(data.train, data.validation);
  data.sha256 = hash_of(data.train, data.validation);
  add_to_manifest(&data.manifest, "train", dataset.train, data.train);
  add_to_manifest(&data.manifest, "validation", dataset.validation, data.validation);
  return data;
}

}  // namespace unetseg::trainer
