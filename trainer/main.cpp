// SPDX-License-Identifier: MIT
// unetseg-trainer: trains, scores and inspects the networks that the unetseg element runs.
#include <CLI/CLI.hpp>

#include <cstdio>

#include "trainer/commands/command_line.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/option_layers.h"
#include "trainer/commands/typo.h"
#include "trainer/commands/version.h"
#include "trainer/heap.h"

namespace {

using namespace unetseg::trainer;

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  return verbs;
}

// Where a name is none, what was probably meant; CLI11 itself would rather miss the required option
// that a mistyped one stands for. Empty where every name is one.
std::string mistyped(const CLI::App& app) {
  for (const CLI::App* verb : app.get_subcommands())
    for (const std::string& word : verb->remaining())
      if (word.rfind("--", 0) == 0) {
        const std::string name = word.substr(0, word.find('='));
        return name + " is no option of " + verb->get_name() + " (see --help)" +
               typo_hint(name, option_names(*verb));
      }
  if (!app.get_subcommands().empty() || app.remaining().empty()) return {};
  const std::string word = app.remaining().front();
  return word + " is no verb (see --help)" + typo_hint(word, verbs_of(app));
}

std::string verbs_to_choose_from(const CLI::App& app) {
  std::string text = "give a verb:";
  for (const std::string& verb : verbs_of(app)) text += " " + verb;
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  keep_command_line(argc, argv);
  CLI::App app("Trains, scores and inspects the networks that the unetseg element runs.");
  app.require_subcommand(1);
  app.set_version_flag("--version", program_version(), "Print which build this is, and exit");
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
    const std::string typo = mistyped(app);
    if (error.get_exit_code() != 0 && !typo.empty()) {
      std::fprintf(stderr, "error: %s\n", typo.c_str());
      return kConfig;
    }
    if (error.get_exit_code() == 0) return app.exit(error);  // prints help, or the version
    std::fprintf(stderr, "error: %s (see --help)\n",
                 app.get_subcommands().empty() ? verbs_to_choose_from(app).c_str() : error.what());
    return kConfig;
  }
  return run_guarded(action);
}
