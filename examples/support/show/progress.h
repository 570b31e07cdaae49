#pragma once
// How far a long job is. On a terminal: one line that redraws itself, at most ten times a second,
//   training ███████████▌░░░░░░░░  58 %  0:21 left  loss 0.412
// and in a pipe or a file: a plain line about every tenth of the way. The time left assumes that
// the remaining steps take as long as those done: left = elapsed · (total - done) / done.
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace gradus::support {

/// What the bar's line says; a pure function, so that it can be tested without a terminal. The bar
/// gets the columns that the words leave (at most 40; none below 8), and the line never exceeds
/// `columns`. `utf8` chooses between "█" and "#".
std::string progress_line(std::string_view title, int64_t done, int64_t total, double elapsed,
                          std::string_view metric, int columns, bool utf8);

/// Seconds as people say them: "0.42 s", "12.3 s", "4:07", "1:02:09".
std::string duration(double seconds);

class Progress {
 public:
  /// `total` steps, at least 0. Draws on `stream`: a bar where that is a terminal, else plain
  /// lines.
  Progress(std::string title, int64_t total, FILE* stream = stdout);
  ~Progress();  // leaves the finished bar (or, after an error, the last one) and a new line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// One step more is done. The metric is formatted only when it is about to be shown:
  ///   bar.step("loss {:.3f}", loss);
  template <class... Args>
  void step(fmt::format_string<Args...> format, Args&&... args) {
    if (advance()) draw(fmt::format(format, std::forward<Args>(args)...));
  }
  void step() {
    if (advance()) draw(metric_);
  }

  /// A line of its own above the bar, for what is worth keeping.
  void print(std::string_view line);

  /// Seconds since the construction.
  double seconds() const;

 private:
  bool advance();  // counts; true when it is time to show something
  void draw(std::string metric);

  std::string title_, metric_;
  int64_t done_ = 0, total_;
  FILE* stream_;
  bool terminal_, utf8_;
  std::chrono::steady_clock::time_point start_;
  double next_draw_ = 0;    // terminal: seconds
  int64_t next_tenth_ = 1;  // pipe: the tenth that is announced next
};

}  // namespace gradus::support
