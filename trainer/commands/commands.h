// SPDX-License-Identifier: MIT
// The verbs of unetseg-trainer: each adds itself to the command line and runs as a function.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace unetseg::trainer {

// Exit codes that scripts rely on; kFailed: what was to be found out is not so. 129, 130 and 143
// are those of SIGHUP, SIGINT and SIGTERM.
enum ExitCode { kOk = 0, kFailed = 1, kConfig = 2, kData = 3, kInputOutput = 4, kDiverged = 5 };

// Set by the verb that the command line names; run after parsing. Returns the exit code.
using Action = std::function<int()>;

void add_train(CLI::App& app, Action* action);
void add_evaluate(CLI::App& app, Action* action);
void add_predict(CLI::App& app, Action* action);
void add_synthesize(CLI::App& app, Action* action);
void add_check(CLI::App& app, Action* action);
void add_cache(CLI::App& app, Action* action);
void add_inspect(CLI::App& app, Action* action);

// Runs `action`, prints a failure as one "error:" line on stderr (a data set's faults as a list
// before it), and returns the exit code that the failure stands for.
int run_guarded(const Action& action);

}  // namespace unetseg::trainer
