// For tests of what the emulator says.
#pragma once
#include "tests/cuda/device.h"

#if defined(SIMT_EMULATOR)
  #include <functional>
  #include <string>

/// Runs something wrong and returns the report, with the errors cleared and the screen left clean.
inline std::string report_of(const std::function<void()>& wrong,
                             cudaError_t error = cudaErrorLaunchFailure) {
  const simt::Config before = simt::config();
  simt::clear_errors();
  simt::config().quiet = true;
  wrong();
  CHECK(cudaDeviceSynchronize() ==
        (error == cudaErrorInvalidValue || error == cudaErrorInvalidConfiguration ||
                 error == cudaErrorMemoryAllocation
             ? cudaSuccess
             : error));
  CHECK(cudaGetLastError() == error);
  CHECK(std::string(cudaGetErrorString(error)) == simt::last_report());
  const std::string text = simt::last_report();
  simt::clear_errors();
  simt::config() = before;
  return text;
}

inline bool has(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("'", part, "' is not in: ", text);
  return found;
}
#endif
