// SPDX-License-Identifier: MIT
#include "trainer/commands/image_size.h"

#include <cstdio>

#include "model/error.h"

namespace unetseg::trainer {

void parse_width_height(const std::string& text, int* width, int* height) {
  char rest = 0;
  const int fields = std::sscanf(text.c_str(), "%4dx%4d%c", width, height, &rest);
  if (fields == 1 && text.find_first_not_of("0123456789") == std::string::npos)
    *height = *width;
  else if (fields != 2)
    throw Error(Fault::settings, "--size " + text + ": give pixels as 128 or 256x192");
}

void parse_size(const std::string& text, int* width, int* height) {
  parse_width_height(text, width, height);
  for (const int side : {*width, *height})
    if (side < 32 || side > 1024 || side % 16 != 0)
      throw Error(Fault::settings,
                  "--size " + text + ": each side must be a multiple of 16 from 32 to 1024");
}

}  // namespace unetseg::trainer
