// clock() in a kernel is the C library's: microseconds of the process. clock64() counts
// nanoseconds. A GPU counts cycles. Either way, only differences mean anything, and here they
// include the time of the emulator itself.
#pragma once
#include <chrono>
#include <ctime>

inline long long clock64() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}
