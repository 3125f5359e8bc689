// SPDX-License-Identifier: MIT
#include "trainer/report/bootstrap.h"

#include <algorithm>
#include <numeric>

#include "trainer/splitmix.h"

namespace unetseg::trainer {
namespace {

constexpr std::uint64_t kBootstrapSeed = 20170417;

}  // namespace

double quantile(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const std::size_t below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

void for_each_resample(std::size_t images,
                       const std::function<void(const std::vector<std::size_t>&)>& use) {
  SplitMix64 random(kBootstrapSeed);
  std::vector<std::size_t> draw(images);
  for (int i = 0; i < kResamples; ++i) {
    for (std::size_t& image : draw) image = random.below(images);
    use(draw);
  }
}

std::vector<std::vector<double>> resampled_means(const std::vector<std::vector<double>>& columns) {
  const std::size_t images = columns.front().size();
  std::vector<std::vector<double>> means(columns.size());
  for_each_resample(images, [&](const std::vector<std::size_t>& draw) {
    for (std::size_t m = 0; m < columns.size(); ++m) {
      double sum = 0;
      for (const std::size_t image : draw) sum += columns[m][image];
      means[m].push_back(sum / static_cast<double>(images));
    }
  });
  return means;
}

Interval with_interval(double value, std::vector<double> resampled) {
  std::sort(resampled.begin(), resampled.end());
  return {value, quantile(resampled, 0.025), quantile(resampled, 0.975)};
}

double mean_of(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Interval mean_with_interval(const std::vector<double>& values) {
  if (values.empty()) return {};
  return with_interval(mean_of(values), std::move(resampled_means({values}).front()));
}

Interval paired_difference(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> difference(a.size());
  std::transform(b.begin(), b.end(), a.begin(), difference.begin(), std::minus<>());
  return mean_with_interval(difference);
}

}  // namespace unetseg::trainer
