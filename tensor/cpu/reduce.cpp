// sum, max and min over any dimensions. The kept dimensions are the rows of the result, the reduced
// ones are walked inside. The order of additions depends on the shape alone, never on the number of
// threads:
//   * along memory: blocks of 1,024 elements, each summed in vector lanes, the blocks' sums added
//     pairwise (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 4.2: error
//     O(log n), not O(n));
//   * across memory (a bias's gradient): whole rows added to a row of sums, 32 at a time, and those
//     sums pairwise, as a binary counter carries: the sum of block i meets its neighbour's at each 1 of i.
#include <vector>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/loops.h"

namespace gradus::cpu {

namespace {

constexpr int64_t kBlock = 1024, kRows = 32;

/// n elements, `stride` apart, to one: independent lanes, then the lanes.
template <int lanes, class T, class Op>
T fold_lanes(Op op, const T* p, int64_t stride, int64_t n) {
  T lane[lanes];
  for (T& l : lane) l = Op::template start<T>();
  int64_t i = 0;
  if (stride == 1)
    for (; i + lanes <= n; i += lanes)
#pragma omp simd
      for (int l = 0; l < lanes; ++l) lane[l] = op(lane[l], p[i + l]);
  for (; i < n; ++i) lane[i % lanes] = op(lane[i % lanes], p[i * stride]);
  for (int width = lanes / 2; width > 0; width /= 2)
    for (int l = 0; l < width; ++l) lane[l] = op(lane[l], lane[l + width]);
  return lane[0];
}

/// Many lanes are short ones, and so the more exact.
template <class T, class Op>
T fold_block(Op op, const T* p, int64_t stride, int64_t n) {
  return n < 256 ? fold_lanes<16>(op, p, stride, n) : fold_lanes<64>(op, p, stride, n);
}

template <class T, class Op>
T fold(Op op, const T* p, int64_t stride, int64_t n) {
  if (n <= kBlock) return fold_block(op, p, stride, n);
  const int64_t half = (n / 2 + kBlock - 1) / kBlock * kBlock;
  return op(fold(op, p, stride, half), fold(op, p + half * stride, stride, n - half));
}

/// One long fold, in 64 pieces whose number does not depend on the threads.
template <class T, class Op>
T fold_all(Op op, const T* p, int64_t stride, int64_t n) {
  if (n < 4 * kGrain) return fold(op, p, stride, n);
  constexpr int64_t pieces = 64;
  const int64_t piece = (n / pieces + kBlock) / kBlock * kBlock;
  T part[pieces];
  parallel_items(pieces, piece, [&](int64_t i) {
    const int64_t begin = std::min(n, i * piece), end = std::min(n, begin + piece);
    part[i] =
        begin < end ? fold(op, p + begin * stride, stride, end - begin) : Op::template start<T>();
  });
  T total = Op::template start<T>();
  for (T each : part) total = op(total, each);
  return total;
}

/// out[c] = fold over r of x[r, c], `columns` of them, contiguous: rows are added whole.
template <class T, class Op>
void fold_columns(Op op, const T* x, int64_t row_stride, int64_t rows, T* out, int64_t columns) {
  const auto add = [&](const T* from, T* to) {
#pragma omp simd
    for (int64_t c = 0; c < columns; ++c) to[c] = op(to[c], from[c]);
  };
  std::vector<T> part(static_cast<size_t>(columns));
  std::vector<std::vector<T>>
      carried;  // at level k: the sum of 2^k blocks, waiting for its neighbour's
  for (int64_t block = 0; block * kRows < rows; ++block) {
    std::fill(part.begin(), part.end(), Op::template start<T>());
    for (int64_t r = block * kRows; r < std::min(rows, (block + 1) * kRows); ++r)
      add(x + r * row_stride, part.data());
    size_t level = 0;
    for (; (block >> level) & 1; ++level) add(carried[level].data(), part.data());
    if (level == carried.size()) carried.emplace_back(part.size());
    carried[level].swap(part);
  }
  const int64_t blocks = (rows + kRows - 1) / kRows;
  std::fill_n(out, columns, Op::template start<T>());
  for (size_t level = 0; level < carried.size(); ++level)
    if ((blocks >> level) & 1) add(carried[level].data(), out);
}

template <class T, class Op>
void fold_rows(Op op, const T* x, int64_t row_stride, int64_t rows, T* out, int64_t columns) {
  parallel_for(columns, std::max<int64_t>(64, kGrain / std::max<int64_t>(rows, 1)),
               [&](int64_t begin, int64_t end) {
                 fold_columns(op, x + begin, row_stride, rows, out + begin, end - begin);
               });
}

template <class T, class Op>
void reduce_with(Op op, const View& x, const View& out) {
  const View kept = dimensions_of(x, out, true), reduced = dimensions_of(x, out, false);
  const Walk<1> outer({&kept}), inner({&reduced});
  T* o = out.as<T>();  // contiguous: reduce's result is always fresh
  const int64_t rows = kept.numel();
  if (outer.ndim == 1 && inner.ndim == 1 && outer.inner_stride(0) == 1 && rows > 1)
    return fold_rows(op, x.as<T>(), inner.inner_stride(0), inner.inner(), o, rows);
  if (rows == 1 && inner.ndim == 1) {
    o[0] = fold_all(op, x.as<T>(), inner.inner_stride(0), inner.inner());
    return;
  }
  const int64_t width = outer.inner();
  parallel_items(rows, reduced.numel(), [&](int64_t row) {
    const T* p = x.as<T>() + outer.offsets(row / std::max<int64_t>(width, 1))[0] +
                 (width ? row % width : 0) * outer.inner_stride(0);
    if (inner.outer() == 1) {
      o[row] = fold(op, p, inner.inner_stride(0), inner.inner());
      return;
    }
    std::vector<T> parts(static_cast<size_t>(inner.outer()));
    for (size_t i = 0; i < parts.size(); ++i)
      parts[i] = fold(op, p + inner.offsets(static_cast<int64_t>(i))[0], inner.inner_stride(0),
                      inner.inner());
    o[row] = fold(op, parts.data(), 1, inner.outer());
  });
}

}  // namespace

void CpuBackend::reduce(const ReduceOp& op, const View& x, const View& out) {
  if (out.numel() == 0) return;
  if (x.numel() == 0) return fill(0, out);  // only a sum may be empty
  dispatch(x.dtype, [&]<class T>() { std::visit([&](auto f) { reduce_with<T>(f, x, out); }, op); });
}

}  // namespace gradus::cpu
