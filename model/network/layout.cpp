// SPDX-License-Identifier: MIT
#include "model/network/layout.h"

#include <functional>
#include <numeric>
#include <set>

#include "model/error.h"

namespace unetseg {
namespace {

using Layout = std::vector<ParameterLayout>;

void add_conv(Layout& layout, const std::string& name, int in, int out, int kernel, bool bias) {
  const std::int64_t fan_in = std::int64_t{in} * kernel * kernel;
  layout.push_back(
      {name + ".weight", {out, in, kernel, kernel}, ParameterRole::conv_weight, fan_in});
  if (bias) layout.push_back({name + ".bias", {out}, ParameterRole::conv_bias, fan_in});
}

// Convolution without bias, affine InstanceNorm, LeakyReLU.
void add_cnl(Layout& layout, const std::string& name, int in, int out, int kernel) {
  add_conv(layout, name + ".conv", in, out, kernel, false);
  layout.push_back({name + ".norm.weight", {out}, ParameterRole::norm_weight, 1});
  layout.push_back({name + ".norm.bias", {out}, ParameterRole::norm_bias, 1});
}

Layout improved_unet(int width) {
  Layout layout;
  const auto channels = [width](int level) { return width << level; };
  for (int i = 0; i < kLevels; ++i) {
    const std::string stem = "encoder." + std::to_string(i);
    add_cnl(layout, stem + ".down", i == 0 ? 3 : channels(i - 1), channels(i), 3);
    add_cnl(layout, stem + ".context.a", channels(i), channels(i), 3);
    add_cnl(layout, stem + ".context.b", channels(i), channels(i), 3);
  }
  for (int i = kLevels - 2; i >= 0; --i) {
    const std::string stem = "decoder." + std::to_string(i);
    const int c = channels(i);
    add_cnl(layout, stem + ".up", channels(i + 1), c, 3);
    add_cnl(layout, stem + ".merge", 2 * c, 2 * c, 3);
    if (i > 0) add_cnl(layout, stem + ".reduce", 2 * c, c, 1);
    if (i < kLevels - 2) add_conv(layout, stem + ".segment", i == 0 ? 2 * c : c, 1, 1, true);
  }
  return layout;
}

Layout seed_unet(int width) {
  Layout layout;
  const auto channels = [width](int level) { return width << level; };
  for (int i = 0; i < kLevels; ++i) {
    const std::string stem = "encoder_block" + std::to_string(i + 1);
    add_conv(layout, stem + ".0", i == 0 ? 3 : channels(i - 1), channels(i), 3, true);
    add_conv(layout, stem + ".2.conv1", channels(i), channels(i), 3, true);
    add_conv(layout, stem + ".2.conv2", channels(i), channels(i), 3, true);
  }
  add_conv(layout, "encoder_block5.3.layers.1", channels(4), channels(3), 3, true);
  add_conv(layout, "decoder_block1.0.conv1", channels(4), channels(4), 3, true);
  add_conv(layout, "decoder_block1.0.conv2", channels(4), channels(3), 1, true);
  add_conv(layout, "decoder_block1.1.layers.1", channels(3), channels(2), 3, true);
  for (int i = 2; i >= 1; --i) {
    const std::string localisation = "localisation" + std::to_string(4 - i);
    add_conv(layout, localisation + ".conv1", channels(i + 1), channels(i + 1), 3, true);
    add_conv(layout, localisation + ".conv2", channels(i + 1), channels(i), 1, true);
    add_conv(layout, "segmentation" + std::to_string(3 - i), channels(i), 1, 1, true);
    add_conv(layout, "up" + std::to_string(5 - i) + ".layers.1", channels(i), channels(i - 1), 3,
             true);
  }
  add_conv(layout, "final_conv.0", channels(1), channels(1), 1, true);
  add_conv(layout, "final_conv.2", channels(1), 1, 1, true);
  return layout;
}

std::string text(const std::vector<std::int64_t>& shape) {
  std::string joined;
  for (const std::int64_t extent : shape)
    joined += (joined.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + joined + "]";
}

// One line for each of the first five, as many as a person reads.
std::string summary(const std::vector<std::string>& differences) {
  std::string joined = std::to_string(differences.size()) + " differences: ";
  for (std::size_t i = 0; i < differences.size() && i < 5; ++i)
    joined += (i == 0 ? "" : "; ") + differences[i];
  return joined + (differences.size() > 5 ? "; ..." : "");
}

}  // namespace

Layout network_layout(const std::string& architecture, int base_width) {
  if (base_width < 1 || base_width > 256)
    throw Error(Fault::settings,
                "base width " + std::to_string(base_width) + " is out of range: 1 to 256 channels");
  if (architecture == "improved-unet") return improved_unet(base_width);
  if (architecture == "seed-unet") return seed_unet(base_width);
  throw Error(Fault::settings, "unknown architecture '" + architecture +
                                   "': this program has improved-unet and seed-unet");
}

void require_layout(const std::string& architecture, int base_width,
                    const std::map<std::string, std::vector<std::int64_t>>& shapes) {
  std::vector<std::string> differences;
  std::set<std::string> expected;
  for (const ParameterLayout& parameter : network_layout(architecture, base_width)) {
    expected.insert(parameter.name);
    const auto found = shapes.find(parameter.name);
    if (found == shapes.end())
      differences.push_back(parameter.name + " is missing");
    else if (found->second != parameter.shape)
      differences.push_back(parameter.name + " is " + text(found->second) + " where " +
                            text(parameter.shape) + " is needed");
  }
  for (const auto& shape : shapes)
    if (!expected.count(shape.first))
      differences.push_back(shape.first + " is not part of the network");
  if (!differences.empty())
    throw Error(Fault::settings, "the tensors do not fit " + architecture + " of base width " +
                                     std::to_string(base_width) + " (" + summary(differences) +
                                     ")");
}

std::int64_t element_count(const ParameterLayout& parameter) {
  return std::accumulate(parameter.shape.begin(), parameter.shape.end(), std::int64_t{1},
                         std::multiplies<>());
}

}  // namespace unetseg
