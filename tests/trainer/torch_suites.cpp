// SPDX-License-Identifier: MIT
#include "tests/trainer/torch_suites.h"

#include <cstdio>
#include <cstring>

namespace {

struct Named {
  const char* name;
  Suite* (*make)();
};
const Named kSuites[] = {{"network", network_suite},
                         {"norm_activate", norm_activate_suite},
                         {"training_operations", training_operations_suite},
                         {"fused", fused_suite},
                         {"cuda_conv", cuda_conv_suite},
                         {"cuda_kernels", cuda_kernels_suite},
                         {"cuda_network", cuda_network_suite},
                         {"augment", augment_suite},
                         {"batch_gradient", batch_gradient_suite},
                         {"device_step", device_step_suite},
                         {"optimizer", optimizer_suite},
                         {"training", training_suite},
                         {"checkpoint", checkpoint_suite},
                         {"teacher", teacher_suite},
                         {"widen", widen_suite}};

}  // namespace

int main(int argc, char** argv) {
  for (const Named& suite : kSuites)
    if (argc == 2 && std::strcmp(argv[1], suite.name) == 0) return run_suite(suite.make());
  for (const Named& suite : kSuites) std::fprintf(stderr, "usage: %s %s\n", argv[0], suite.name);
  return 2;
}
