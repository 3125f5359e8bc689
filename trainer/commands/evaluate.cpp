// SPDX-License-Identifier: MIT
// `evaluate`: its options, and where its images come from.
#include "trainer/commands/evaluate.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <filesystem>

#include "model/error.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/predict_options.h"
#include "trainer/commands/shipped_weights.h"
#include "trainer/data/fit.h"
#include "trainer/data/folder.h"
#include "trainer/data/manifest.h"
#include "trainer/report/progress.h"

namespace unetseg::trainer {
namespace {

// Before minutes of work, not after.
void require_folder_of(const std::string& file) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  std::error_code ignored;
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored))
    throw Error(Fault::write,
                fmt::format("{} cannot be written: there is no folder {}", file, folder.string()));
}

int evaluate(const EvaluateOptions& options) {
  stop_on_signal();
  for (const std::string& file : {options.csv, options.json, options.write_threshold})
    require_folder_of(file);
  if (!options.panels.empty()) make_folder(options.panels);
  if (!options.compare.empty()) return evaluate_comparison(options);
  if (options.predictor.weights.empty() == options.predictions.empty())
    throw Error(Fault::settings,
                "give --weights with --data, or --weights with --images and --masks, or "
                "--predictions with --masks");
  if (options.tune_threshold) return evaluate_threshold(options);
  if (options.conditions) return evaluate_conditions(options);
  return evaluate_scores(options);
}

PairSize size_of(const DecodedPair& decoded) {
  return {decoded.input.width, decoded.input.height, decoded.truth.width, decoded.truth.height};
}

std::string describe(const Pair& pair, const PairSize& size) {
  return fmt::format("{} is {}x{}, {} is {}x{}", pair.image, size.image_width, size.image_height,
                     pair.mask, size.mask_width, size.mask_height);
}

}  // namespace

std::vector<Pair> pairs_to_score(const EvaluateOptions& options) {
  const int sources =
      int{!options.data.empty()} + int{!options.images.empty()} + int{!options.predictions.empty()};
  if (sources != 1 || (options.data.empty() && options.masks.empty()))
    throw Error(Fault::settings,
                "give either --data, or --images with --masks, or --predictions with --masks");
  const std::vector<Pair> pairs =
      !options.predictions.empty() ? pair_predictions(options.predictions, options.masks)
      : !options.data.empty()      ? find_dataset(options.data).split(options.split)
                                   : pair_folders(options.images, options.masks);
  if (!options.data.empty()) require_unchanged(pairs);
  if (pairs.empty())
    throw DataError({fmt::format("no images to score in {}{}{}", options.data, options.images,
                                 options.predictions)});
  return pairs;
}

bool for_each_pair_to_score(const EvaluateOptions& options, const std::vector<Pair>& pairs,
                            const std::function<void(const DecodedPair&)>& work) {
  ProgressLine progress("scoring", options.quiet);
  std::vector<PairSize> sizes;
  std::string misfit;
  const bool scored_all = for_each_decoded(
      pairs, options.predictions.empty() ? PairInput::picture : PairInput::mask,
      [&](const DecodedPair& decoded) {
        const PairSize size = size_of(decoded);
        sizes.push_back(size);
        if (misfit.empty() && !same_aspect(size)) misfit = describe(decoded.pair, size);
        work(decoded);
      },
      [&](std::size_t done, std::size_t total) { progress.update(done, total); }, stop_on_signal());
  progress.finish();
  if (const std::size_t misfits = SetFit(sizes).n_misfits())
    fmt::print(stderr,
               "warning: {} of {} true masks have other proportions than what is scored, and were "
               "stretched over it; the first: {}\n",
               misfits, sizes.size(), misfit);
  return scored_all;
}

void add_evaluate(CLI::App& app, Action* action) {
  CLI::App* verb =
      app.add_subcommand("evaluate", "Score weights, or existing masks, against true masks");
  auto options = std::make_shared<EvaluateOptions>();
  // Scores are not to depend on the machine.
  options->predictor.precision = UNETSEG_PRECISION_FP32;
  add_predictor_options(*verb, &options->predictor, false);
  verb->add_option("--data", options->data, "Folder of a data set");
  verb->add_option("--split", options->split, "Part of --data")
      ->check(CLI::IsMember({"train", "validation", "test"}))
      ->capture_default_str();
  verb->add_option("--images", options->images, "Folder of images, in place of --data");
  verb->add_option("--masks", options->masks, "Folder of true masks with the images' names");
  CLI::Option* weights = verb->get_option("--weights");
  CLI::Option* predictions = verb->add_option("--predictions", options->predictions,
                                              "Folder of masks to score, in place of --weights")
                                 ->excludes(weights);
  verb->add_option("--csv", options->csv, "Write one line per image here");
  CLI::Option* json = verb->add_option(
      "--json", options->json, "Write the summary here, with intervals and the weights' SHA-256");
  CLI::Option* panels = verb->add_option("--panels", options->panels,
                                         "Write pictures of the worst 16 into this folder, and how "
                                         "probabilities are calibrated")
                            ->excludes(predictions);
  CLI::Option* compare =
      take_shipped_weights(
          verb->add_option("--compare", options->compare,
                           "Score two weights files on the same images, in place of --weights; or "
                           "two files that --csv wrote"))
          ->type_name("A B")
          ->expected(2)
          ->excludes(weights, predictions, json, panels);
  CLI::Option* tune =
      verb->add_flag("--tune-threshold", options->tune_threshold,
                     "Try thresholds from 0.30 to 0.70 on the validation images")
          ->excludes(verb->get_option("--threshold"), predictions, json, panels, compare);
  verb->add_option(
          "--write-threshold", options->write_threshold,
          "Write the weights with the best threshold here, and with --min-confidence where "
          "that is given; the file of --weights itself is changed where it is named")
      ->needs(tune);
  verb->add_flag("--conditions", options->conditions,
                 "Score each image under blur, noise, other light, rims, other proportions, ..., "
                 "and see what is found on frames without a lesion")
      ->excludes(predictions, json, compare, tune);
  verb->add_flag("--quiet", options->quiet, "No progress line");
  verb->callback([=] { *action = [=] { return evaluate(*options); }; });
}

}  // namespace unetseg::trainer
