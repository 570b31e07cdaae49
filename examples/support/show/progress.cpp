// The terminal is asked for its width at every redraw, so resizing the window needs no signal.
#include "examples/support/show/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "examples/support/show/terminal.h"
#include "tensor/error.h"

namespace gradus::support {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr int kLongestBar = 40, kShortestBar = 8;

int terminal_columns(FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

/// Fills `fraction` of `cells` columns; in UTF-8, to an eighth of a column.
std::string bar(double fraction, int cells, bool utf8) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(fraction * cells * 8);
  std::string out;
  int drawn = 0;
  for (; drawn < eighths / 8; ++drawn) out += utf8 ? "█" : "#";
  if (utf8 && eighths % 8 > 0) {
    out += kEighths[eighths % 8];
    ++drawn;
  }
  for (; drawn < cells; ++drawn) out += utf8 ? "░" : ".";
  return out;
}

}  // namespace

std::string duration(double seconds) {
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto s = static_cast<int64_t>(seconds);
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string progress_line(std::string_view title, int64_t done, int64_t total, double elapsed,
                          std::string_view metric, int columns, bool utf8) {
  const double fraction = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1;
  std::string tail = fmt::format("{:3.0f} %", std::floor(100 * fraction));
  if (done >= total)
    tail += "  " + duration(elapsed);
  else if (done > 0)
    tail += fmt::format("  {} left", duration(elapsed * (1 - fraction) / fraction));
  if (!metric.empty()) tail += fmt::format("  {}", metric);
  const int cells = std::min(kLongestBar, columns - display_width(title) - display_width(tail) - 2);
  if (cells < kShortestBar) return fit(fmt::format("{} {}", title, tail), columns);
  return fmt::format("{} {} {}", title, bar(fraction, cells, utf8), tail);
}

Progress::Progress(std::string title, int64_t total, FILE* stream)
    : title_(std::move(title)),
      total_(total),
      stream_(stream),
      terminal_(isatty(fileno(stream)) == 1),
      utf8_(terminal_is_utf8()),
      start_(std::chrono::steady_clock::now()) {
  check<ValueError>(total >= 0, "Progress: a job of {} steps; it takes 0 or more", total);
}

Progress::~Progress() {
  if (!terminal_ || done_ == 0) return;
  std::fputc('\n', stream_);
  std::fflush(stream_);
}

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool Progress::count_step() {
  ++done_;
  if (done_ == total_) return true;
  if (terminal_) return seconds() >= next_draw_;
  return done_ * 10 >= next_tenth_ * total_ && done_ < total_;
}

void Progress::draw(std::string metric) {
  metric_ = std::move(metric);
  if (terminal_) {
    const int columns = terminal_columns(stream_) - 1;  // some terminals wrap after the last one
    fmt::print(stream_, "\r{}\033[K",
               progress_line(title_, done_, total_, seconds(), metric_, columns, utf8_));
    next_draw_ = seconds() + kRedrawSeconds;
  } else {
    const double left =
        seconds() * static_cast<double>(total_ - done_) / static_cast<double>(done_);
    const std::string time = done_ >= total_ ? duration(seconds()) : duration(left) + " left";
    fmt::print(stream_, "{} {:3} %  {}{}{}\n", title_, 100 * done_ / total_, time,
               metric_.empty() ? "" : "  ", metric_);
    next_tenth_ = done_ * 10 / total_ + 1;
  }
  std::fflush(stream_);
}

void Progress::print(std::string_view line) {
  fmt::print(stream_, "{}{}\n", terminal_ ? "\r\033[K" : "", line);
  if (terminal_ && done_ > 0) draw(metric_);
  std::fflush(stream_);
}

}  // namespace gradus::support
