// One loop for every elementwise function. The functor is inlined into it, so the compiler sees
// plain arithmetic over arrays and makes vector instructions of it.
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/loops.h"

namespace gradus::cpu {

namespace {

// The loops themselves are plain functions: inside a closure g++ 12 vectorises them badly or not at
// all.
template <class In, class Out, class F>
void apply(F f, const In* p, Out* o, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) o[i] = f(p[i]);
}
template <class In, class Out, class F>
void apply(F f, const In* p, const In* q, Out* o, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) o[i] = f(p[i], q[i]);
}
template <class In, class Out, class F>
void apply(F f, const In* p, In c, Out* o, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) o[i] = f(p[i], c);
}

/// out[i] = f(x[i]); f has one overload set for all dtypes.
template <class In, class Out, class F>
void map(F f, const View& x, const View& out) {
  const Walk<2> walk({&out, &x});
  const int64_t so = walk.inner_stride(0), sx = walk.inner_stride(1);
  for_rows(walk, [&](std::array<int64_t, 2> at, int64_t n) {
    Out* o = out.as<Out>() + at[0];
    const In* p = x.as<In>() + at[1];
    if (so == 1 && sx == 1) return apply(f, p, o, n);
    for (int64_t i = 0; i < n; ++i) o[i * so] = f(p[i * sx]);
  });
}

/// out[i] = f(a[i], b[i]), with fast cases for a repeated operand: adding a bias, scaling by a
/// scalar.
template <class In, class Out, class F>
void zip(F f, const View& a, const View& b, const View& out) {
  const Walk<3> walk({&out, &a, &b});
  const int64_t so = walk.inner_stride(0), sa = walk.inner_stride(1), sb = walk.inner_stride(2);
  for_rows(walk, [&](std::array<int64_t, 3> at, int64_t n) {
    Out* o = out.as<Out>() + at[0];
    const In *p = a.as<In>() + at[1], *q = b.as<In>() + at[2];
    if (so == 1 && sa == 1 && sb == 1) return apply(f, p, q, o, n);
    if (so == 1 && sa == 1 && sb == 0) return apply(f, p, *q, o, n);
    for (int64_t i = 0; i < n; ++i) o[i * so] = f(p[i * sa], q[i * sb]);
  });
}

/// (rows, columns) from a transposed source: blocks of 16 x 16 keep both sides in cache.
template <class T>
void copy_transposed(const T* from, int64_t from_column, T* to, int64_t to_row, int64_t rows,
                     int64_t columns) {
  constexpr int64_t block = 16, strip = 16 * block;
  const int64_t strips = (columns + strip - 1) / strip;
  parallel_items((rows + block - 1) / block * strips, block * strip, [&](int64_t i) {
    const int64_t r0 = i / strips * block, r1 = std::min(rows, r0 + block);
    const int64_t begin = i % strips * strip, end = std::min(columns, begin + strip);
    for (int64_t c0 = begin; c0 < end; c0 += block)
      for (int64_t r = r0; r < r1; ++r)
        for (int64_t c = c0; c < std::min(end, c0 + block); ++c)
          to[r * to_row + c] = from[r + c * from_column];
  });
}

}  // namespace

void CpuBackend::fill(double value, const View& out) {
  dispatch(out.dtype, [&]<class T>() {
    const T c = static_cast<T>(value);
    map<T, T>([c](T) { return c; }, out, out);
  });
}

void CpuBackend::copy(const View& x, const View& out) {
  dispatch(out.dtype, [&]<class Out>() {
    if (x.dtype == out.dtype) {
      const Walk<2> walk({&out, &x});
      if (walk.ndim == 2 && walk.strides[0][1] == 1 && walk.strides[1][0] == 1 &&
          walk.strides[1][1] > 1)
        return copy_transposed(x.as<Out>(), walk.strides[1][1], out.as<Out>(), walk.strides[0][0],
                               walk.sizes[0], walk.sizes[1]);
    }
    dispatch(x.dtype,
             [&]<class In>() { map<In, Out>([](In v) { return static_cast<Out>(v); }, x, out); });
  });
}

void CpuBackend::unary(const UnaryOp& op, const View& x, const View& out) {
  std::visit(
      [&](auto f) {
        if (x.dtype == I64) {
          if constexpr (decltype(f)::integers) map<int64_t, int64_t>(f, x, out);
        } else {
          dispatch_float(x.dtype, [&]<class T>() { map<T, T>(f, x, out); });
        }
      },
      op);
}

void CpuBackend::binary(const BinaryOp& op, const View& a, const View& b, const View& out) {
  std::visit(
      [&](auto f) {
        if (a.dtype == I64) {
          if constexpr (decltype(f)::integers) zip<int64_t, int64_t>(f, a, b, out);
        } else {
          dispatch_float(a.dtype, [&]<class T>() { zip<T, T>(f, a, b, out); });
        }
      },
      op);
}

void CpuBackend::compare(const CompareOp& op, const View& a, const View& b, const View& out) {
  std::visit([&](auto f) { dispatch(a.dtype, [&]<class T>() { zip<T, int64_t>(f, a, b, out); }); },
             op);
}

void CpuBackend::where(const View& mask, const View& a, const View& b, const View& out) {
  const Walk<4> walk({&out, &mask, &a, &b});
  const int64_t so = walk.inner_stride(0), sm = walk.inner_stride(1), sa = walk.inner_stride(2),
                sb = walk.inner_stride(3);
  dispatch(out.dtype, [&]<class T>() {
    for_rows(walk, [&](std::array<int64_t, 4> at, int64_t n) {
      T* o = out.as<T>() + at[0];
      const int64_t* m = mask.as<int64_t>() + at[1];
      const T *p = a.as<T>() + at[2], *q = b.as<T>() + at[3];
      for (int64_t i = 0; i < n; ++i) o[i * so] = m[i * sm] != 0 ? p[i * sa] : q[i * sb];
    });
  });
}

}  // namespace gradus::cpu
