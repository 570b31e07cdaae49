// CLI11 does the parsing. Its own number conversion accepts "-1" and 10^30 for an unsigned number
// and "nan" for a real one, so every number is checked here first.
#include "examples/support/run/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>

#include "examples/support/run/number.h"
#include "examples/support/run/stop_signals.h"
#include "examples/support/show/progress.h"
#include "examples/support/show/standard_output.h"
#include "nn/text/utf8.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "tensor/runtime.h"
#include "tensor/tensor.h"
#if defined(GRADUS_CUDA)
  #include "cuda/cuda.h"
#endif

namespace gradus::support {
namespace {

constexpr int kError = 1, kWrongUse = 2, kInterrupted = 130;

struct Stop {  // parse() leaves the lesson: help was printed, or the command line is wrong
  int status;
};

/// A CLI11 check: the empty string if `text` is one T within the limits, else what is wrong. Also
/// rewrites it ("1e3" as 1000), so that CLI11 can read it.
template <class T>
std::function<std::string(std::string&)> number_within(Limits<T> limits) {
  return [limits](std::string& text) -> std::string {
    T value{};
    const std::errc error = parse_number(text, value);
    if (error == std::errc::result_out_of_range) return fmt::format("{} is too large", text);
    if (error != std::errc()) {
      if (double real; std::is_integral_v<T> && parse_number(text, real) == std::errc())
        return fmt::format("{} is not a whole number", text);
      return fmt::format("'{}' is not a number", text);
    }
    if constexpr (std::is_floating_point_v<T>)
      if (!std::isfinite(value)) return fmt::format("{} is not a finite number", text);
    if (value < limits.min) return fmt::format("{} is less than {}", text, limits.min);
    if (value > limits.max) return fmt::format("{} is more than {}", text, limits.max);
    text = fmt::format("{}", value);
    return "";
  };
}

/// From now on every factory makes its tensors on the GPU; the examples need nothing else.
void use_cuda() {
#if defined(GRADUS_CUDA)
  cuda::install();
  set_default_device(Device::CUDA);
#else
  throw DeviceError(
      "--device cuda: this program was built without CUDA; `make CUDA=1` builds it for a GPU, "
      "`make CUDA=emulator` for the emulator, which runs on any machine");
#endif
}

/// See Example::parse.
void prepare_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  check<IoError>(!error, "--out {}: cannot make the folder: {}", folder.string(), error.message());
  if (access(folder.c_str(), W_OK | X_OK) == 0) return;
  const std::string reason = std::strerror(errno);
  check<IoError>(!std::filesystem::is_empty(folder, error), "--out {}: cannot write there: {}",
                 folder.string(), reason);
  fmt::print(stderr, "warning: --out {}: can only be read; new results will be lost: {}\n",
             folder.string(), reason);
}

/// A word for the shell, in quotes if it needs them.
std::string quoted(const std::string& word) {
  if (!word.empty() && word.find_first_of(" \t\n'\"\\$`!*?[]{}()<>|&;#~") == word.npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

/// Ctrl-C where nothing waits to be saved (StopSignals is for the rest). It loses nothing that was
/// printed, because standard output is line buffered.
void on_interrupt(int) {
  constexpr std::string_view kSaid = "\nstopped; nothing is saved but the files already written\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kSaid.data(), kSaid.size());
  _exit(kInterrupted);
}

}  // namespace

struct Example::CommandLine {
  CommandLine(int argc_, char** argv_, const std::string& summary)
      : argc(argc_), argv(argv_), app(summary) {}

  template <class T>
  void number(const std::string& name, T& value, std::string help, Limits<T> limits) {
    if (limits.fast) help += fmt::format(" (--fast: {})", *limits.fast);
    CLI::Option* o = app.add_option(name, value, help);
    o->transform(CLI::Validator(number_within(limits), ""))
        ->type_name(std::is_integral_v<T> ? "N" : "X");
    o->capture_default_str();
    numbers[name] = {o, [&value] { return fmt::format("{}", value); },
                     [&value, limits](std::string text) {
                       return number_within(limits)(text).empty() &&
                              parse_number(text, value) == std::errc();
                     }};
    if (limits.fast)
      when_fast.push_back([o, &value, fast = *limits.fast] {
        if (o->count() == 0) value = fast;
      });
  }

  int argc;
  char** argv;
  CLI::App app;
  std::vector<std::function<void()>> when_fast;
  struct Number {
    CLI::Option* option = nullptr;
    std::function<std::string()> text;
    std::function<bool(const std::string&)> set;  // false if the value is not valid
  };
  std::map<std::string, Number> numbers;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

Example::Example(int argc, char** argv, std::string name, std::string summary)
    : name_(std::move(name)),
      command_line_(std::make_unique<CommandLine>(argc, argv, name_ + ": " + summary)),
      out_("out/" + name_) {
  auto& line = *command_line_;
  line.number("--seed", seed_, "where the random numbers start", Limits<uint64_t>{});
  line.number("--threads", threads_, "threads; 0: all cores",
              Limits<int64_t>{.min = 0, .max = 1024});
  choice("--device", device_, {"cpu", "cuda"}, "where to compute");
  option("--out", out_, "folder for results");
  flag("--fast", fast_,
       "a small version that takes seconds; its results go to the folder + \"-fast\"");
  flag("--check", check_, "exit with status 1 if a target is missed");
}

Example::~Example() = default;

void Example::option(const std::string& name, int64_t& value, const std::string& help,
                     Limits<int64_t> limits) {
  command_line_->number(name, value, help, limits);
}

void Example::option(const std::string& name, double& value, const std::string& help,
                     Limits<double> limits) {
  command_line_->number(name, value, help, limits);
}

void Example::option(const std::string& name, std::string& value, const std::string& help,
                     const std::string& example) {
  CLI::Option* o = command_line_->app.add_option(name, value, help)->type_name("TEXT");
  o->capture_default_str();
  if (example.empty()) return;
  const std::string as_in = fmt::format("as in {} \"{}\"", name, example);
  o->description(fmt::format("{}, {}", help, as_in));
  o->check([as_in](const std::string& text) {
    return text.find_first_not_of(" \t\r\n") == text.npos ? "give it a text, " + as_in : "";
  });
}

void Example::choice(const std::string& name, std::string& value,
                     const std::vector<std::string>& allowed, const std::string& help) {
  command_line_->app.add_option(name, value, help)
      ->check(CLI::IsMember(allowed))
      ->type_name("NAME")
      ->capture_default_str();
}

void Example::flag(const std::string& name, bool& value, const std::string& help) {
  command_line_->app.add_flag(name, value, help);
}

void Example::parse() {
  try {
    command_line_->app.parse(command_line_->argc, command_line_->argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", command_line_->app.help());
    throw Stop{0};
  } catch (const CLI::ParseError& e) {
    fmt::print(stderr, "error: {} (--help lists the options)\n", printable(e.what()));
    throw Stop{kWrongUse};
  }
  if (fast_) {
    for (const auto& apply : command_line_->when_fast) apply();
    if (!given("--out")) out_ += "-fast";  // a quick try must not replace what took minutes to make
  }
  if (device_ == "cuda") use_cuda();
  prepare_folder(out_);
  if (threads_ > 0) set_num_threads(static_cast<int>(threads_));
  manual_seed(seed_);
  fmt::print("gradus {} · {} · seed {} · {} thread{} · BLAS {} · {}\n", GRADUS_VERSION, name_,
             seed_, get_num_threads(), get_num_threads() == 1 ? "" : "s", blas_kernel(), device_);
}

std::string Example::command(const std::vector<std::string>& without) const {
  std::string line = quoted(command_line_->argv[0]);
  for (const CLI::Option* option : command_line_->app.get_options()) {
    if (option->empty() || std::ranges::count(without, option->get_name()) > 0) continue;
    line += ' ' + option->get_name();
    if (option->get_items_expected_max() > 0) line += ' ' + quoted(option->results().back());
  }
  return line;
}

bool Example::given(const std::string& name) const {
  return command_line_->app.get_option(name)->count() > 0;
}

std::map<std::string, std::string> Example::settings(const std::vector<std::string>& names) const {
  std::map<std::string, std::string> out;
  for (const std::string& name : names) out[name] = command_line_->numbers.at(name).text();
  return out;
}

void Example::adopt(const std::map<std::string, std::string>& earlier,
                    const std::vector<std::string>& names, const std::string& advice) {
  for (const std::string& name : names) {
    const auto kept = earlier.find(name);
    const CommandLine::Number& number = command_line_->numbers.at(name);
    const std::string asked = number.text();
    gradus::check<IoError>(kept != earlier.end() && number.set(kept->second),
                           "the earlier run has no valid {}; {}", name, advice);
    gradus::check<ValueError>(!given(name) || number.text() == asked,
                              "{} {}: the earlier run has {} {}; {}", name, asked, name,
                              kept->second, advice);
  }
}

std::filesystem::path Example::out(const std::string& file) const {
  return std::filesystem::path(out_) / file;
}

void Example::verdict(bool ok, const std::string& what, const std::string& full_target) {
  if (fast_ && !full_target.empty())
    verdicts_.push_back({ok, fmt::format("fast run: {}; the lesson's target, {}, is not measured",
                                         what, full_target)});
  else
    verdicts_.push_back({ok, what});
}

int Example::finish() {
  bool all_ok = true;
  for (const Verdict& v : verdicts_) {
    fmt::print("{} {}\n", v.ok ? "  ok  " : "  MISS", v.what);
    all_ok = all_ok && v.ok;
  }
  const auto elapsed = std::chrono::steady_clock::now() - command_line_->start;
  fmt::print("done in {}\n", duration(std::chrono::duration<double>(elapsed).count()));
  return check_ && !all_ok ? kError : 0;
}

int run(int argc, char** argv, const std::string& name, const std::string& summary,
        int (*lesson)(Example&)) {
  std::setvbuf(stdout, nullptr, _IOLBF, 1 << 14);
  std::signal(SIGPIPE, SIG_DFL);  // "| head" ends the program, quietly
  std::signal(SIGINT, on_interrupt);
  int status = kError;
  try {
    Example app(argc, argv, name, summary);
    status = lesson(app);
  } catch (const Stop& stop) { status = stop.status; } catch (const Interrupted& by) {
    status = by.status;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "error: out of memory\n");
  } catch (const std::exception& e) { fmt::print(stderr, "error: {}\n", printable(e.what())); }
  return status_after_output(status);
}

}  // namespace gradus::support
