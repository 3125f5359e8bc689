// SPDX-License-Identifier: MIT
// What the verb `train` can be told.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "trainer/train/config.h"

namespace CLI {
class App;
}

namespace unetseg::trainer {

struct TrainOptions {
  std::string data, output, options_file, recipe, cache_folder, groups, mask_fit = "auto";
  bool resume = false, quiet = false, dry_run = false, overfit_batch = false;
  int skip_bad = 0, seeds = 1;
  double validation_fraction = 0;
  // Puts what was given over a recipe's values, or over those of the run that is resumed. Throws
  // Error(settings).
  std::function<Config(Config)> configure;
};

// Adds the options to `verb`; they hold their values once it was parsed and read_option_layers()
// was called.
std::shared_ptr<TrainOptions> add_train_options(CLI::App* verb);

// Sets what the environment and --config say and the command line does not. Throws Error(settings),
// also where a required option is missing everywhere, Error(not_found).
void read_option_layers(CLI::App* verb, const TrainOptions& options);

}  // namespace unetseg::trainer
