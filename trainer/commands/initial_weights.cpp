// SPDX-License-Identifier: MIT
#include "trainer/commands/initial_weights.h"

#include <fmt/format.h>

#include "model/error.h"
#include "model/network/stored_parameters.h"
#include "model/storage/model_card.h"
#include "model/storage/safetensors.h"
#include "trainer/commands/say.h"
#include "trainer/train/widen.h"

namespace unetseg::trainer {
namespace {

void require_fit(const ModelCard& card, const Config& config) {
  if (card.fit != UNETSEG_FIT_STRETCH)
    throw Error(Fault::settings,
                fmt::format("{} takes pictures with fit={}, and training stretches them: start "
                            "from weights with fit=stretch",
                            config.init, fit_name(card.fit)));
  if (card.architecture != config.architecture)
    throw Error(
        Fault::settings,
        fmt::format("{} is of the architecture {}, and the run's network is {}: give "
                    "--architecture {}, or other weights to start from",
                    config.init, card.architecture, config.architecture, card.architecture));
  if (card.base_width > config.base_width)
    throw Error(Fault::settings,
                fmt::format("{} is of width {}, too wide for a run of width {}: leave --width out",
                            config.init, card.base_width, config.base_width));
  if (card.base_width < config.base_width && card.architecture != "improved-unet")
    throw Error(Fault::settings,
                fmt::format("{} is of width {}, and only an improved-unet can be widened: leave "
                            "--width out",
                            config.init, card.base_width));
}

}  // namespace

Config shaped_like(const std::string& path, Config base) {
  const ModelCard card = card_of(read_safetensors(path));
  base.base_width = card.base_width;
  base.input_width = card.input_width;
  base.input_height = card.input_height;
  return base;
}

InitialWeights::InitialWeights(Config* config) {
  const SafetensorsFile file = read_safetensors(config->init);
  card_ = card_of(file);
  require_fit(card_, *config);
  config->init_sha256 = tensors_sha256(file);
  parameters_ = parameters_of(file);
  make_network(card_.architecture, card_.base_width, parameters_);  // checks names and shapes
  say(fmt::format(
      "begins with {}: width {}{}, input {}x{}", config->init, card_.base_width,
      card_.base_width < config->base_width
          ? fmt::format(", widened to {} without a change of what it finds", config->base_width)
          : "",
      config->input_width, config->input_height));
}

Parameters InitialWeights::for_run(const Config& config) const {
  if (card_.base_width == config.base_width) return parameters_;
  return widened(parameters_, card_.base_width, config.base_width, config.seed);
}

}  // namespace unetseg::trainer
