// SPDX-License-Identifier: MIT
#include "trainer/commands/worst_panels.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "model/frame/sampler.h"
#include "trainer/predict/predictor.h"
#include "trainer/report/pictures.h"

namespace unetseg::trainer {

void WorstPanels::add(const std::string& id, double dice, const Image& image, const Image& truth,
                      const ProbabilityView& map, const ModelCard& card) {
  Panel panel{dice, fmt::format("{}  Dice {:.3f}", id, dice), {}, {}, {}};
  const int width = card.input_width, height = card.input_height;
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
  panels_.push_back(std::move(panel));
}

void WorstPanels::write(const std::string& folder, double threshold) {
  constexpr std::size_t kWorst = 16, kRows = 8;
  std::sort(panels_.begin(), panels_.end(),
            [](const Panel& a, const Panel& b) { return a.dice < b.dice; });
  panels_.resize(std::min(panels_.size(), kWorst));
  std::filesystem::create_directories(folder);
  for (std::size_t first = 0; first < panels_.size(); first += kRows) {
    std::vector<PanelRow> rows;
    for (std::size_t i = first; i < std::min(panels_.size(), first + kRows); ++i)
      rows.push_back({panels_[i].caption, panels_[i].image.width, panels_[i].image.height,
                      panels_[i].image.pixels.data(), panels_[i].truth.data(),
                      panels_[i].probabilities.data()});
    write_panel(fmt::format("{}/worst-{:02}.png", folder, first + 1), rows, threshold);
  }
}

}  // namespace unetseg::trainer
