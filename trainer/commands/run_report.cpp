// SPDX-License-Identifier: MIT
#include "trainer/commands/run_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "model/storage/atomic_file.h"
#include "trainer/commands/durations.h"
#include "trainer/commands/panel_sheets.h"
#include "trainer/commands/say.h"
#include "trainer/report/pictures.h"
#include "trainer/report/progress.h"
#include "trainer/train/collapse.h"
#include "trainer/train/run_card.h"

namespace unetseg::trainer {

struct RunReport::Live {
  Live(bool is_quiet, int batch_size)
      : quiet(is_quiet), line("training", is_quiet, {nullptr, {}, {batch_size, " images"}}) {}
  const bool quiet;
  ProgressLine line;
  double smoothed_loss = std::nan(""), best_jaccard = std::nan("");
};

RunReport::RunReport(std::string folder, const DecodedSet& validation, const Config& config,
                     bool quiet)
    : folder_(std::move(folder)),
      validation_(validation),
      threshold_(threshold_of(config)),
      live_(std::make_unique<Live>(quiet, config.batch_size)) {}

RunReport::~RunReport() = default;

RunEvents RunReport::events() {
  RunEvents events;
  events.step = [this](const StepInfo& info) {
    double& loss = live_->smoothed_loss;
    if (std::isfinite(info.loss))
      loss = std::isfinite(loss) ? 0.95 * loss + 0.05 * info.loss : info.loss;
    std::string text = fmt::format("loss {:.4f}", loss);
    if (std::isfinite(live_->best_jaccard))
      text += fmt::format("  best Jaccard {:.4f}", live_->best_jaccard);
    live_->line.update(static_cast<std::size_t>(info.step),
                       static_cast<std::size_t>(info.total_steps), text);
  };
  if (!live_->quiet)
    events.estimate = [this](const RunEstimate& estimate) { on_estimate(estimate); };
  events.views = [this](const Batch& views) { on_first_views(views); };
  events.epoch = [this](const ProgressState& state, const std::vector<ImageScore>& scores,
                        const std::vector<std::vector<float>>& maps) {
    on_epoch(state, scores, maps);
  };
  events.note = [this](const std::string& text) { print(text); };
  return events;
}

void RunReport::print(const std::string& line) const {
  live_->line.print(line);
  log_line(line);
}

void RunReport::on_estimate(const RunEstimate& estimate) const {
  print(fmt::format(
      "{} steps{}, {:.1f} epochs of {}: about {}", estimate.steps_left,
      estimate.steps_left < estimate.total_steps ? " left" : "",
      static_cast<double>(estimate.steps_left) / static_cast<double>(estimate.steps_per_epoch),
      estimate.steps_per_epoch, duration_text(estimate.seconds)));
}

void RunReport::on_first_views(const Batch& views) const {
  const at::Tensor images =
      (views.images * 255).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous();
  const at::Tensor truth = (views.target * 255).round().to(at::kByte).contiguous();
  std::vector<GalleryPicture> pictures;
  for (std::int64_t i = 0; i < images.size(0); ++i)
    pictures.push_back({images[i].data_ptr<std::uint8_t>(), truth[i].data_ptr<std::uint8_t>()});
  write_gallery(folder_ + "/augmentation.png", static_cast<int>(images.size(2)),
                static_cast<int>(images.size(1)), pictures);
}

void RunReport::on_epoch(const ProgressState& state, const std::vector<ImageScore>& scores,
                         const std::vector<std::vector<float>>& probabilities) {
  const EpochRecord& record = state.history.back();
  if (state.best_epoch > 0)
    live_->best_jaccard =
        state.history[static_cast<std::size_t>(state.best_epoch - 1)].validation_jaccard;
  print(fmt::format(
      "epoch {:3}  step {}/{}  loss {:.4f}  validation: loss {:.4f} Dice {:.4f} Jaccard {:.4f}{}  "
      "{:.1f} images/s  {}",
      record.epoch, record.step, state.total_steps, record.train_loss, record.validation_loss,
      record.validation_dice, record.validation_jaccard,
      state.best_epoch == record.epoch ? " (best)" : "", record.images_per_second,
      duration_text(record.seconds)));
  write_file_atomically(folder_ + "/metrics.csv", metrics_csv(state.history));
  write_pictures(state);
  std::vector<PanelRow> rows;
  const std::size_t pixels = static_cast<std::size_t>(validation_.width) * validation_.height;
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    rows.push_back({panel_caption(scores[i]), validation_.width, validation_.height,
                    validation_.images.data() + 3 * pixels * i,
                    validation_.masks.data() + pixels * i, probabilities[i].data()});
  if (!rows.empty())
    write_panel(fmt::format("{}/panels/epoch-{:04}.png", folder_, record.epoch), rows, threshold_);
}

void RunReport::write_pictures(const ProgressState& state) const {
  Series train{"training loss", {}, {}, false}, loss{"validation loss", {}, {}, false};
  Series dice{"validation Dice", {}, {}, true}, jaccard{"validation Jaccard", {}, {}, true};
  for (const EpochRecord& record : state.history) {
    const auto add = [&](Series* series, double y) {
      if (std::isnan(y)) return;
      series->x.push_back(static_cast<double>(record.epoch));
      series->y.push_back(y);
    };
    add(&train, record.train_loss);
    add(&loss, record.validation_loss);
    add(&dice, record.validation_dice);
    add(&jaccard, record.validation_jaccard);
  }
  write_curves(folder_ + "/curves.png", "Training", "epoch", {train, loss, dice, jaccard});
}

void RunReport::finish(const TrainingRun& run) {
  live_->line.finish();
  const ProgressState& state = run.progress();
  if (state.history.empty()) return;
  say(fmt::format("{} epoch{} in {}", state.history.size(), state.history.size() == 1 ? "" : "s",
                  duration_text(state.seconds)));
  if (last_scored(state.history) == nullptr) return;
  const EpochRecord& last = *last_scored(state.history);
  if (state.best_epoch == last.epoch) {
    say(fmt::format("best epoch: the last, validation Jaccard {:.4f}", last.validation_jaccard));
  } else {
    const double best =
        state.history[static_cast<std::size_t>(state.best_epoch - 1)].validation_jaccard;
    say(fmt::format(
        "best epoch, by smoothed validation Jaccard: {} with {:.4f}, {:+.4f} against "
        "the last with {:.4f}",
        state.best_epoch, best, best - last.validation_jaccard, last.validation_jaccard));
  }
  const std::vector<std::int64_t> collapsed =
      collapsed_epochs(state.history, warm_up_steps(state.total_steps, run.config().warm_up));
  if (!collapsed.empty())
    say(
        fmt::format("warning: validation collapsed in epoch{} {}: look at curves.png, and lower "
                    "--learning-rate",
                    collapsed.size() == 1 ? "" : "s", fmt::join(collapsed, ", ")));
}

}  // namespace unetseg::trainer
