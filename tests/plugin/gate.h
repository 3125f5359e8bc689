// SPDX-License-Identifier: MIT
// Inferences of the fake network that last until the test says so.
#pragma once

#include "tests/temporary_folder.h"

#include "tests/plugin/bench.h"

// Lets one inference at a time through, when the test says so.
class Gate {
 public:
  std::string script() const { return "fake:gate=" + folder_.path(); }
  void open() {
    std::ofstream(folder_.path() + "/go");
    wait_for_file(folder_.path() + "/done");
  }
  void wait_until_begun() { wait_for_file(folder_.path() + "/begun"); }
  // The next inference waits again.
  void close() {
    for (const char* file : {"/go", "/done", "/begun"})
      std::filesystem::remove(folder_.path() + file);
  }

 private:
  TemporaryFolder folder_;
};
