// SPDX-License-Identifier: MIT
// Precompiled: what every verb includes and costs most to compile.
#include <ATen/ATen.h>
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
