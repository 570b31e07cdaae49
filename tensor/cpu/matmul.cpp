// out = a @ b + beta out. BLAS does the arithmetic; what is decided here is
//   * how strides become BLAS's "transposed" flag, copying only what is neither row- nor
//     column-major;
//   * how a product is cut into pieces for our threads, by its shape alone;
//   * that a product with one row (a language model writing one token) is a row of dot products,
//     bound by memory: each thread streams its own part of the matrix once.
#include <limits>
#include <vector>

#include "tensor/cpu/blas.h"
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/vector.h"
#include "tensor/error.h"

namespace gradus::cpu {

namespace {

/// The last two dimensions of a tensor as BLAS wants them; `own` keeps a copy if one is needed.
template <class T>
class Operand {
 public:
  Operand(CpuBackend& backend, View v) {
    if (!read(v)) {
      if (v.ndim == 3 && v.strides[0] == 0) v.sizes[0] = 1;
      View copy = v;
      copy.strides[v.ndim - 1] = 1;
      for (int d = v.ndim - 2; d >= 0; --d) copy.strides[d] = copy.strides[d + 1] * v.sizes[d + 1];
      own_.resize(static_cast<size_t>(v.numel()));
      copy.data = own_.data();
      backend.copy(v, copy);
      if (v.ndim == 3 && v.sizes[0] == 1) copy.strides[0] = 0;
      read(copy);
    }
  }
  Matrix<T> at(int64_t batch) const {
    return {first_.data + batch * batch_stride_, first_.ld, first_.transposed};
  }

 private:
  bool read(const View& v) {
    const int r = v.ndim - 2, c = v.ndim - 1;
    const int64_t rows = v.sizes[r], columns = v.sizes[c];
    const int64_t row_stride = rows == 1 ? std::max(columns, v.strides[r]) : v.strides[r];
    const int64_t column_stride = columns == 1 ? std::max(rows, v.strides[c]) : v.strides[c];
    // BLAS counts in int: rows farther apart are copied together.
    const auto fits = [](int64_t stride, int64_t length) {
      return stride >= length && stride <= std::numeric_limits<int>::max();
    };
    const bool by_rows = (v.strides[c] == 1 || columns == 1) && fits(row_stride, columns);
    const bool by_columns = (v.strides[r] == 1 || rows == 1) && fits(column_stride, rows);
    batch_stride_ = v.ndim == 3 ? v.strides[0] : 0;
    first_ = {v.as<T>(), by_rows ? row_stride : column_stride, !by_rows};
    return by_rows || by_columns;
  }

  std::vector<T> own_;
  Matrix<T> first_;
  int64_t batch_stride_ = 0;
};

/// y[begin, end) of y = M x + beta y for row-major M (n, k): every row is read once.
template <class T>
void matvec_rows(Matrix<T> m, const T* x, int64_t begin, int64_t end, int64_t k, T beta, T* y) {
  for (int64_t i = begin; i < end; i += 4) {
    T sums[4];
    const int64_t rows = std::min<int64_t>(4, end - i);
    if (rows == 4)
      dot4(m.data + i * m.ld, m.ld, x, k, sums);
    else
      for (int64_t r = 0; r < rows; ++r) sums[r] = dot(m.data + (i + r) * m.ld, x, k);
    for (int64_t r = 0; r < rows; ++r) y[i + r] = sums[r] + (beta == T(0) ? T(0) : beta * y[i + r]);
  }
}

/// y[begin, end) of y = x M + beta y for row-major M (k, n): rows of M added up.
template <class T>
void matvec_columns(Matrix<T> m, const T* x, int64_t x_stride, int64_t begin, int64_t end,
                    int64_t k, T beta, T* y) {
  for (int64_t j = begin; j < end; ++j) y[j] = beta == T(0) ? T(0) : beta * y[j];
  for (int64_t i = 0; i < k; ++i)
    axpy(x[i * x_stride], m.data + i * m.ld + begin, y + begin, end - begin);
}

/// A product is cut into a grid of pieces, by its shape alone: an element's bits may depend on the
/// piece that BLAS computes it in, and must not depend on the number of threads. BLAS copies what a
/// piece reads of both operands, so pieces are few where they are small: two for two cores. From
/// 2e9 multiply-adds on (GPT-2's layers, 4 texts of 1,024 tokens), there are enough for 64 cores.
struct Grid {
  Parts rows, columns;

  Grid(int64_t m, int64_t n, int64_t k) : rows(m, 1, kAlign), columns(n, 1, kAlign) {
    constexpr double area = 512 * 512;
    const double outputs = static_cast<double>(m) * static_cast<double>(n);
    const double work = outputs * static_cast<double>(k);
    if (work < 2e6) return;
    const double wanted = work < 2e9 ? std::max(work / 64e6, 2.0)
                                     : std::clamp(outputs / area, 64.0, double{kMostPieces});
    auto count = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(wanted)));
    while (count > 1 && !cut(count)) count /= 2;
  }

  /// Into `count` pieces with the least to copy; false if that makes them too short.
  bool cut(int64_t count) {
    double least = std::numeric_limits<double>::infinity();
    for (int64_t r = 1; r <= count; r *= 2) {
      const int64_t c = count / r;
      if ((r > 1 && rows.n / r < kShortest) || (c > 1 && columns.n / c < kShortest)) continue;
      const double copied = static_cast<double>(r) / static_cast<double>(rows.n) +
                            static_cast<double>(c) / static_cast<double>(columns.n);
      if (copied >= least) continue;
      least = copied;
      rows.count = r, columns.count = c;
    }
    return rows.count * columns.count == count;
  }

  int64_t size() const { return rows.count * columns.count; }

  static constexpr int64_t kShortest = 96;
  static constexpr int64_t kAlign = 32;  // so that only the last piece meets BLAS's code for edges
};

/// One piece of c (m, n) = a (m, k) b (k, n) + beta c.
template <class T>
void piece_of_product(const Grid& grid, int64_t piece, int64_t k, Matrix<T> a, Matrix<T> b, T beta,
                      T* c) {
  const int64_t row = grid.rows.begin(piece / grid.columns.count),
                row_end = grid.rows.end(piece / grid.columns.count),
                column = grid.columns.begin(piece % grid.columns.count),
                column_end = grid.columns.end(piece % grid.columns.count);
  a.data += row * (a.transposed ? 1 : a.ld);
  b.data += column * (b.transposed ? b.ld : 1);
  const int64_t ldc = std::max<int64_t>(grid.columns.n, 1);
  gemm(row_end - row, column_end - column, k, T(1), a, b, beta, c + row * ldc + column, ldc);
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
    const Operand<T> left(*this, a), right(*this, b);
    const bool left_transposed = left.at(0).transposed, right_transposed = right.at(0).transposed;
    const T scale = static_cast<T>(beta);
    if (m == 1 && !(left_transposed && right_transposed)) {
      // Pieces of the row: the same ones for every token, so that a thread may find in its cache
      // what it read of the matrix for the last one.
      const int64_t align = right_transposed ? 4 : 64;
      Parts parts(n, 1, align);
      parts.count = pieces(parts.units, align * k);
      parallel_items(
          batch * parts.count, n * k / std::max<int64_t>(parts.count, 1), [&](int64_t i) {
            const Matrix<T> x = left.at(i / parts.count), matrix = right.at(i / parts.count);
            const int64_t begin = parts.begin(i % parts.count), end = parts.end(i % parts.count);
            T* y = out.as<T>() + i / parts.count * n;
            if (right_transposed)
              matvec_rows(matrix, x.data, begin, end, k, scale, y);
            else
              matvec_columns(matrix, x.data, left_transposed ? x.ld : 1, begin, end, k, scale, y);
          });
      return;
    }
    const Grid grid(m, n, k);
    parallel_tasks(batch * grid.size(), m * n * k / 8 / grid.size(), [&](int64_t i) {
      const int64_t item = i / grid.size();
      piece_of_product<T>(grid, i % grid.size(), k, left.at(item), right.at(item), scale,
                          out.as<T>() + item * m * n);
    });
  });
}

}  // namespace gradus::cpu
