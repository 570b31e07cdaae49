// How a puzzle's program speaks: paragraphs and drawings, below the verdict that the runner prints.
#pragma once
#include <string>
#include <vector>

#include "cuda/puzzles/puzzle.h"

namespace puzzle {

/// printf, as a paragraph of its own: indented, and broken into lines before column 100.
[[gnu::format(printf, 1, 2)]] void say(const char* format, ...);

/// What fills a result before the kernel runs: where it still is, nothing was written.
float untouched();
bool is_untouched(float value);

/// "7", "0.333333"; "." for an untouched one.
std::string number(float value);

/// "out[3]" or, in two dimensions, "out(1, 2)": the i-th number of an array.
std::string element(const Array& array, int i);

/// What should be in a result above what is, with a mark below the wrong ones. Only draws arrays
/// that are small enough to take in; says whether it did.
bool draw(const Array& result, const std::vector<float>& wanted, const std::vector<float>& got,
          const std::vector<bool>& wrong);

}  // namespace puzzle
