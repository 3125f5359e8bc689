// SPDX-License-Identifier: MIT
// Plays the scenario that is named on the command line. Says in which line it failed, and exits
// with 1 then.
#include <cstdio>
#include <exception>

#include "tests/scenarios/player.h"

namespace {

int play(const std::string& file) {
  int line = 0;
  try {
    const std::vector<Action> script = read_script(file);
    Player player;
    for (const Action& action : script) {
      line = action.line;
      player.play(action);
    }
    player.finish();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s:%d: %s\n", file.c_str(), line, error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FILE.scenario\n", argv[0]);
    return 2;
  }
  const int status = play(argv[1]);
  gst_deinit();  // what the leaks tracer waits for
  return status;
}
