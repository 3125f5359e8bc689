// SPDX-License-Identifier: MIT
// `predict`: a folder of images to a folder of masks under the same names.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "model/storage/model_card.h"
#include "model/engine/names.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/predict_options.h"
#include "trainer/commands/shipped_weights.h"
#include "trainer/data/dataset.h"
#include "trainer/data/folder.h"
#include "trainer/report/progress.h"

namespace unetseg::trainer {
namespace {

namespace fs = std::filesystem;

struct Options {
  PredictorOptions predictor;
  std::string images, output;
  bool quiet = false;
};

std::vector<fs::path> images_in(const std::string& folder) {
  if (!fs::is_directory(folder))
    throw Error(Fault::not_found, folder + " is no folder: give one with images");
  std::vector<fs::path> files;
  for (const FolderEntry& entry : list_folder(folder)) {
    const std::string ending = lower_case(fs::path(entry.name).extension().string());
    if (!entry.is_folder &&
        (ending == ".jpg" || ending == ".jpeg" || ending == ".png" || ending == ".bmp"))
      files.emplace_back(entry.path);
  }
  if (files.empty()) throw DataError({folder + " holds no .jpg, .png or .bmp images"});
  return files;
}

// A mask has its picture's name: in the pictures' folder it would take a PNG's place, and a second
// run would take masks for pictures.
void require_another_folder(const Options& options) {
  std::error_code none_yet;
  if (fs::equivalent(options.images, options.output, none_yet))
    throw Error(Fault::settings, options.output +
                                     " is the folder of the images: give another --output, or "
                                     "masks would take their place");
}

int predict(const Options& options) {
  const std::atomic<bool>& stop = stop_on_signal();
  const std::vector<fs::path> files = images_in(options.images);
  std::map<std::string, std::string> names;
  for (const fs::path& file : files)
    if (!names.emplace(file.stem().string(), file.string()).second)
      throw DataError({fmt::format("{} and {} would get the same mask", names[file.stem().string()],
                                   file.string())});
  require_another_folder(options);
  make_folder(options.output);
  Predictor predictor(options.predictor);
  ProgressLine progress("segmenting", options.quiet);
  std::vector<std::string> faults;
  std::size_t done = 0;
  for (const fs::path& file : files) {
    if (stop) return interrupted_exit_code();
    try {
      const Image image = read_rgb(file.string());
      predictor.probabilities(image);
      write_image((fs::path(options.output) / (file.stem().string() + ".png")).string(),
                  {image.width, image.height, 1, predictor.mask(image.width, image.height)});
    } catch (const Error& fault) {
      if (fault.fault() == Fault::write || fault.fault() == Fault::no_space) throw;
      faults.push_back(fault.what());
    }
    progress.update(++done, files.size());
  }
  progress.finish();
  std::fprintf(stderr, "%zu masks in %s\n", files.size() - faults.size(), options.output.c_str());
  if (!faults.empty()) throw DataError(faults);
  return kOk;
}

}  // namespace

void add_predictor_options(CLI::App& verb, PredictorOptions* options, bool weights_required) {
  CLI::Option* weights = take_shipped_weights(verb.add_option(
      "--weights", options->weights,
      "Weights: a safetensors file, or fast or best for those that come with unetseg"));
  if (weights_required) weights->required();
  verb.add_option("--device", options->device, "auto, cpu, cuda, cuda:N")->capture_default_str();
  const auto set_engine = [options](const std::string& name) {
    options->engine = engine_named(name);
  };
  verb.add_option_function<std::string>(
          "--engine", set_engine,
          "What runs the network; auto: the fastest that agrees with LibTorch on this machine")
      ->check(CLI::IsMember({"auto", "libtorch", "fused-cpu", "fused-cuda"}))
      ->default_str("auto");
  const auto set_precision = [options](const std::string& name) {
    options->precision = precision_named(name);
  };
  verb.add_option_function<std::string>(
          "--precision", set_precision,
          "What it computes in; auto: the fastest that keeps the masks")
      ->check(CLI::IsMember({"auto", "fp32", "bf16", "fp16"}))
      ->default_str(name_of(options->precision));
  verb.add_option("--threads", options->threads, "CPU threads; 0: all cores")
      ->capture_default_str();
  verb.add_option("--threshold", options->threshold,
                  "Probability from which a pixel is lesion; by default the weights' own")
      ->check(CLI::Range(0.0, 1.0));
  verb.add_option("--min-confidence", options->min_confidence,
                  "Find nothing where the network is less sure than this; by default the weights' "
                  "own")
      ->check(CLI::Range(0.0, 1.0));
  const auto set_fit = [options](const std::string& name) {
    options->fit = UNETSEG_FIT_MODEL;
    for (const UnetsegFit fit : {UNETSEG_FIT_STRETCH, UNETSEG_FIT_LETTERBOX, UNETSEG_FIT_CROP})
      if (name == fit_name(fit)) options->fit = fit;
  };
  verb.add_option_function<std::string>(
          "--fit", set_fit, "How a picture becomes the network's input; weights: as they say")
      ->check(CLI::IsMember({"weights", "stretch", "letterbox", "crop"}))
      ->default_str("weights");
  const auto set_augmentation = [options](const std::string& name) {
    // `--tta` alone means flips.
    const auto tta = tta_named(name.empty() ? "flips" : name);
    if (!tta) throw CLI::ValidationError("--tta", "give none, flips or d4");
    options->augmentation = *tta;
  };
  verb.add_option_function<std::string>(
          "--tta", set_augmentation,
          "Average over mirrored copies (flips, also without a word) or turned ones too (d4)")
      ->type_name("none|flips|d4")
      ->expected(0, 1);
}

void add_predict(CLI::App& app, Action* action) {
  CLI::App* verb = app.add_subcommand("predict", "Write a mask for each image of a folder");
  auto options = std::make_shared<Options>();
  add_predictor_options(*verb, &options->predictor, true);
  verb->add_option("--images", options->images, "Folder of images")->required();
  verb->add_option("--output", options->output, "Folder for masks, PNG under the images' names")
      ->required();
  verb->add_flag("--quiet", options->quiet, "No progress line");
  verb->callback([=] { *action = [=] { return predict(*options); }; });
}

}  // namespace unetseg::trainer
