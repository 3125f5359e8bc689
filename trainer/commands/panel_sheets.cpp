// SPDX-License-Identifier: MIT
#include "trainer/commands/panel_sheets.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/frame/sampler.h"
#include "trainer/predict/frame_view.h"
#include "trainer/report/pictures.h"

namespace unetseg::trainer {

std::string panel_caption(const ImageScore& score) {
  return fmt::format("{}  Dice {:.3f}", score.id, score.confusion.dice());
}

OwnedPanel make_panel(std::string caption, const Image& image, const Image& truth,
                      const ProbabilityView& map, int width, int height) {
  OwnedPanel panel;
  panel.caption = std::move(caption);
  panel.image = {width, height, 3,
                 std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
  Sampler sampler(width, height);
  sampler.sample_rgb8(frame_of(image), panel.image.pixels.data());
  std::vector<std::uint8_t> coverage(panel.image.pixels.size());
  sampler.sample_rgb8(frame_of(truth), coverage.data());
  for (std::size_t i = 0; i < coverage.size(); i += 3) panel.truth.push_back(coverage[i]);
  Upsampler upsampler;
  upsampler.configure(map, width, height);
  for (int y = 0; y < height; ++y) {
    const float* row = upsampler.row(y);
    panel.probabilities.insert(panel.probabilities.end(), row, row + width);
  }
  return panel;
}

void write_sheet(const std::string& path, const std::vector<OwnedPanel>& panels, double threshold) {
  std::vector<PanelRow> rows;
  for (const OwnedPanel& panel : panels)
    rows.push_back({panel.caption, panel.image.width, panel.image.height, panel.image.pixels.data(),
                    panel.truth.data(), panel.probabilities.data()});
  write_panel(path, rows, threshold);
}

void WorstPanels::add(double dice, OwnedPanel panel) {
  if (!wants(dice)) return;
  if (panels_.size() == kWorst) panels_.pop_back();
  const auto place =
      std::upper_bound(panels_.begin(), panels_.end(), dice,
                       [](double value, const Scored& other) { return value < other.dice; });
  panels_.insert(place, {dice, std::move(panel)});
}

void WorstPanels::write(const std::string& folder, double threshold) {
  constexpr std::size_t kRows = 8;
  for (std::size_t first = 0; first < panels_.size(); first += kRows) {
    std::vector<OwnedPanel> sheet;
    for (std::size_t i = first; i < std::min(panels_.size(), first + kRows); ++i)
      sheet.push_back(std::move(panels_[i].panel));
    write_sheet(fmt::format("{}/worst-{:02}.png", folder, first + 1), sheet, threshold);
  }
}

}  // namespace unetseg::trainer
