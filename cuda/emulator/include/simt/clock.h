// clock() in a kernel is the C library's, in microseconds of the process; clock64() counts nanoseconds.
// A GPU counts cycles. Either way only differences mean something, and here they include the emulator.
#pragma once
#include <chrono>
#include <ctime>

inline long long clock64() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}
