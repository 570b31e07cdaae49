// Indexing, arg_reduce, cumsum and topk against nested loops and the standard library.
#include "tests/kernels.h"

using namespace gradus;
using namespace gradus::test;

namespace {

cpu::CpuBackend kernels;

// Where element number i of a view stands, counted row by row.
int64_t position(const View& v, int64_t i, int dim = -1, int64_t coordinate = 0) {
  int64_t at = 0;
  for (int d = v.ndim - 1; d >= 0; --d) {
    at += (d == dim ? coordinate : i % v.sizes[d]) * v.strides[d];
    i /= v.sizes[d];
  }
  return at;
}
// The coordinate of element number i along dim.
int64_t coordinate(const View& v, int64_t i, int dim) {
  for (int d = v.ndim - 1; d > dim; --d) i /= v.sizes[d];
  return i % v.sizes[dim];
}
// Where element i of `shape` stands in v, with another coordinate along dim.
int64_t position_in(const View& v, const View& shape, int64_t i, int dim, int64_t along) {
  int64_t at = 0;
  for (int d = shape.ndim - 1; d >= 0; --d) {
    at += (d == dim ? along : i % shape.sizes[d]) * v.strides[d];
    i /= shape.sizes[d];
  }
  return at;
}

View with_size(View v, int dim, int64_t n) {
  v.sizes[dim] = n;
  return v;
}

std::vector<int64_t> sizes_of(const View& v) { return {v.sizes, v.sizes + v.ndim}; }

template <class T>
bool nan_last(T a, T b) {  // ascending
  return a < b || (a == a && b != b);
}

}  // namespace

TEST_CASE_TEMPLATE("kernels: index_select and index_add", T, float, double, int64_t) {
  const Array<T> base = scattered<T>({5, 70, 33});
  for (const View& x : {base.view, transposed(base.view, 0, 2), transposed(base.view, 1, 2)})
    for (int dim = 0; dim < 3; ++dim)
      for (int64_t n : {0, 3, 200}) {
        CAPTURE(dim);
        CAPTURE(n);
        Array<int64_t> index({n});
        for (int64_t i = 0; i < n; ++i) index[i] = (i * i + 3) % x.sizes[dim];  // repeats
        Array<T> out(sizes_of(with_size(x, dim, n)));
        on_any_threads([&] {
          kernels.index_select(x, dim, index.view, out.view);
          return std::vector{out};
        });
        bool equal = true;
        for (int64_t i = 0; i < out.size(); ++i) {
          const int64_t from = index[coordinate(out.view, i, dim)];
          equal &= out[i] == x.as<T>()[position_in(x, out.view, i, dim, from)];
        }
        CHECK(equal);

        // Adding what was selected: a plain loop in the order of the index gives the same bits.
        Array<T> sums = scattered<T>(sizes_of(x), 2), expected = sums;
        for (int64_t i = 0; i < out.size(); ++i) {
          const int64_t to = index[coordinate(out.view, i, dim)];
          expected[position_in(expected.view, out.view, i, dim, to)] += out[i];
        }
        on_any_threads([&] {
          Array<T> result = scattered<T>(sizes_of(x), 2);
          kernels.index_add(dim, index.view, out.view, result.view);
          sums.data = result.data;
          return std::vector{result};
        });
        CHECK(sums.same_bits(expected));
      }
}

TEST_CASE_TEMPLATE("kernels: gather and scatter_add", T, float, double, int64_t) {
  const Array<T> base = scattered<T>({40, 30, 50});
  for (const View& x : {base.view, transposed(base.view, 0, 2)})
    for (int dim = 0; dim < 3; ++dim) {
      CAPTURE(dim);
      // The index may be smaller than x in the other dimensions.
      std::vector<int64_t> shape = sizes_of(x);
      shape[static_cast<size_t>((dim + 1) % 3)] -= 7;
      shape[static_cast<size_t>(dim)] = 61;
      Array<int64_t> index(shape);
      for (int64_t i = 0; i < index.size(); ++i) index[i] = (i * 31 + i / 7) % x.sizes[dim];
      Array<T> out(shape);
      on_any_threads([&] {
        kernels.gather(x, dim, index.view, out.view);
        return std::vector{out};
      });
      bool equal = true;
      for (int64_t i = 0; i < out.size(); ++i)
        equal &= out[i] == x.as<T>()[position_in(x, out.view, i, dim, index[i])];
      CHECK(equal);

      Array<T> sums(sizes_of(x)), expected(sizes_of(x));
      for (int64_t i = 0; i < out.size(); ++i)
        expected[position_in(expected.view, out.view, i, dim, index[i])] += out[i];
      on_any_threads([&] {
        std::fill(sums.data.begin(), sums.data.end(), T(0));
        kernels.scatter_add(dim, index.view, out.view, sums.view);
        return std::vector{sums};
      });
      CHECK(sums.same_bits(expected));
    }
}

TEST_CASE("kernels: the gradient of an embedding is the same on any number of threads") {
  Array<int64_t> ids({768});
  for (int64_t i = 0; i < 768; ++i) ids[i] = i * i % 97;
  const Array<float> g = scattered<float>({768, 128});
  Array<float> expected({97, 128});
  for (int64_t i = 0; i < g.size(); ++i) expected[ids[i / 128] * 128 + i % 128] += g[i];
  on_any_threads([&] {
    Array<float> dweight({97, 128});
    kernels.index_add(0, ids.view, g.view, dweight.view);
    CHECK(dweight.same_bits(expected));
    return std::vector{dweight};
  });
}

TEST_CASE_TEMPLATE("kernels: arg_reduce and cumsum", T, float, double, int64_t) {
  for (int64_t n : kLengths) {
    CAPTURE(n);
    const int64_t rows = 40000 / n + 3;
    const Array<T> contiguous = scattered<T>({rows, n});  // I64: many ties
    const Array<T> across = scattered<T>({n, rows});
    for (const View& x : {contiguous.view, transposed(across.view, 0, 1)}) {
      Array<int64_t> argmax({rows}), argmin({rows, 1});
      Array<T> sums({rows, n});
      on_any_threads([&] {
        kernels.arg_reduce(ArgOp::Max, x, argmax.view);
        kernels.arg_reduce(ArgOp::Min, x, argmin.view);
        return std::vector{argmax, argmin};
      });
      kernels.cumsum(x, sums.view);
      bool equal = true;
      for (int64_t row = 0; row < rows; ++row) {
        std::vector<T> line(static_cast<size_t>(n));
        for (int64_t j = 0; j < n; ++j)
          line[static_cast<size_t>(j)] = x.as<T>()[position(x, row * n + j)];
        equal &= argmax[row] == std::max_element(line.begin(), line.end()) - line.begin();
        equal &= argmin[row] == std::min_element(line.begin(), line.end()) - line.begin();
        double total = 0;
        for (int64_t j = 0; j < n; ++j) {
          total += static_cast<double>(line[static_cast<size_t>(j)]);
          equal &= close(static_cast<double>(sums[row * n + j]), total, kTolerance<T>);
        }
      }
      CHECK(equal);
    }
  }
}

TEST_CASE_TEMPLATE("kernels: argmax and argmin name the first NaN", T, float, double) {
  for (int64_t n : {1, 8, 33, 1025})
    for (int64_t first : {int64_t{0}, n / 2, n - 1}) {
      Array<T> x = scattered<T>({n});
      x[n - 1] = x[first] = T(kNaN);
      if (n > 1) x[first == 0 ? 1 : 0] = T(kInf);
      Array<int64_t> out({1});
      for (ArgOp op : {ArgOp::Max, ArgOp::Min}) {
        kernels.arg_reduce(op, x.view, out.view);
        CHECK(out[0] == first);
      }
    }
  Array<T> infinite({9}, T(-kInf));
  Array<int64_t> out({1});
  kernels.arg_reduce(ArgOp::Max, infinite.view, out.view);
  CHECK(out[0] == 0);
}

TEST_CASE_TEMPLATE("kernels: topk is the start of a stable sort", T, float, double, int64_t) {
  for (int64_t n : {1, 7, 8, 9, 31, 33, 1025, 50257})
    for (int64_t k : {int64_t{1}, std::min<int64_t>(n, 40), n / 2, n})
      for (bool largest : {true, false})
        for (bool ties : {true, false}) {
          if (k == 0) continue;
          CAPTURE(n);
          CAPTURE(k);
          const int64_t rows = n > 2000 ? 3 : 2;
          Array<T> x = scattered<T>({n, rows});  // a line is `rows` apart
          if (ties)
            for (T& v : x.data) v = static_cast<T>(std::floor(static_cast<double>(v)));
          if constexpr (!std::is_same_v<T, int64_t>)
            if (n > 8) x[3 * rows] = x[5 * rows] = T(kNaN), x[6 * rows] = T(kInf);
          Array<T> values({rows, k});
          Array<int64_t> indices({rows, k});
          kernels.topk(transposed(x.view, 0, 1), largest, values.view, indices.view);
          bool equal = true;
          for (int64_t row = 0; row < rows; ++row) {
            std::vector<int64_t> order(static_cast<size_t>(n));
            std::iota(order.begin(), order.end(), 0);
            const auto value = [&](int64_t i) { return x[i * rows + row]; };
            std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
              return largest ? nan_last(value(b), value(a)) : nan_last(value(a), value(b));
            });
            for (int64_t j = 0; j < k; ++j) {
              const int64_t i = order[static_cast<size_t>(j)];
              equal &= indices[row * k + j] == i;
              equal &= std::memcmp(&values[row * k + j], &x[i * rows + row], sizeof(T)) == 0;
            }
          }
          CHECK(equal);
        }
}
