#pragma once
// Errors teach. A message reads: operation: what is wrong: the two facts; what to do.
//   matmul: inner sizes differ: (8, 64) @ (32, 10)
// It names the operation that the user called, not one inside it. Everything is checked once, at
// the boundary; the kernels behind it assume valid input.
#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace gradus {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ShapeError : Error {
  using Error::Error;
};  // sizes that do not fit each other
struct DTypeError : Error {
  using Error::Error;
};  // two dtypes where there must be one, integers where there must be floats
struct DeviceError : Error {
  using Error::Error;
};  // operands on different devices, a device that is absent
struct IndexError : Error {
  using Error::Error;
};  // a dimension, token id or class out of range
struct ValueError : Error {
  using Error::Error;
};  // an argument outside what the function allows
struct GradError : Error {
  using Error::Error;
};  // a graph that is missing, freed or ambiguous
struct IoError : Error {
  using Error::Error;
};  // a file that is missing, truncated or hostile
struct CudaError : Error {
  using Error::Error;
};  // an error that the CUDA runtime reported

/// Throws E with the formatted message unless `ok`.
template <class E = Error, class... Args>
void check(bool ok, fmt::format_string<Args...> format, Args&&... args) {
  if (!ok) [[unlikely]]
    throw E(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace gradus
