// SPDX-License-Identifier: MIT
// Tells by their first bytes the formats that users mistake for safetensors.
#pragma once

#include <string>
#include <string_view>

namespace unetseg {

// `start` is the file's first bytes, 9 are enough. What the format is and what to do, as
// the end of a sentence ("is ...; ..."); empty where none is recognised. Nothing is ever loaded
// from such a file: pickles can run any program.
std::string foreign_format(std::string_view start);

}  // namespace unetseg
