// `make gradcheck`: is every derivative right? It prints one line for each row of the op table
// (tests/op_table.h): how many derivatives were compared; the worst relative errors of first and
// second derivatives against central differences; and that of value and gradients against
// PyTorch's. The exit status is 1 if any is too large.
#include <fmt/color.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "examples/support/show/standard_output.h"
#include "tests/op_table_checks.h"

using namespace gradus;
using namespace gradus::test;

namespace {

struct Line {
  std::string op, inputs, checked = {}, first = {}, second = {}, pytorch = {}, failure = {};
  bool ok = true;
};

std::string shapes_of(const OpRow& row) {
  std::string text;
  for (const InputSpec& in : row.inputs) {
    text += (text.empty() ? "" : " ") + in.shape.str();
    if (in.below > 0) text += fmt::format("<{}", in.below);
  }
  return text;
}

std::string error(const Outcome& outcome) {
  return outcome.worst == 0 ? "0" : fmt::format("{:.0e}", outcome.worst);
}

/// One check; an exception is a failure like any other.
Outcome run(RowCheck check_row, const OpRow& row, Line& line) {
  Outcome outcome;
  try {
    outcome = check_row(row, Device::CPU);
  } catch (const std::exception& e) {
    outcome.worst = std::numeric_limits<double>::infinity();
    outcome.message = row.name + ": " + e.what();
  }
  if (!outcome.ok() && line.ok) {
    line.ok = false;
    line.failure = outcome.message;
  }
  return outcome;
}

Line line_of(const OpRow& row, int64_t& total, double& worst) {
  Line line{.op = row.name, .inputs = shapes_of(row)};
  const Outcome first = run(check_first, row, line), second = run(check_second, row, line);
  line.first = error(first);
  line.second = error(second);
  line.pytorch = row.golden ? error(run(check_golden, row, line)) : "-";
  line.checked = fmt::format("{}", first.checked + second.checked);
  total += first.checked + second.checked;
  worst = std::max({worst, first.worst, second.worst});
  return line;
}

void print(const Line& line, const std::string& result) {
  static const size_t width = [] {
    size_t longest = 0;
    for (const OpRow& row : op_table()) longest = std::max(longest, shapes_of(row).size());
    return longest;
  }();
  fmt::print("{:<23}  {:<{}} {:>7} {:>9} {:>9} {:>7}  {}\n", line.op, line.inputs, width,
             line.checked, line.first, line.second, line.pytorch, result);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Checks every derivative of gradus against differences and against PyTorch."};
  std::string only;
  app.add_option("--op", only, "only this op, e.g. softmax, or one row of it, e.g. softmax/first");
  CLI11_PARSE(app, argc, argv);

  const bool colour = isatty(STDOUT_FILENO);
  const auto painted = [&](const char* text, fmt::color c) {
    return colour ? fmt::format(fmt::fg(c), "{}", text) : std::string(text);
  };
  print({"op", "inputs", "checked", "1st order", "2nd order", "PyTorch", ""}, "");
  int64_t rows = 0, failed = 0, total = 0;
  double worst = 0;
  for (const OpRow& row : op_table()) {
    const std::string op = row.name.substr(0, row.name.find('/'));
    if (!only.empty() && only != op && only != row.name) continue;
    const Line line = line_of(row, total, worst);
    print(line, line.ok ? painted("ok", fmt::color::green) : painted("WRONG", fmt::color::red));
    if (!line.ok) fmt::print("  {}\n", line.failure);
    ++rows;
    failed += !line.ok;
  }
  if (rows == 0) {
    fmt::print(stderr, "gradcheck: no op \"{}\" in tests/op_table*.cpp\n", only);
    return 1;
  }
  fmt::print("\n{} rows, {} derivatives checked, worst relative error {:.0e}: {} wrong\n", rows,
             total, worst, failed);
  return support::status_after_output(failed ? 1 : 0);
}
