// SPDX-License-Identifier: MIT
// `evaluate`: scores weights, or masks that already exist, at the truth masks' own size.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <future>

#include "model/error.h"
#include "model/storage/atomic_file.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/predict_options.h"
#include "trainer/data/dataset.h"
#include "trainer/data/mask_pixels.h"
#include "trainer/predict/predictor.h"
#include "trainer/report/pictures.h"
#include "trainer/report/progress.h"
#include "trainer/report/score.h"

namespace unetseg::trainer {
namespace {

struct Options {
  PredictorOptions predictor;
  std::string data, split = "validation", images, masks, predictions, csv, panels;
  bool quiet = false;
};

std::vector<Pair> pairs_of(const Options& options) {
  if (!options.predictions.empty()) return pair_predictions(options.predictions, options.masks);
  if (!options.data.empty()) return find_dataset(options.data).split(options.split);
  return pair_folders(options.images, options.masks);
}

enum class Role { truth, prediction };

// A mask file as 0 and 255, by the same rules as masks to train on. A prediction may be a map of
// probabilities, all of them low.
Image read_mask(const std::string& path, Role role) {
  Image mask = read_gray(path);
  const GreyHistogram histogram = grey_histogram(mask);
  if (role == Role::truth) refuse_labels(histogram, path);
  const int threshold = threshold_of(values_of(histogram));
  for (std::uint8_t& pixel : mask.pixels) pixel = pixel > threshold ? 255 : 0;
  return mask;
}

// A mask that somebody else made, at the truth's size: bilinear between its pixels, cut at one
// half.
std::vector<std::uint8_t> enlarged(const Image& mask, int width, int height) {
  std::vector<float> values(mask.pixels.size());
  std::transform(mask.pixels.begin(), mask.pixels.end(), values.begin(),
                 [](std::uint8_t v) { return v > 0 ? 1.0f : 0.0f; });
  std::vector<std::uint8_t> out(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  Upsampler upsampler;
  upsampler.configure({values.data(), mask.width, mask.height}, width, height);
  mask_from_probabilities(upsampler, 0.5, out.data(), width);
  return out;
}

// What a panel row borrows.
struct PanelData {
  double dice;
  std::string caption;
  Image image;
  std::vector<std::uint8_t> truth;
  std::vector<float> probabilities;
};

// The panel shows whole pictures, stretched to the network's size.
PanelData panel_data(const Image& image, const Image& truth, const ProbabilityView& map,
                     const ModelCard& card, std::string id, double dice) {
  PanelData data{dice, fmt::format("{}  Dice {:.3f}", id, dice), {}, {}, {}};
  const int width = card.input_width, height = card.input_height;
  data.image = {width, height, 3,
                std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
  Sampler sampler(width, height);
  sampler.sample_rgb8(frame_of(image), data.image.pixels.data());
  std::vector<std::uint8_t> coverage(data.image.pixels.size());
  sampler.sample_rgb8(frame_of(truth), coverage.data());
  for (std::size_t i = 0; i < coverage.size(); i += 3) data.truth.push_back(coverage[i]);
  Upsampler upsampler;
  upsampler.configure(map, width, height);
  for (int y = 0; y < height; ++y) {
    const float* row = upsampler.row(y);
    data.probabilities.insert(data.probabilities.end(), row, row + width);
  }
  return data;
}

void write_worst(const std::string& folder, std::vector<PanelData> panels, double threshold) {
  constexpr std::size_t kWorst = 16, kRows = 8;
  std::sort(panels.begin(), panels.end(),
            [](const PanelData& a, const PanelData& b) { return a.dice < b.dice; });
  panels.resize(std::min(panels.size(), kWorst));
  std::filesystem::create_directories(folder);
  for (std::size_t first = 0; first < panels.size(); first += kRows) {
    std::vector<PanelRow> rows;
    for (std::size_t i = first; i < std::min(panels.size(), first + kRows); ++i)
      rows.push_back({panels[i].caption, panels[i].image.width, panels[i].image.height,
                      panels[i].image.pixels.data(), panels[i].truth.data(),
                      panels[i].probabilities.data()});
    write_panel(fmt::format("{}/worst-{:02}.png", folder, first + 1), rows, threshold);
  }
}

struct Decoded {
  Image truth;
  Image input;  // the picture, or the mask that is scored
};

// Official masks have tens of megapixels: the next pair is decoded while one is scored.
std::future<Decoded> decode_ahead(const Pair& pair, bool is_prediction) {
  return std::async(std::launch::async, [&pair, is_prediction] {
    return Decoded{read_mask(pair.mask, Role::truth),
                   is_prediction ? read_mask(pair.image, Role::prediction) : read_rgb(pair.image)};
  });
}

int evaluate(const Options& options) {
  const bool have_weights = !options.predictor.weights.empty();
  const int sources =
      int{!options.data.empty()} + int{!options.images.empty()} + int{!options.predictions.empty()};
  if (sources != 1 || have_weights != options.predictions.empty() ||
      (options.data.empty() && options.masks.empty()))
    throw Error(Fault::settings,
                "give --weights with --data, or --weights with --images and --masks, or "
                "--predictions with --masks");
  const std::atomic<bool>& stop = stop_on_signal();
  const std::vector<Pair> pairs = pairs_of(options);
  if (pairs.empty())
    throw DataError({fmt::format("no images to score in {}{}{}", options.data, options.images,
                                 options.predictions)});
  std::unique_ptr<Predictor> predictor;
  if (have_weights) predictor = std::make_unique<Predictor>(options.predictor);
  const double threshold = predictor ? predictor->threshold() : 0.5;

  std::vector<ImageScore> scores;
  std::vector<PanelData> panels;
  std::vector<std::string> faults;
  ProgressLine progress("scoring", options.quiet);
  std::future<Decoded> next = decode_ahead(pairs.front(), !have_weights);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (stop) return interrupted_exit_code();
    const Pair& pair = pairs[i];
    std::future<Decoded> mine = std::move(next);
    mine.wait();
    if (i + 1 < pairs.size()) next = decode_ahead(pairs[i + 1], !have_weights);
    try {
      const auto [truth, input] = mine.get();
      std::vector<std::uint8_t> mask;
      ProbabilityView map{nullptr, 0, 0};
      if (predictor) {
        map = predictor->probabilities(input);
        mask = predictor->mask(truth.width, truth.height);
      } else {
        mask = enlarged(input, truth.width, truth.height);
      }
      scores.push_back({pair.id, truth.width, truth.height,
                        compare(mask.data(), truth.pixels.data(), mask.size())});
      if (predictor && !options.panels.empty())
        panels.push_back(panel_data(input, truth, map, predictor->card(), pair.id,
                                    scores.back().confusion.dice()));
    } catch (const Error& error) {
      faults.push_back(error.what());
    }
    progress.update(scores.size(), pairs.size());
  }
  progress.finish();
  if (!faults.empty()) throw DataError(faults);
  std::fputs(to_text(summarise(scores), "the masks' own size", threshold).c_str(), stdout);
  if (!options.csv.empty()) write_file_atomically(options.csv, to_csv(scores));
  if (!panels.empty()) write_worst(options.panels, std::move(panels), threshold);
  return kOk;
}

}  // namespace

void add_evaluate(CLI::App& app, Action* action) {
  CLI::App* verb =
      app.add_subcommand("evaluate", "Score weights, or existing masks, against true masks");
  auto options = std::make_shared<Options>();
  add_predictor_options(*verb, &options->predictor, false);
  verb->add_option("--data", options->data, "Folder of a data set");
  verb->add_option("--split", options->split, "Part of --data")
      ->check(CLI::IsMember({"train", "validation", "test"}))
      ->capture_default_str();
  verb->add_option("--images", options->images, "Folder of images, in place of --data");
  verb->add_option("--masks", options->masks, "Folder of true masks with the images' names");
  verb->add_option("--predictions", options->predictions,
                   "Folder of masks to score, in place of --weights");
  verb->add_option("--csv", options->csv, "Write one line per image here");
  verb->add_option("--panels", options->panels, "Write pictures of the worst 16 into this folder");
  verb->add_flag("--quiet", options->quiet, "No progress line");
  verb->callback([=] { *action = [=] { return evaluate(*options); }; });
}

}  // namespace unetseg::trainer
