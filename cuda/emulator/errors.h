// What went wrong: CUDA's error codes, and the reports that explain them.
#pragma once
#include <cuda_runtime.h>

#include <string>

namespace simt {

/// Stores an error for cudaGetLastError. Returns what the API call should return: this error, or
/// the sticky one.
cudaError_t set_error(cudaError_t);

/// Reports an error of this call alone. The text goes to stderr and last_report().
cudaError_t report_error(cudaError_t, const std::string& text);

/// Reports an error after which nothing works any more, like a fault on a GPU.
void report_sticky_error(cudaError_t, const std::string& text);

cudaError_t sticky_error();

/// "softmax.cu:12"
std::string place(const Loc&);

}  // namespace simt
