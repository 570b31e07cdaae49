// The output of a puzzle's program: paragraphs and drawings, below the verdict of the runner.
#pragma once
#include <string>
#include <vector>

#include "cuda/puzzles/puzzle.h"

namespace puzzle {

/// printf as a paragraph of its own: indented, and broken into lines shorter than 100 columns.
[[gnu::format(printf, 1, 2)]] void say(const char* format, ...);

/// The value that fills a result before the kernel runs. Where it remains, nothing was written.
float untouched();
bool is_untouched(float value);

/// "7", "0.333333", or "." for an untouched value.
std::string number(float value);

/// The name of an array's i-th number: "out[3]" or, in two dimensions, "out(1, 2)".
std::string element(const Array& array, int i);

/// Draws what should be in a result above what is there, and marks the wrong numbers. Draws only
/// arrays that are small enough to take in, and returns whether it did.
bool draw(const Array& result, const std::vector<float>& wanted, const std::vector<float>& got,
          const std::vector<bool>& wrong);

}  // namespace puzzle
