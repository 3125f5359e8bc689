// SPDX-License-Identifier: MIT
// A shared object that is no backend module.
extern "C" int unetseg_something_else(void) {
  return 0;
}
