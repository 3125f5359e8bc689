// SPDX-License-Identifier: MIT
// Precompiled: LibTorch's headers take seconds each time they are read.
#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <string>
#include <vector>
