// SPDX-License-Identifier: MIT
#include "trainer/report/condition_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/data/csv.h"
#include "trainer/report/bootstrap.h"

namespace unetseg::trainer {

std::string to_text(const ConditionTable& table) {
  std::string text = fmt::format("{:<22}{:>10}  {:<36}{:>10}\n", "", "mean Dice",
                                 "less plain (paired 95 % interval)", "Dice < 0.5");
  for (const ConditionScores& condition : table.conditions) {
    std::string difference;
    if (&condition != &table.conditions.front()) {
      const Interval interval = paired_difference(table.conditions.front().dice, condition.dice);
      difference =
          fmt::format("{:+.4f}  ({:+.4f} to {:+.4f})", interval.mean, interval.low, interval.high);
    }
    text += fmt::format("{:<22}{:>10.4f}  {:<36}{:>10}\n", condition.name, mean_of(condition.dice),
                        difference,
                        std::count_if(condition.dice.begin(), condition.dice.end(),
                                      [](double dice) { return dice < 0.5; }));
  }
  text += fmt::format("\n{:<22}{:>10}  {}\n", "frames without lesion", "frames", "nothing found");
  for (const FrameCount& count : table.frames) {
    const std::size_t right = count.frames - count.found;
    text += fmt::format("{:<22}{:>10}  {}\n", count.name, count.frames,
                        count.frames == 0 ? "-"
                                          : fmt::format("{:.1f} %  ({})",
                                                        100.0 * static_cast<double>(right) /
                                                            static_cast<double>(count.frames),
                                                        right));
  }
  return text;
}

std::string to_csv(const ConditionTable& table) {
  std::string csv = "id,condition,dice\n";
  for (const ConditionScores& condition : table.conditions)
    for (std::size_t i = 0; i < table.ids.size(); ++i)
      csv += fmt::format("{},{},{:.6f}\n", csv_field(table.ids[i]), csv_field(condition.name),
                         condition.dice[i]);
  return csv;
}

}  // namespace unetseg::trainer
