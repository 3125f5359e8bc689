// SPDX-License-Identifier: MIT
#include "tests/scenarios/script.h"

#include <cctype>
#include <fstream>
#include <sstream>

namespace {

Action make_action(int line, const std::string& text) {
  Action action = {line, {}, {}};
  std::istringstream words(text);
  for (std::string word; words >> word;) action.words.push_back(word);
  if (action.words.size() > 1)
    action.rest = text.substr(text.find(action.words[1], action.words[0].size()));
  return action;
}

// Lines without comments, those that go on joined.
std::vector<Action> read_lines(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw ScenarioError(file + ": cannot be read");
  std::vector<Action> actions;
  std::string text;
  int number = 0, begin = 0;
  const auto finish = [&] {
    if (!text.empty()) actions.push_back(make_action(begin, text));
    text.clear();
  };
  for (std::string line; std::getline(in, line);) {
    ++number;
    line.erase(std::min(line.find('#'), line.size()));
    line.erase(line.find_last_not_of(" \t") + 1);
    if (line.empty()) continue;
    if (std::isspace(static_cast<unsigned char>(line[0])) && text.rfind("launch", 0) == 0) {
      text += ' ' + line.substr(line.find_first_not_of(" \t"));
      continue;
    }
    finish();
    text = line;
    begin = number;
  }
  finish();
  return actions;
}

}  // namespace

std::vector<Action> read_script(const std::string& file) {
  std::vector<Action> script, body;
  int times = 0;  // 0: not in a repetition
  for (const Action& action : read_lines(file)) {
    if (action.words[0] == "repeat") {
      if (times > 0 || action.words.size() != 2 || (times = std::stoi(action.words[1])) < 1)
        throw ScenarioError(file + ":" + std::to_string(action.line) + ": repeat N ... end");
    } else if (action.words[0] == "end") {
      for (; times > 0; --times) script.insert(script.end(), body.begin(), body.end());
      body.clear();
    } else {
      (times > 0 ? body : script).push_back(action);
    }
  }
  if (times > 0) throw ScenarioError(file + ": a repeat without end");
  return script;
}
