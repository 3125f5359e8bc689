// SPDX-License-Identifier: MIT
// A LibTorch that came into the process before the backend module, by an application of its own.
#pragma once

#include <string>

namespace unetseg {

// The file of a LibTorch that is loaded and is not the one that the backend module was built with;
// empty where there is none. Two of them cannot live in one process: the dynamic linker makes one
// of their C++ singletons, whatever scope each is loaded into.
std::string other_libtorch();

}  // namespace unetseg
