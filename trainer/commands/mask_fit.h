// SPDX-License-Identifier: MIT
// The option --mask-fit of the verbs that read images with masks.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace unetseg::trainer {

constexpr const char* kMaskFitAuto = "auto";
constexpr const char* kMaskFitStretch = "stretch";

// `*value`, one of the two, must outlive `verb`.
inline CLI::Option* add_mask_fit(CLI::App* verb, std::string* value) {
  return verb
      ->add_option(
          "--mask-fit", *value,
          "auto refuses masks of another aspect ratio than their image; stretch takes them")
      ->check(CLI::IsMember({kMaskFitAuto, kMaskFitStretch}))
      ->capture_default_str();
}

}  // namespace unetseg::trainer
