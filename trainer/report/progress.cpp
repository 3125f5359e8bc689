// SPDX-License-Identifier: MIT
#include "trainer/report/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace unetseg::trainer {
namespace {

constexpr double kMemorySeconds = 60;
constexpr double kTerminalInterval = 0.1;
constexpr double kFirstPlainLine = 10, kShortestPlainInterval = 20, kLongestPlainInterval = 600;
constexpr std::size_t kBarWidth = 24;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool is_terminal(std::FILE* stream) {
  const char* kind = std::getenv("TERM");
  return isatty(fileno(stream)) == 1 && kind != nullptr && std::strcmp(kind, "dumb") != 0;
}

// Asked for at every drawing: people resize their windows.
std::size_t columns_of(std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string clock_text(double seconds) {
  const long total = std::lround(seconds);
  if (total >= 3600)
    return fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
  return fmt::format("{}:{:02}", total / 60, total % 60);
}

// Slow jobs are told in seconds per unit: "2.1 s each" says more than "0.48/s".
std::string rate_text(double rate, const std::string& name) {
  if (rate >= 100) return fmt::format("{:.0f}{}/s", rate, name);
  if (rate >= 1) return fmt::format("{:.1f}{}/s", rate, name);
  return fmt::format("{:.1f} s each", 1 / rate);
}

std::string bar(double share) {
  const std::size_t full = static_cast<std::size_t>(share * kBarWidth);
  return "[" + std::string(full, '=') + std::string(kBarWidth - full, ' ') + "]";
}

// A terminal that has gone away ends no training: what cannot be printed is lost.
void put(std::FILE* stream, const std::string& text) {
  std::fputs(text.c_str(), stream);
  std::fflush(stream);
}

}  // namespace

void RateMeter::add(double seconds, double done) {
  if (started_) {
    const double passed = seconds - last_seconds_;
    const double fade = std::exp(-passed / kMemorySeconds);
    recent_units_ = fade * recent_units_ + done - last_done_;
    recent_seconds_ = fade * recent_seconds_ + passed;
  }
  started_ = true;
  last_seconds_ = seconds;
  last_done_ = done;
}

double RateMeter::rate() const {
  return recent_seconds_ > 0 ? std::max(0.0, recent_units_ / recent_seconds_) : 0;
}

ProgressLine::ProgressLine(std::string label, bool quiet)
    : ProgressLine(std::move(label), quiet, Output{}) {}

ProgressLine::ProgressLine(std::string label, bool quiet, Output output)
    : label_(std::move(label)),
      quiet_(quiet),
      stream_(output.stream != nullptr ? output.stream : stderr),
      seconds_(output.seconds ? std::move(output.seconds) : steady_seconds),
      counted_(std::move(output.counted)),
      terminal_(is_terminal(stream_)),
      start_(seconds_()),
      next_draw_(start_ + (terminal_ ? 0 : kFirstPlainLine)) {}

ProgressLine::~ProgressLine() {
  clear();
}

void ProgressLine::update(std::size_t done, std::size_t total, const std::string& text) {
  if (quiet_) return;
  const double now = seconds_();
  meter_.add(now, static_cast<double>(done));
  if (now < next_draw_) return;
  // A log gets its first estimate early, and a few dozen lines over many hours.
  next_draw_ = now + (terminal_ ? kTerminalInterval
                                : std::clamp((now - start_) / 2, kShortestPlainInterval,
                                             kLongestPlainInterval));
  draw(now, done, total, text);
}

void ProgressLine::draw(double now, std::size_t done, std::size_t total, const std::string& text) {
  const double rate = meter_.rate();
  std::string tail;
  if (!text.empty()) tail += "  " + text;
  if (rate > 0) tail += "  " + rate_text(rate * counted_.in_each, counted_.name);
  if (rate > 0 && total > done)
    tail += "  " + clock_text(static_cast<double>(total - done) / rate) + " left";
  else
    tail += "  " + clock_text(now - start_);
  const double share =
      total > 0 ? std::min(1.0, static_cast<double>(done) / static_cast<double>(total)) : 0;
  std::string head = label_;
  if (total > 0) head += fmt::format("  {:3.0f} %", std::floor(100 * share));
  const std::string count =
      total > 0 ? fmt::format("  {}/{}", done, total) : fmt::format("  {}", done);
  if (!terminal_) {
    put(stream_, head + count + tail + "\n");
    return;
  }
  // The last column stays free: writing there wraps on some terminals.
  const std::size_t room = columns_of(stream_) - 1;
  std::string line = head + count + tail;
  if (total > 0 && line.size() + kBarWidth + 4 <= room)
    line = head + "  " + bar(share) + count + tail;
  if (line.size() > room) line.resize(room);
  put(stream_, "\r" + line + "\033[K");
  drawn_ = true;
}

void ProgressLine::clear() {
  if (!drawn_) return;
  put(stream_, "\r\033[K");
  drawn_ = false;
}

void ProgressLine::print(const std::string& line) {
  clear();
  put(stream_, line + "\n");
  if (terminal_) next_draw_ = start_;
}

void ProgressLine::finish() {
  clear();
  if (terminal_) next_draw_ = start_;
}

}  // namespace unetseg::trainer
