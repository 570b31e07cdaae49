#pragma once
// How far a long job has come. On a terminal this is one line that redraws itself, at most ten
// times a second:
//   training ███████████▌░░░░░░░░  58 %  0:21 left  loss 0.412
// In a pipe or a file it is a plain line about every tenth of the way. The time left assumes that
// the remaining steps take as long as the steps so far: left = elapsed · (total - done) / done.
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace gradus::support {

/// The line that the bar draws, as a pure function, so that it can be tested without a terminal.
/// The bar gets the columns that the words leave, at most 40; below 8 there is no bar. The line is
/// never wider than `columns`. `utf8` chooses "█" over "#".
std::string progress_line(std::string_view title, int64_t done, int64_t total, double elapsed,
                          std::string_view metric, int columns, bool utf8);

/// A time as people write it: "0.42 s", "12.3 s", "4:07", "1:02:09".
std::string duration(double seconds);

class Progress {
 public:
  /// A job of `total` steps. On a terminal `stream` shows a bar, otherwise plain lines. Throws
  /// ValueError if `total` is negative.
  Progress(std::string title, int64_t total, FILE* stream = stdout);
  ~Progress();  // ends the line, so that the last bar stays
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// One more step is done. The message is only formatted when it is about to be shown:
  ///   bar.step("loss {:.3f}", loss);
  template <class... Args>
  void step(fmt::format_string<Args...> format, Args&&... args) {
    if (count_step()) draw(fmt::format(format, std::forward<Args>(args)...));
  }
  void step() {
    if (count_step()) draw(metric_);
  }

  /// Prints a line above the bar, where it stays.
  void print(std::string_view line);

  /// Seconds since construction.
  double seconds() const;

 private:
  bool count_step();  // true when it is time to show something
  void draw(std::string metric);

  std::string title_, metric_;
  int64_t done_ = 0, total_;
  FILE* stream_;
  bool terminal_, utf8_;
  std::chrono::steady_clock::time_point start_;
  double next_draw_ = 0;    // on a terminal: when, in seconds
  int64_t next_tenth_ = 1;  // in a pipe: the tenth that is announced next
};

}  // namespace gradus::support
