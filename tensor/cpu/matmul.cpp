// out = a @ b + beta out. BLAS does the arithmetic; what is decided here is
//   * how strides become BLAS's "transposed" flag, copying only what is neither row- nor
//     column-major;
//   * how a product is cut into pieces for our threads, by its shape alone;
//   * that a product with one row (a language model writing one token) is a row of dot products,
//     bound by memory: each thread streams its own part of the matrix once.
#include <limits>
#include <memory>
#include <vector>

#include "tensor/cpu/blas.h"
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/vector.h"
#include "tensor/error.h"

namespace gradus::cpu {

namespace {

/// The last two dimensions of v, at batch `index`, as BLAS wants them; `hold` keeps a copy if
/// needed.
template <class T>
Matrix<T> matrix(const View& v, int64_t index, std::vector<T>& hold) {
  const int r = v.ndim - 2, c = v.ndim - 1;
  const int64_t rows = v.sizes[r], columns = v.sizes[c];
  const T* data = v.as<T>() + (v.ndim == 3 ? index * v.strides[0] : 0);
  const int64_t row_stride = rows == 1 ? std::max(columns, v.strides[r]) : v.strides[r];
  const int64_t column_stride = columns == 1 ? std::max(rows, v.strides[c]) : v.strides[c];
  // BLAS counts in int: rows farther apart are copied together.
  const auto fits = [](int64_t stride, int64_t length) {
    return stride >= length && stride <= std::numeric_limits<int>::max();
  };
  if ((v.strides[c] == 1 || columns == 1) && fits(row_stride, columns))
    return {data, row_stride, false};
  if ((v.strides[r] == 1 || rows == 1) && fits(column_stride, rows))
    return {data, column_stride, true};
  hold.resize(static_cast<size_t>(rows * columns));
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      hold[i * columns + j] = data[i * v.strides[r] + j * v.strides[c]];
  return {hold.data(), columns, false};
}

/// y (n) = M x + beta y for row-major M (n, k): every row is read once. Each thread has its own rows,
/// the same ones for every token, so that they may stay in its cache.
template <class T>
void matvec_rows(const T* m, int64_t ld, const T* x, int64_t n, int64_t k, T beta, T* y) {
  const int64_t groups = (n + 3) / 4;
  parallel_for(
      groups, std::max<int64_t>(1, kGrain / (4 * k)),
      [&](int64_t begin, int64_t end) {
        for (int64_t i = begin * 4; i < std::min(n, end * 4); i += 4) {
          T sums[4];
          const int64_t rows = std::min<int64_t>(4, n - i);
          if (rows == 4)
            dot4(m + i * ld, ld, x, k, sums);
          else
            for (int64_t r = 0; r < rows; ++r) sums[r] = dot(m + (i + r) * ld, x, k);
          for (int64_t r = 0; r < rows; ++r)
            y[i + r] = sums[r] + (beta == T(0) ? T(0) : beta * y[i + r]);
        }
      },
      1);
}

/// y (n) = x M + beta y for row-major M (k, n): rows of M added up, each thread its own columns.
template <class T>
void matvec_columns(const T* m, int64_t ld, const T* x, int64_t x_stride, int64_t n, int64_t k,
                    T beta, T* y) {
  parallel_for(n, std::max<int64_t>(64, kGrain / k), [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; ++j) y[j] = beta == T(0) ? T(0) : beta * y[j];
    for (int64_t i = 0; i < k; ++i)
      axpy(x[i * x_stride], m + i * ld + begin, y + begin, end - begin);
  });
}

/// A product is cut along its longer side. Into how many pieces depends on its shape alone: an element's
/// bits may depend on the piece that BLAS computes it in (Haswell's kernels: they do), and must not
/// depend on the number of threads. Two pieces for two cores; more only where they are worth more
/// threads, since each piece reads the shorter operand anew.
constexpr int64_t kPieceAlign = 48;  // so that only the last piece meets BLAS's code for edges

int64_t pieces_for(int64_t m, int64_t n, int64_t k) {
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  if (work < 2e6) return 1;
  const int64_t most = std::clamp<int64_t>(std::max(m, n) / (2 * kPieceAlign), 1, 16);
  return std::min(most, std::max<int64_t>(2, static_cast<int64_t>(work / 64e6) / 2 * 2));
}

template <class T>
void product(int64_t m, int64_t n, int64_t k, Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t ldc) {
  if (m == 1 && b.transposed && !a.transposed)
    return matvec_rows(b.data, b.ld, a.data, n, k, beta, c);
  if (m == 1 && !b.transposed)
    return matvec_columns(b.data, b.ld, a.data, a.transposed ? a.ld : 1, n, k, beta, c);
  const int64_t pieces = pieces_for(m, n, k);
  const bool by_rows = m >= n;
  const int64_t length = by_rows ? m : n;
  const int64_t units = length / kPieceAlign;
  parallel_items(pieces, kGrain, [&](int64_t i) {
    const int64_t begin = units * i / pieces * kPieceAlign;
    const int64_t end = i + 1 == pieces ? length : units * (i + 1) / pieces * kPieceAlign;
    const int64_t count = end - begin;
    if (by_rows) {
      const Matrix<T> part{a.data + begin * (a.transposed ? 1 : a.ld), a.ld, a.transposed};
      gemm(count, n, k, T(1), part, b, beta, c + begin * ldc, ldc);
    } else {
      const Matrix<T> part{b.data + begin * (b.transposed ? b.ld : 1), b.ld, b.transposed};
      gemm(m, count, k, T(1), a, part, beta, c + begin, ldc);
    }
  });
}

}  // namespace

void CpuBackend::matmul(const View& a, const View& b, double beta, const View& out) {
  prepare_blas();
  const int r = out.ndim - 2;
  const int64_t batch = out.ndim == 3 ? out.sizes[0] : 1;
  const int64_t m = out.sizes[r], n = out.sizes[r + 1], k = a.sizes[a.ndim - 1];
  constexpr int64_t most = std::numeric_limits<int>::max();
  check<ShapeError>(std::max({m, n, k}) <= most,
                    "matmul: ({}, {}) @ ({}, {}): BLAS counts rows and columns up to {}; cut the "
                    "product into pieces",
                    m, k, k, n, most);
  dispatch_float(out.dtype, [&]<class T>() {
    auto one = [&](int64_t i) {
      std::vector<T> hold_a, hold_b;
      product<T>(m, n, k, matrix<T>(a, i, hold_a), matrix<T>(b, i, hold_b), static_cast<T>(beta),
                 out.as<T>() + i * m * n, std::max<int64_t>(n, 1));
    };
    if (batch > 1)
      parallel_items(batch, m * n * k / 8, one);
    else
      one(0);
  });
}

}  // namespace gradus::cpu
