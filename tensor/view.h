#pragma once
// What a kernel sees: plain data, without ownership, without containers. Both g++ and nvcc read
// this file. A stride of 0 repeats one element along a dimension: that is broadcasting.
#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
  #define GRADUS_HD __host__ __device__ __forceinline__
#else
  #define GRADUS_HD inline __attribute__((always_inline))
#endif

namespace gradus {

enum class DType : int { F32, F64, I64 };
inline constexpr DType F32 = DType::F32, F64 = DType::F64, I64 = DType::I64;

enum class Device : int { CPU, CUDA };

inline constexpr int kMaxDims = 8;

struct View {
  void* data = nullptr;  // the first element, offset already applied
  DType dtype = DType::F32;
  int ndim = 0;
  int64_t sizes[kMaxDims] = {};
  int64_t strides[kMaxDims] = {};  // in elements

  template <class T>
  GRADUS_HD T* as() const {
    return static_cast<T*>(data);
  }
  GRADUS_HD int64_t numel() const {
    int64_t n = 1;
    for (int d = 0; d < ndim; ++d) n *= sizes[d];
    return n;
  }
  /// Laid out row after row, without gaps. A tensor without elements always is.
  GRADUS_HD bool contiguous() const {
    bool dense = true;
    int64_t expected = 1;
    for (int d = ndim - 1; d >= 0; --d) {
      if (sizes[d] != 1 && strides[d] != expected) dense = false;
      expected *= sizes[d];
    }
    return dense || expected == 0;
  }
};

/// Calls f.template operator()<T>() with the C++ type of `dtype`. dispatch_float leaves out I64,
/// where the operation has already refused it.
template <class F>
decltype(auto) dispatch_float(DType dtype, F&& f) {
  return dtype == DType::F64 ? f.template operator()<double>() : f.template operator()<float>();
}
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  if (dtype == DType::I64) return f.template operator()<int64_t>();
  return dispatch_float(dtype, f);
}

}  // namespace gradus
