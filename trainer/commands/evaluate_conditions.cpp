// SPDX-License-Identifier: MIT
// `evaluate --conditions`: how weights hold up under what cameras do, and on frames without a
// lesion.
#include <fmt/format.h>

#include <cstdio>

#include "model/storage/atomic_file.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/evaluate.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/panel_sheets.h"
#include "trainer/predict/bare_frames.h"
#include "trainer/predict/conditions.h"
#include "trainer/predict/scorer.h"
#include "trainer/report/condition_table.h"
#include "trainer/train/artefacts.h"

namespace unetseg::trainer {
namespace {

// Of no training run: artefacts are drawn by the code that draws those to train with.
constexpr std::uint64_t kSeed = 0x6576616c75617465;

// Hairs, rulers, pen marks, bubbles and stickers: three layers, of which each may be of any kind.
Condition artefacts() {
  return {"artefacts", [](const Scene& scene, std::uint64_t seed) {
            constexpr int kLayers = 3;
            Scene covered = scene;
            const std::vector<std::uint8_t> layers =
                draw_artefacts(kLayers, scene.image.width, scene.image.height, seed);
            for (std::size_t i = 0; i < kLayers; ++i)
              lay_over(layers.data() + i * layers.size() / kLayers, &covered.image);
            return covered;
          }};
}

class ConditionScoring {
 public:
  explicit ConditionScoring(const EvaluateOptions& options)
      : options_(options), predictor_(options.predictor), conditions_(camera_conditions()) {
    const Condition plain = {"plain", [](const Scene& scene, std::uint64_t) { return scene; }};
    conditions_.insert(conditions_.begin(), plain);
    conditions_.push_back(artefacts());
    for (const Condition& condition : conditions_)
      table_.conditions.push_back({condition.name, {}});
    table_.frames.push_back({"bare skin", 0, 0});
  }

  void score(const DecodedPair& decoded) {
    const std::uint64_t seed = kSeed + table_.ids.size();
    const Scene scene = scene_of(decoded.input, decoded.truth);
    for (std::size_t i = 0; i < conditions_.size(); ++i) {
      const Scene shown = conditions_[i].apply(scene, seed);
      const ProbabilityView map = predictor_.probabilities(shown.image);
      const ImageScore score =
          scorer_.score(decoded.pair.id, map, predictor_.threshold(), shown.truth);
      table_.conditions[i].dice.push_back(score.confusion.dice());
      if (table_.ids.empty() && !options_.panels.empty())
        first_.push_back(
            panel(fmt::format("{}  Dice {:.3f}", conditions_[i].name, score.confusion.dice()),
                  shown, map));
    }
    table_.ids.push_back(decoded.pair.id);
    if (const std::optional<Image> skin = bare_skin(scene, seed))
      count_found(*skin, decoded.pair.id, &table_.frames.front());
  }

  // Frames that no picture is needed for, and the table of all.
  const ConditionTable& finish() {
    count_all("even colour", even_frames());
    count_all("black", black_frames());
    count_all("noise", noise_frames());
    return table_;
  }

  double threshold() const { return predictor_.threshold(); }

  // The first picture under each condition, and up to eight frames on which a lesion was found.
  void write_pictures() const {
    if (options_.panels.empty()) return;
    write_sheet(options_.panels + "/conditions.png", first_, threshold());
    if (!found_.empty()) write_sheet(options_.panels + "/found.png", found_, threshold());
  }

 private:
  OwnedPanel panel(const std::string& caption, const Scene& shown, const ProbabilityView& map) {
    return make_panel(caption, shown.image, shown.truth, map, shown.image.width,
                      shown.image.height);
  }

  void count_all(const char* name, const std::vector<Image>& frames) {
    table_.frames.push_back({name, 0, 0});
    for (const Image& frame : frames) count_found(frame, name, &table_.frames.back());
  }

  // The element's `found`.
  void count_found(const Image& frame, const std::string& name, FrameCount* count) {
    constexpr std::size_t kShown = 8;
    const ProbabilityView map = predictor_.probabilities(frame);
    ++count->frames;
    if (!predictor_.measure(frame.width, frame.height).found) return;
    ++count->found;
    if (options_.panels.empty() || found_.size() == kShown) return;
    const Image no_lesion{frame.width, frame.height, 1,
                          std::vector<std::uint8_t>(frame.pixels.size() / 3)};
    found_.push_back(panel(name + ", without a lesion", {frame, no_lesion}, map));
  }

  const EvaluateOptions& options_;
  Predictor predictor_;
  Scorer scorer_;
  std::vector<Condition> conditions_;
  ConditionTable table_;
  std::vector<OwnedPanel> first_, found_;
};

}  // namespace

int evaluate_conditions(const EvaluateOptions& options) {
  const std::vector<Pair> pairs = pairs_to_score(options);
  ConditionScoring scoring(options);
  if (!for_each_pair_to_score(options, pairs,
                              [&](const DecodedPair& decoded) { scoring.score(decoded); }))
    return interrupted_exit_code();
  const ConditionTable& table = scoring.finish();
  fmt::print("n = {} images, scored at 512 pixels at most, threshold {}\n\n{}", table.ids.size(),
             scoring.threshold(), to_text(table));
  if (!options.csv.empty()) write_file_atomically(options.csv, to_csv(table));
  scoring.write_pictures();
  return kOk;
}

}  // namespace unetseg::trainer
