// SPDX-License-Identifier: MIT
#include "model/storage/model_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <vector>

#include "model/error.h"
#include "model/storage/shown.h"

namespace unetseg {
namespace {

constexpr const char* kFormatVersion = "1";
constexpr int kMostWidth = 256, kLeastSide = 32, kMostSide = 4096, kSideStep = 16;

// The keys that from_metadata() turns into fields; each other one is a note.
const std::set<std::string>& card_keys() {
  static const std::set<std::string> keys = {
      "format_version", "architecture", "base_width", "input_width",  "input_height", "fit",
      "mean",           "stddev",       "threshold",  "largest_only", "fill_holes",   "min_area",
      "min_confidence", "name",         "sha256"};
  return keys;
}

std::string text_of(const float (&values)[3]) {
  return fmt::format("{},{},{}", values[0], values[1], values[2]);
}

[[noreturn]] void refuse(const std::string& rule) {
  throw Error(Fault::settings,
              fmt::format("the weights file's metadata {}; export the weights again", rule));
}

template <typename Number>
bool parse(const std::string& text, Number* value) {
  const char* end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, *value);
  return !text.empty() && result.ec == std::errc() && result.ptr == end;
}

bool parse(const std::string& text, float (&values)[3]) {
  std::size_t start = 0;
  for (int i = 0; i < 3; ++i) {
    const std::size_t comma = i < 2 ? text.find(',', start) : text.size();
    if (comma == std::string::npos || !parse(text.substr(start, comma - start), &values[i]))
      return false;
    start = comma + 1;
  }
  return true;
}

class Fields {
 public:
  explicit Fields(const std::map<std::string, std::string>& metadata) : metadata_(metadata) {}

  const std::string& text(const char* key) const {
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) refuse(fmt::format("lacks '{}'", key));
    return found->second;
  }

  std::string text_or_empty(const char* key) const {
    const auto found = metadata_.find(key);
    return found == metadata_.end() ? std::string() : found->second;
  }

  std::string one_of(const char* key, const std::vector<std::string>& allowed) const {
    const std::string& value = text(key);
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
      std::string list;
      for (const std::string& name : allowed) list += (list.empty() ? "" : ", ") + name;
      bad(key, "one of " + list);
    }
    return value;
  }

  int whole(const char* key, int least, int most) const {
    int value = 0;
    if (!parse(text(key), &value) || value < least || value > most)
      bad(key, fmt::format("a whole number from {} to {}", least, most));
    return value;
  }

  int side(const char* key) const {
    const int value = whole(key, kLeastSide, kMostSide);
    if (value % kSideStep != 0) bad(key, fmt::format("a multiple of {}", kSideStep));
    return value;
  }

  bool on_or_off(const char* key) const { return one_of(key, {"false", "true"}) == "true"; }

  double number(const char* key) const {
    double value = 0;
    if (!parse(text(key), &value) || !std::isfinite(value)) bad(key, "a finite number");
    return value;
  }

  void triple(const char* key, bool positive, float (&values)[3]) const {
    const bool well_formed = parse(text(key), values);
    const bool in_range = std::all_of(values, values + 3, [&](float value) {
      return std::isfinite(value) && (!positive || value > 0);
    });
    if (!well_formed || !in_range)
      bad(key, fmt::format("three finite numbers{} with commas between them",
                           positive ? " above 0" : ""));
  }

  [[noreturn]] void bad(const char* key, const std::string& expected) const {
    refuse(fmt::format("has {} as '{}', which must be {}", shown_name(text(key)), key, expected));
  }

 private:
  const std::map<std::string, std::string>& metadata_;
};

// Nothing in it is ours: a file that somebody converted. A converter may have added its own keys,
// and `inspect --rehash` the checksum.
bool is_foreign(const std::map<std::string, std::string>& metadata) {
  return std::none_of(metadata.begin(), metadata.end(), [](const auto& entry) {
    return entry.first != "sha256" && card_keys().count(entry.first) != 0;
  });
}

void read_fields(const Fields& fields, ModelCard* card) {
  if (fields.text("format_version") != kFormatVersion)
    throw Error(Fault::settings,
                fmt::format("the weights file's metadata is of version {}, and this program reads "
                            "version {}; use the version of unetseg that wrote it or a newer one",
                            shown_name(fields.text("format_version")), kFormatVersion));
  card->architecture = fields.one_of("architecture", {"improved-unet", "seed-unet"});
  card->base_width = fields.whole("base_width", 1, kMostWidth);
  card->input_width = fields.side("input_width");
  card->input_height = fields.side("input_height");
  const std::string fit = fields.one_of("fit", {"stretch", "letterbox", "crop"});
  for (const UnetsegFit each : {UNETSEG_FIT_STRETCH, UNETSEG_FIT_LETTERBOX, UNETSEG_FIT_CROP})
    if (fit == fit_name(each)) card->fit = each;
  fields.triple("mean", /*positive=*/false, card->normalisation.mean);
  fields.triple("stddev", /*positive=*/true, card->normalisation.stddev);
  card->threshold = fields.number("threshold");
  if (card->threshold <= 0 || card->threshold >= 1) fields.bad("threshold", "above 0 and below 1");
  card->clean_up.largest_only = fields.on_or_off("largest_only");
  card->clean_up.fill_holes = fields.on_or_off("fill_holes");
  card->clean_up.min_area = fields.number("min_area");
  if (card->clean_up.min_area < 0 || card->clean_up.min_area > 1)
    fields.bad("min_area", "a fraction of the picture from 0 to 1");
  if (!fields.text_or_empty("min_confidence").empty())
    card->clean_up.min_confidence = fields.number("min_confidence");
  if (card->clean_up.min_confidence < 0 || card->clean_up.min_confidence > 1)
    fields.bad("min_confidence", "from 0 to 1");
  card->name = fields.text_or_empty("name");
}

}  // namespace

const char* fit_name(UnetsegFit fit) {
  return fit == UNETSEG_FIT_LETTERBOX ? "letterbox" : fit == UNETSEG_FIT_CROP ? "crop" : "stretch";
}

std::map<std::string, std::string> to_metadata(const ModelCard& card) {
  std::map<std::string, std::string> metadata = {
      {"format_version", kFormatVersion},
      {"architecture", card.architecture},
      {"base_width", fmt::format("{}", card.base_width)},
      {"input_width", fmt::format("{}", card.input_width)},
      {"input_height", fmt::format("{}", card.input_height)},
      {"fit", fit_name(card.fit)},
      {"mean", text_of(card.normalisation.mean)},
      {"stddev", text_of(card.normalisation.stddev)},
      {"threshold", fmt::format("{}", card.threshold)},
      {"largest_only", fmt::format("{}", card.clean_up.largest_only)},
      {"fill_holes", fmt::format("{}", card.clean_up.fill_holes)},
      {"min_area", fmt::format("{}", card.clean_up.min_area)},
  };
  if (card.clean_up.min_confidence > 0)
    metadata["min_confidence"] = fmt::format("{}", card.clean_up.min_confidence);
  if (!card.name.empty()) metadata["name"] = card.name;
  if (!card.sha256.empty()) metadata["sha256"] = card.sha256;
  for (const auto& note : card.notes)
    if (card_keys().count(note.first) == 0) metadata.insert(note);
  return metadata;
}

ModelCard from_metadata(const std::map<std::string, std::string>& metadata,
                        const std::string& architecture_hint) {
  ModelCard card;
  const Fields fields(metadata);
  if (!is_foreign(metadata)) {
    read_fields(fields, &card);
  } else if (architecture_hint == "improved-unet" || architecture_hint == "seed-unet") {
    card.architecture = architecture_hint;
  } else {
    throw Error(Fault::settings,
                "the weights file has no metadata of unetseg, and its tensors are those of no "
                "network that it knows (improved-unet, seed-unet); train with unetseg-trainer or "
                "keep the network's own tensor names when you convert a checkpoint");
  }
  card.sha256 = fields.text_or_empty("sha256");
  for (const auto& entry : metadata)
    if (card_keys().count(entry.first) == 0) card.notes.insert(entry);
  return card;
}

}  // namespace unetseg
