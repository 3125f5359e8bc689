// SPDX-License-Identifier: MIT
// unetseg-trainer: trains, scores and inspects the networks that the unetseg element runs.
#include <CLI/CLI.hpp>

#include "trainer/commands/commands.h"
#include "trainer/heap.h"

int main(int argc, char** argv) {
  using namespace unetseg::trainer;
  keep_freed_memory();
  CLI::App app("Trains, scores and inspects the networks that the unetseg element runs.");
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  Action action;
  add_train(app, &action);
  add_evaluate(app, &action);
  add_predict(app, &action);
  add_synthesize(app, &action);
  add_check(app, &action);
  add_cache(app, &action);
  add_inspect(app, &action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);  // prints help or what is wrong
    return code == 0 ? kOk : kConfig;
  }
  return run_guarded(action);
}
