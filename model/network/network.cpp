// SPDX-License-Identifier: MIT
#include "model/network/network.h"

#include <set>

#include "model/error.h"
#include "model/network/improved_unet.h"
#include "model/network/seed_unet.h"

namespace unetseg {
namespace {

std::string text(at::IntArrayRef shape) {
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

std::unique_ptr<Network> make_network(const std::string& architecture, int base_width,
                                      const Parameters& parameters) {
  const std::vector<ParameterLayout> layout = network_layout(architecture, base_width);
  std::vector<std::string> differences;
  std::set<std::string> expected;
  for (const ParameterLayout& parameter : layout) {
    expected.insert(parameter.name);
    const auto found = parameters.find(parameter.name);
    if (found == parameters.end())
      differences.push_back(parameter.name + " is missing");
    else if (found->second.sizes() != at::IntArrayRef(parameter.shape))
      differences.push_back(parameter.name + " is " + text(found->second.sizes()) + " where " +
                            text(parameter.shape) + " is needed");
  }
  for (const auto& parameter : parameters)
    if (!expected.count(parameter.first))
      differences.push_back(parameter.first + " is not part of the network");
  if (!differences.empty())
    throw Error(Fault::settings, "the tensors do not fit " + architecture + " of base width " +
                                     std::to_string(base_width) + " (" + summary(differences) +
                                     ")");
  if (architecture == "seed-unet") return std::make_unique<SeedUnet>(parameters);
  return std::make_unique<ImprovedUnet>(parameters);
}

}  // namespace unetseg
