// What went wrong: CUDA's error codes, and the reports that say it in words.
#pragma once
#include <cuda_runtime.h>

#include <string>

namespace simt {

/// Notes an error for cudaGetLastError and returns what an API call returns: it, or the sticky one.
cudaError_t set_error(cudaError_t);

/// A report that ends with this call: the text goes to stderr and last_report().
cudaError_t complain(cudaError_t, const std::string& text);

/// A report after which nothing works any more, as after a fault on a GPU.
void stick(cudaError_t, const std::string& text);

cudaError_t sticky_error();

/// "softmax.cu:12"
std::string place(const Loc&);

}  // namespace simt
