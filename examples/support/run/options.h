#pragma once
// What every example has around its lesson: options, the first line, verdicts, an exit status.
//
//   int lesson(Example& app) {
//     int64_t steps = 300;
//     app.option("--steps", steps, "gradient steps", {.fast = 20, .min = 1});
//     app.parse();
//     …
//     app.verdict(accuracy >= 0.97, fmt::format("accuracy {:.4f} >= 0.97", accuracy));
//     return app.finish();
//   }
//   int main(int argc, char** argv) {
//     return run(argc, argv, "01_logistic_regression", "what it teaches, in one line", lesson);
//   }
//
// Exit status: 0; 1 for an error, or a missed target under --check; 2 for wrong use; 130 for
// Ctrl-C, 143 for SIGTERM.
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradus::support {

/// What an option may be, both ends included; and what it is under --fast, unless the user says
/// otherwise.
template <class T>
struct Limits {
  std::optional<T> fast = {};
  T min = std::numeric_limits<T>::lowest();
  T max = std::numeric_limits<T>::max();
};

class Example {
 public:
  Example(int argc, char** argv, std::string name, std::string summary);
  ~Example();
  Example(const Example&) = delete;
  Example& operator=(const Example&) = delete;

  // The value of a variable when it is registered is the option's default. Register before parse();
  // the variable must outlive it.
  void option(const std::string& name, int64_t& value, const std::string& help,
              Limits<int64_t> limits = {});
  void option(const std::string& name, double& value, const std::string& help,
              Limits<double> limits = {});
  /// With an `example`, which help and errors show, a text of blanks alone is wrong use.
  void option(const std::string& name, std::string& value, const std::string& help,
              const std::string& example = {});
  void choice(const std::string& name, std::string& value, const std::vector<std::string>& allowed,
              const std::string& help);
  void flag(const std::string& name, bool& value, const std::string& help);

  /// Reads the command line, makes the output folder, seeds the generator, sets the threads and
  /// prints the first line. --help and wrong use end the program here. IoError, before any work is
  /// lost, if the folder cannot be made or written. If it holds an earlier run's results, this run
  /// may only want to read them, so there it is a warning.
  void parse();

  /// The command line again, to be typed in a shell, without some of its options.
  std::string command(const std::vector<std::string>& without) const;
  /// Whether the command line names this option.
  bool given(const std::string& name) const;
  /// The values of number options as text, to keep with what a run saves: {"--steps": "300"}.
  std::map<std::string, std::string> settings(const std::vector<std::string>& names) const;
  /// Gives options the values that settings() kept in an earlier run, whatever their defaults.
  /// ValueError if the command line asks for another value, IoError if there is no valid one; both
  /// end in `advice`.
  void adopt(const std::map<std::string, std::string>& earlier,
             const std::vector<std::string>& names, const std::string& advice);

  uint64_t seed() const { return seed_; }
  bool fast() const { return fast_; }
  bool checking() const { return check_; }
  /// The path of a file in the output folder (--out).
  std::filesystem::path out(const std::string& file) const;

  /// Notes a verdict: `what` reads like "accuracy 0.9737 >= 0.97". Where a fast run is held to less
  /// than the lesson's target, `full_target` names that: a fast run adds that it was not measured.
  void verdict(bool ok, const std::string& what, const std::string& full_target = "");
  /// Prints the verdicts and the time taken; returns the exit status.
  int finish();

 private:
  struct CommandLine;  // CLI11 stays out of this header: it costs seconds per file that sees it
  struct Verdict {
    bool ok;
    std::string what;
  };
  std::string name_;
  std::unique_ptr<CommandLine> command_line_;
  std::vector<Verdict> verdicts_;
  uint64_t seed_ = 1;
  int64_t threads_ = 0;
  std::string device_ = "cpu", out_;
  bool fast_ = false, check_ = false;
};

/// main in one line: builds the Example, runs the lesson, turns every exception into one line
/// "error: …" on stderr and an exit status.
int run(int argc, char** argv, const std::string& name, const std::string& summary,
        int (*lesson)(Example&));

}  // namespace gradus::support
