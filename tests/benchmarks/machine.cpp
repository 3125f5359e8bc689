// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <fstream>
#include <thread>

#include "commit.h"
#include "tests/benchmarks/measuring.h"

namespace benchmarks {
namespace {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

}  // namespace

std::string machine() {
  std::string load = "unknown";
  std::ifstream("/proc/loadavg") >> load;
  return processor() + ", " + std::to_string(std::thread::hardware_concurrency()) +
         " cores, load " + load + "; LibTorch " UNETSEG_LIBTORCH_VERSION "; commit " UNETSEG_COMMIT;
}

}  // namespace benchmarks
