// SPDX-License-Identifier: MIT
// What the parts of test_device share.
#pragma once

#include <ATen/ATen.h>

#include <cstdlib>
#include <string>

#include "model/engine/engine.h"

#include "tests/check.h"

// What UNETSEG_TEST_DEVICE says; empty: nothing.
inline std::string asked_device() {
  const char* name = std::getenv("UNETSEG_TEST_DEVICE");
  return name != nullptr ? name : "";
}

inline at::Device device() {
  return at::Device(unetseg::probe_device(asked_device(), nullptr));
}

// Every engine of the device: parity, reruns, memory, faults; and a table of times.
TCase* engine_cases();

// Training steps: operations, gradients, whole steps, a run.
TCase* training_cases();
