// SPDX-License-Identifier: MIT
#include "model/network/network.h"

#include "model/network/improved_unet.h"
#include "model/network/seed_unet.h"

namespace unetseg {

std::unique_ptr<Network> make_network(const std::string& architecture, int base_width,
                                      const Parameters& parameters) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const auto& parameter : parameters)
    shapes[parameter.first] = parameter.second.sizes().vec();
  require_layout(architecture, base_width, shapes);
  if (architecture == "seed-unet") return std::make_unique<SeedUnet>(parameters);
  return std::make_unique<ImprovedUnet>(parameters);
}

}  // namespace unetseg
