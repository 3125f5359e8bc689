// SPDX-License-Identifier: MIT
// The built unetseg-trainer as a program: started with arguments, its output and exit code kept.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/check.h"
#include "tests/temporary_folder.h"

inline std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline void cut_in_half(const std::string& path) {
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
}

struct Outcome {
  int code;  // 128 + the signal where one ended the program
  std::string out, err;
};

// A trainer that runs beside the test; ended where the test ends first.
class TrainerProcess {
 public:
  explicit TrainerProcess(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), UNETSEG_TRAINER);
    const std::string out = output_.path() + "/out", err = output_.path() + "/err";
    process_ = fork();
    ck_assert_int_ge(process_, 0);
    if (process_ > 0) return;
    dup2(open(out.c_str(), O_CREAT | O_WRONLY, 0600), STDOUT_FILENO);
    dup2(open(err.c_str(), O_CREAT | O_WRONLY, 0600), STDERR_FILENO);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  ~TrainerProcess() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      waitpid(process_, nullptr, 0);
    }
  }
  TrainerProcess(const TrainerProcess&) = delete;
  TrainerProcess& operator=(const TrainerProcess&) = delete;

  // All of them reach the trainer before it takes another step.
  void send_together(const std::vector<int>& signals) {
    send(SIGSTOP);
    int status = 0;
    ck_assert_int_eq(waitpid(process_, &status, WUNTRACED), process_);
    ck_assert(WIFSTOPPED(status));
    for (const int signal : signals) send(signal);
    send(SIGCONT);
  }

  void send(int signal) { ck_assert_int_eq(::kill(process_, signal), 0); }

  // Returns when the file is there; the test fails where the trainer ends without it.
  void wait_for(const std::string& path) {
    while (!std::filesystem::exists(path)) {
      int status = 0;
      const pid_t ended = waitpid(process_, &status, WNOHANG);
      if (ended == process_) process_ = 0;
      ck_assert_msg(ended == 0, "the trainer ended without %s: %s", path.c_str(),
                    text_of(output_.path() + "/err").c_str());
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  Outcome wait() {
    int status = 0;
    ck_assert_int_eq(waitpid(process_, &status, 0), process_);
    process_ = 0;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            text_of(output_.path() + "/out"), text_of(output_.path() + "/err")};
  }

 private:
  TemporaryFolder output_;
  pid_t process_ = 0;
};

inline Outcome run_trainer(const std::vector<std::string>& arguments) {
  return TrainerProcess(arguments).wait();
}

// Exit codes are what scripts rely on; what was printed says why another one came.
inline void assert_code(const Outcome& outcome, int code) {
  ck_assert_msg(outcome.code == code, "exit code %d instead of %d\n%.1500s%.1500s", outcome.code,
                code, outcome.out.c_str(), outcome.err.c_str());
}

inline void assert_in(const std::string& words, const std::string& text) {
  ck_assert_msg(text.find(words) != std::string::npos, "'%s' is not in:\n%.3000s", words.c_str(),
                text.c_str());
}

// The number behind the first occurrence of `words`.
inline double number_after(const std::string& words, const std::string& text) {
  const std::size_t place = text.find(words);
  ck_assert_msg(place != std::string::npos, "'%s' is not in:\n%s", words.c_str(), text.c_str());
  return std::strtod(text.c_str() + place + words.size(), nullptr);
}

// One "error:" line, the last one on stderr, with these words.
inline void assert_error(const Outcome& outcome, int code, const std::string& words) {
  assert_code(outcome, code);
  const std::size_t begin = outcome.err.rfind("error: ");
  ck_assert_msg(begin != std::string::npos, "no error line: %s", outcome.err.c_str());
  ck_assert_uint_eq(outcome.err.find("error: "), begin);
  ck_assert_uint_eq(outcome.err.find('\n', begin), outcome.err.size() - 1);
  assert_in(words, outcome.err);
}
