// sum, max and min over any dimensions. The kept dimensions are the rows of the result, the reduced
// ones are walked inside. The order of additions depends on the shape alone, never on the number of
// threads:
//   * along memory: blocks of 1,024 elements, each summed in vector lanes, the blocks' sums added
//     pairwise (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 4.2: error
//     O(log n), not O(n));
//   * across memory (a bias's gradient): whole rows added to a row of sums, 32 at a time, and those
//     sums pairwise, as a binary counter carries: the sum of block i meets its neighbour's at each
//     1 of i.
// Where there are few results, what each of them sums up is cut into parts for the threads.
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
  for (p += i * stride; i < n; ++i, p += stride) lane[i % lanes] = op(lane[i % lanes], *p);
  for (int width = lanes / 2; width > 0; width /= 2)
    for (int l = 0; l < width; ++l) lane[l] = op(lane[l], lane[l + width]);
  return lane[0];
}

/// Many lanes are short ones, and so the more exact.
template <class T, class Op>
T fold_block(Op op, const T* p, int64_t stride, int64_t n) {
  return n < 256 ? fold_lanes<16>(op, p, stride, n) : fold_lanes<64>(op, p, stride, n);
}

/// More than one block, pairwise. (A call of its own, so that the short case can be inlined.)
template <class T, class Op>
[[gnu::noinline]] T fold_blocks(Op op, const T* p, int64_t stride, int64_t n) {
  if (n <= kBlock) return fold_block(op, p, stride, n);
  const int64_t half = (n / 2 + kBlock - 1) / kBlock * kBlock;
  return op(fold_blocks(op, p, stride, half), fold_blocks(op, p + half * stride, stride, n - half));
}

template <class T, class Op>
T fold(Op op, const T* p, int64_t stride, int64_t n) {
  return n <= kBlock ? fold_block(op, p, stride, n) : fold_blocks(op, p, stride, n);
}

/// Elements [begin, end) of a walk, counted along it: each of its runs, and then what they gave.
template <class T, class Op>
T fold_walk(Op op, const T* x, const Walk<1>& walk, int64_t begin, int64_t end) {
  const int64_t inner = walk.inner(), stride = walk.inner_stride(0);
  const auto run = [&](int64_t n) {
    const int64_t at = walk.offsets(begin / inner)[0] + begin % inner * stride;
    return fold(op, x + at, stride, n);
  };
  if (end - begin <= inner - begin % inner) return run(end - begin);
  std::vector<T> runs;
  for (int64_t n; begin < end; begin += n) {
    n = std::min(end - begin, inner - begin % inner);
    runs.push_back(run(n));
  }
  return fold(op, runs.data(), 1, static_cast<int64_t>(runs.size()));
}

/// out[c] = fold over r of x[r, c], `columns` of them, contiguous: rows are added whole.
template <class T, class Op>
void fold_columns(Op op, const T* x, int64_t row_stride, int64_t rows, T* out, int64_t columns) {
  const auto add = [&](const T* from, T* to) {
#pragma omp simd
    for (int64_t c = 0; c < columns; ++c) to[c] = op(to[c], from[c]);
  };
  std::vector<T> part(static_cast<size_t>(columns));
  // At level k: the sum of 2^k blocks, waiting for its neighbour's.
  std::vector<std::vector<T>> carried;
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

/// The same in pieces: of the rows, which are added in their order at the end, and of long rows, so
/// that a row of sums stays in the nearest cache.
template <class T, class Op>
void fold_rows(Op op, const T* x, int64_t row_stride, int64_t rows, T* out, int64_t columns) {
  constexpr int64_t longest = 4096, fewest_rows = 64;
  const Parts across(columns, (columns + longest - 1) / longest, 64);
  const int64_t wanted = std::min(pieces(rows, columns) / across.count, rows / fewest_rows);
  const Parts down(rows, std::max<int64_t>(wanted, 1), kRows);
  std::vector<T> sums(static_cast<size_t>(down.count > 1 ? down.count * columns : 0));
  T* to = down.count > 1 ? sums.data() : out;
  parallel_items(down.count * across.count, rows * columns / (down.count * across.count),
                 [&](int64_t i) {
                   const int64_t r = i / across.count, c = i % across.count;
                   fold_columns(op, x + down.begin(r) * row_stride + across.begin(c), row_stride,
                                down.end(r) - down.begin(r), to + r * columns + across.begin(c),
                                across.end(c) - across.begin(c));
                 });
  if (down.count == 1) return;
  const auto add_parts = [&](int64_t begin, int64_t end) {
    fold_columns(op, sums.data() + begin, columns, down.count, out + begin, end - begin);
  };
  parallel_for(columns, down.count, add_parts, 64);
}

template <class T, class Op>
void reduce_with(Op op, const View& x, const View& out) {
  const View kept = dimensions_of(x, out, true), reduced = dimensions_of(x, out, false);
  const Walk<1> outer({&kept}), inner({&reduced});
  T* o = out.as<T>();  // contiguous: reduce's result is always fresh
  const int64_t results = kept.numel(), each = reduced.numel();
  if (outer.ndim == 1 && inner.ndim == 1 && outer.inner_stride(0) == 1 && results > 1)
    return fold_rows(op, x.as<T>(), inner.inner_stride(0), inner.inner(), o, results);

  const auto from = [&](int64_t result) { return x.as<T>() + outer.element(result)[0]; };
  const int64_t wanted = pieces(results * each, 1);
  if (wanted < 2 * results)
    return parallel_items(results, each, [&](int64_t i) {
      o[i] = inner.ndim == 1 ? fold(op, from(i), inner.inner_stride(0), each)
                             : fold_walk(op, from(i), inner, 0, each);
    });
  const int64_t cuts = wanted / results;
  const Parts part(each, cuts, kBlock);
  std::vector<T> folded(static_cast<size_t>(results * cuts));
  parallel_items(results * cuts, each / cuts, [&](int64_t i) {
    folded[i] = fold_walk(op, from(i / cuts), inner, part.begin(i % cuts), part.end(i % cuts));
  });
  parallel_items(results, cuts,
                 [&](int64_t i) { o[i] = fold(op, folded.data() + i * cuts, 1, cuts); });
}

}  // namespace

void CpuBackend::reduce(const ReduceOp& op, const View& x, const View& out) {
  if (out.numel() == 0) return;
  if (x.numel() == 0) return fill(0, out);  // only a sum may be empty
  dispatch(x.dtype, [&]<class T>() { std::visit([&](auto f) { reduce_with<T>(f, x, out); }, op); });
}

}  // namespace gradus::cpu
