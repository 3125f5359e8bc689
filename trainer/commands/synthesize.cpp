// SPDX-License-Identifier: MIT
// `synthesize`: painted lesions with exact masks, as a data set or as a film.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "model/error.h"
#include "model/storage/atomic_file.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/image_size.h"
#include "trainer/commands/interrupt.h"
#include "trainer/data/folder.h"
#include "trainer/data/parallel.h"
#include "trainer/report/progress.h"
#include "trainer/splitmix.h"
#include "trainer/synthesize/lesion_scene.h"

namespace unetseg::trainer {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string output, size = "640x480";
  int count = 0, clip = 0;  // one of them is 0
  std::uint64_t seed = 1;
  bool quiet = false;
};

// Where one picture and its mask go, below the output folder.
struct Place {
  std::string image, mask;
};

// What was asked for, as text: the same text means the same bytes in every file.
std::string description(const Options& options, const SceneOptions& scene) {
  return fmt::format("unetseg-trainer synthesize {} {} --seed {} --size {}x{}\n",
                     options.clip > 0 ? "--clip" : "--count", std::max(options.clip, options.count),
                     options.seed, scene.width, scene.height);
}

// A folder that the same command wrote may be written again: nothing in it would change. Any other
// folder must be empty, or pictures of two kinds would be mixed.
void claim_folder(const std::string& folder, const std::string& wanted) {
  const std::string marker = folder + "/synthetic.txt";
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    std::ifstream file(marker);
    const std::string found(std::istreambuf_iterator<char>(file), {});
    if (found != wanted)
      throw Error(Fault::settings,
                  fmt::format("{} holds {}: give another --output, or remove it", folder,
                              found.empty() ? "other files" : "other synthetic pictures"));
  }
  make_folder(folder);
  write_file_atomically(marker, wanted);
}

// The folders of ISIC 2017, about 70, 15 and 15 % of the pictures, and at least one in each.
std::vector<Place> places_of_set(const std::string& folder, int count) {
  const int held_out = std::max(1, static_cast<int>(std::lround(0.15 * count)));
  std::vector<Place> places;
  const auto add = [&](const char* split, int pictures) {
    const fs::path images = fs::path(folder) / fmt::format("ISIC-2017_{}_Data", split);
    const fs::path masks = fs::path(folder) / fmt::format("ISIC-2017_{}_Part1_GroundTruth", split);
    make_folder(images);
    make_folder(masks);
    for (int i = 0; i < pictures; ++i) {
      const std::string id = fmt::format("SYNTH_{:07}", places.size() + 1);
      places.push_back({images / (id + ".jpg"), masks / (id + "_segmentation.png")});
    }
  };
  add("Training", count - 2 * held_out);
  add("Validation", held_out);
  add("Test_v2", held_out);
  return places;
}

std::vector<Place> places_of_clip(const std::string& folder, int frames) {
  const fs::path images = fs::path(folder) / "frames", masks = fs::path(folder) / "masks";
  make_folder(images);
  make_folder(masks);
  std::vector<Place> places;
  for (int i = 0; i < frames; ++i) {
    const std::string name = fmt::format("frame-{:05}", i);
    places.push_back({images / (name + ".jpg"), masks / (name + ".png")});
  }
  return places;
}

void write_frame(const Place& place, const SceneFrame& frame) {
  write_image(place.image, frame.picture);
  write_image(place.mask, frame.mask);
}

// Neighbouring seeds give sets without a picture in common.
std::uint64_t scene_seed(std::uint64_t seed, std::size_t picture) {
  return SplitMix64(SplitMix64(seed).next() + picture).next();
}

int synthesize(const Options& options) {
  if ((options.count > 0) == (options.clip > 0))
    throw Error(Fault::settings, "give --count for a data set, or --clip for a film");
  SceneOptions scene;
  parse_width_height(options.size, &scene.width, &scene.height);
  scene.seed = options.seed;
  scene.moving = options.clip > 0;
  check_scene(scene);
  const std::atomic<bool>& stop = stop_on_signal();
  claim_folder(options.output, description(options, scene));

  ProgressLine progress("painting", options.quiet);
  const ItemProgress show = [&](std::size_t done, std::size_t total) {
    progress.update(done, total);
  };
  if (options.clip > 0) {
    const std::vector<Place> places = places_of_clip(options.output, options.clip);
    const LesionScene film(scene);
    const ItemWork paint = [&](std::size_t i) {
      write_frame(places[i], film.frame(static_cast<int>(i)));
    };
    for_each_item(
        places.size(), 0, [&] { return paint; }, show, &stop);
    progress.finish();
    fmt::print("{} frames at {} a second in {}/frames, their masks in {}/masks\n", places.size(),
               LesionScene::kFramesPerSecond, options.output, options.output);
    return kOk;
  }
  const std::vector<Place> places = places_of_set(options.output, options.count);
  const ItemWork paint = [&](std::size_t i) {
    SceneOptions own = scene;
    own.seed = scene_seed(options.seed, i);
    write_frame(places[i], LesionScene(own).still());
  };
  for_each_item(
      places.size(), 0, [&] { return paint; }, show, &stop);
  progress.finish();
  fmt::print(
      "{} pictures with masks; train on them with: unetseg-trainer train --data {} --output "
      "RUN\n",
      places.size(), options.output);
  return kOk;
}

}  // namespace

void add_synthesize(CLI::App& app, Action* action) {
  CLI::App* verb =
      app.add_subcommand("synthesize", "Paint lesions with exact masks: a data set, or a film");
  auto options = std::make_shared<Options>();
  verb->add_option("--output", options->output, "Folder for the pictures, empty or not there yet")
      ->required();
  CLI::Option* count =
      verb->add_option("--count", options->count,
                       "Data set in the layout of ISIC 2017 with this many pictures, "
                       "over training, validation and test")
          ->check(CLI::Range(3, 1000000));
  verb->add_option("--clip", options->clip,
                   "Film of one lesion, held by hand, with this many frames")
      ->check(CLI::Range(1, 99999))
      ->excludes(count);
  verb->add_option("--seed", options->seed, "Decides all that is to be seen: same seed, same files")
      ->capture_default_str();
  verb->add_option("--size", options->size, "Of each picture, pixels: 640x480")
      ->capture_default_str();
  verb->add_flag("--quiet", options->quiet, "No progress line");
  verb->callback([=] { *action = [=] { return synthesize(*options); }; });
}

}  // namespace unetseg::trainer
