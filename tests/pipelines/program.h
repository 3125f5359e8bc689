// SPDX-License-Identifier: MIT
// A program of this project, run as a person at a terminal would.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/check.h"

// The same command, whose output will hold its errors too.
inline std::vector<std::string> with_errors(std::vector<std::string> command) {
  command.insert(command.begin(), {"/bin/sh", "-c", "exec \"$0\" \"$@\" 2>&1"});
  return command;
}

// Ended with the object, if it still runs.
class Program {
 public:
  explicit Program(std::vector<std::string> command) {
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    GError* error = nullptr;
    g_spawn_async_with_pipes(nullptr, argv.data(), nullptr, G_SPAWN_DO_NOT_REAP_CHILD, nullptr,
                             nullptr, &pid_, &in_, &out_, nullptr, &error);
    ck_assert_msg(error == nullptr, "%s", error ? error->message : "");
  }
  ~Program() {
    if (pid_ != 0) kill(pid_, SIGKILL);
    if (pid_ != 0) exit_code();
    close(in_);
    close(out_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void type(const std::string& keys) {
    ck_assert_int_eq(write(in_, keys.data(), keys.size()), static_cast<long>(keys.size()));
  }
  void interrupt() { kill(pid_, SIGINT); }

  // Reads what it prints until that holds `text` once more. Check ends a test that waits in vain.
  void wait_for(const std::string& text) {
    for (;;) {
      const std::size_t at = output_.find(text, seen_);
      if (at != std::string::npos) {
        seen_ = at + text.size();
        return;
      }
      ck_assert_msg(read_more(), "it ended without '%s': %s", text.c_str(), output_.c_str());
    }
  }
  // All that it has printed, to its end.
  const std::string& output() {
    while (read_more()) {
    }
    return output_;
  }
  // Waits for its end; minus the number of a signal that ended it.
  int exit_code() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  bool read_more() {
    char bytes[4096];
    const ssize_t n = read(out_, bytes, sizeof bytes);
    if (n > 0) output_.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }

  GPid pid_ = 0;
  gint in_ = -1, out_ = -1;
  std::string output_;
  std::size_t seen_ = 0;
};
