// SPDX-License-Identifier: MIT
#include "trainer/commands/final_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "trainer/report/pictures.h"

namespace unetseg::trainer {
namespace {

constexpr std::size_t kWorst = 16, kSeedRows = 8;

// Image, truth and prediction of some validation images, one row each.
void write_rows(const std::string& path, const TrainingRun& run, const DecodedSet& validation,
                const std::vector<std::size_t>& indices) {
  const DecodedSet shown = samples_of(validation, indices);
  std::vector<std::vector<float>> maps;
  const ValidationResult result = run.score(shown, &maps, shown.size());
  const std::size_t pixels = static_cast<std::size_t>(shown.width) * shown.height;
  std::vector<PanelRow> rows;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const Confusion& confusion = result.scores[i].confusion;
    rows.push_back({fmt::format("{}  Dice {:.3f}  Jaccard {:.3f}", shown.ids[i], confusion.dice(),
                                confusion.jaccard()),
                    shown.width, shown.height, shown.images.data() + 3 * pixels * i,
                    shown.masks.data() + pixels * i, maps[i].data()});
  }
  write_panel(path, rows, threshold_of(run.config()));
}

std::vector<std::size_t> worst_of(const std::vector<ImageScore>& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return scores[a].confusion.dice() < scores[b].confusion.dice();
  });
  order.resize(std::min(order.size(), kWorst));
  return order;
}

void write_seed_plots(const std::string& folder, const TrainingRun& run,
                      const DecodedSet& validation) {
  Series loss{"training loss", {}, {}, false}, dice{"validation Dice", {}, {}, true};
  for (const EpochRecord& record : run.progress().history) {
    loss.x.push_back(static_cast<double>(record.epoch));
    loss.y.push_back(record.train_loss);
    if (!is_scored(record)) continue;
    dice.x.push_back(static_cast<double>(record.epoch));
    dice.y.push_back(record.validation_dice);
  }
  write_curves(folder + "/loss.png", "Mean training loss", "epoch", {loss});
  write_curves(folder + "/dice.png", "Mean validation Dice", "epoch", {dice});
  std::vector<std::size_t> first(std::min(validation.size(), kSeedRows));
  std::iota(first.begin(), first.end(), 0);
  write_rows(folder + "/predictions.png", run, validation, first);
}

}  // namespace

void write_final_pictures(const std::string& folder, const TrainingRun& run,
                          const DecodedSet& validation) {
  // A run that was resumed at its end has scored nothing: the panel of before is still there.
  if (!run.scores().empty())
    write_rows(folder + "/panels/worst.png", run, validation, worst_of(run.scores()));
  if (run.config().recipe == "seed") write_seed_plots(folder, run, validation);
}

}  // namespace unetseg::trainer
