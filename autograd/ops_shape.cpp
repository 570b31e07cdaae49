// Operations that move or view numbers without changing them. The gradient goes the opposite way.
#include <numeric>

#include "autograd/ops.h"

namespace gradus {

Tensor reshape(const Tensor& x, const Shape& shape) {
  Tensor value = raw::reshape(x, shape);
  return record("reshape", std::move(value),
                {{x, [from = x.shape()](const Tensor& g) { return reshape(g, from); }}});
}
Tensor flatten(const Tensor& x, int start) {
  check_defined("flatten", x);
  start = normalize_dim("flatten", start, x.dim());
  Shape shape(
      std::span<const int64_t>(x.shape().begin(), static_cast<size_t>(std::min(start, x.dim()))));
  int64_t rest = 1;
  for (int d = start; d < x.dim(); ++d) rest *= x.shape()[d];
  shape.push_back(rest);
  return reshape(x, shape);
}
Tensor permute(const Tensor& x, const Dims& dims) {
  Tensor value = raw::permute(x, dims);
  Dims inverse(dims.size());
  for (size_t i = 0; i < dims.size(); ++i)
    inverse[normalize_dim("permute", dims[i], x.dim())] = static_cast<int>(i);
  return record("permute", std::move(value),
                {{x, [inverse](const Tensor& g) { return permute(g, inverse); }}});
}
Tensor transpose(const Tensor& x, int a, int b) {
  return record("transpose", raw::transpose(x, a, b),
                {{x, [a, b](const Tensor& g) { return transpose(g, a, b); }}});
}
Tensor t(const Tensor& x) {
  check_defined("t", x);
  check<ShapeError>(x.dim() >= 2, "t: a tensor of shape {} has no last two dimensions", x.shape());
  return transpose(x, -2, -1);
}

namespace {
/// Zeros of `shape` with g in the given slice: the transpose of slice.
Tensor slice_backward(const Tensor& g, const Shape& shape, int dim, int64_t start, int64_t end,
                      int64_t step) {
  Tensor value = zeros(shape, g.options());
  raw::copy_(raw::slice(value, dim, start, end, step), g);
  return record("slice_backward", std::move(value),
                {{g, [=](const Tensor& gg) { return slice(gg, dim, start, end, step); }}});
}
}  // namespace

Tensor slice(const Tensor& x, int dim, int64_t start, int64_t end, int64_t step) {
  Tensor value = raw::slice(x, dim, start, end, step);
  return record("slice", std::move(value), {{x, [=, shape = x.shape()](const Tensor& g) {
                                               return slice_backward(g, shape, dim, start, end,
                                                                     step);
                                             }}});
}
Tensor select(const Tensor& x, int dim, int64_t index) {
  Tensor value = raw::select(x, dim, index);
  dim = normalize_dim("select", dim, x.dim());
  if (index < 0) index += x.shape()[dim];
  return record("select", std::move(value), {{x, [=, shape = x.shape()](const Tensor& g) {
                                                return slice_backward(unsqueeze(g, dim), shape, dim,
                                                                      index, index + 1, 1);
                                              }}});
}
Tensor expand(const Tensor& x, const Shape& shape) {  // the engine sums over what was repeated
  return record("expand", raw::expand(x, shape), {{x, [](const Tensor& g) { return g; }}});
}
Tensor squeeze(const Tensor& x, int dim) {
  Tensor value = raw::squeeze(x, dim);
  return record("squeeze", std::move(value),
                {{x, [from = x.shape()](const Tensor& g) { return reshape(g, from); }}});
}
Tensor squeeze(const Tensor& x) {
  check_defined("squeeze", x);
  Shape shape;
  for (int d = 0; d < x.dim(); ++d)
    if (x.shape()[d] != 1) shape.push_back(x.shape()[d]);
  return reshape(x, shape);
}
Tensor unsqueeze(const Tensor& x, int dim) {
  Tensor value = raw::unsqueeze(x, dim);
  return record("unsqueeze", std::move(value),
                {{x, [from = x.shape()](const Tensor& g) { return reshape(g, from); }}});
}
Tensor contiguous(const Tensor& x) {
  check_defined("contiguous", x);
  if (x.is_contiguous()) return x;
  return clone(x);
}
Tensor clone(const Tensor& x) {
  return record("clone", raw::clone(x), {{x, [](const Tensor& g) { return g; }}});
}
Tensor to(const Tensor& x, DType dtype) {
  check_defined("to", x);
  if (x.dtype() == dtype) return x;
  if (dtype == I64) return raw::to(x, dtype);
  return record("to", raw::to(x, dtype),
                {{x, [from = x.dtype()](const Tensor& g) { return to(g, from); }}});
}
Tensor to(const Tensor& x, Device device) {
  check_defined("to", x);
  if (x.device() == device) return x;
  return record("to_device", raw::to(x, device),
                {{x, [from = x.device()](const Tensor& g) { return to(g, from); }}});
}

Tensor cat(const std::vector<Tensor>& xs, int dim) {
  Tensor value = raw::cat(xs, dim);
  dim = normalize_dim("cat", dim, value.dim());
  std::vector<Vjp> vjps;
  int64_t start = 0;
  for (const Tensor& x : xs) {
    const int64_t end = start + x.shape()[dim];
    vjps.emplace_back([=](const Tensor& g) { return slice(g, dim, start, end); });
    start = end;
  }
  return record("cat", std::move(value), xs, std::move(vjps));
}
Tensor stack(const std::vector<Tensor>& xs, int dim) {
  check<ValueError>(!xs.empty(), "stack: no tensors given");
  for (const Tensor& x : xs) {
    check_defined("stack", x);
    raw::check_same_options("stack", {{"the first tensor", xs[0]}, {"another one", x}});
    check<ShapeError>(x.shape() == xs[0].shape(), "stack: {} beside {}", xs[0].shape(), x.shape());
  }
  dim = normalize_dim("stack", dim, xs[0].dim() + 1);
  std::vector<Tensor> slices;
  for (const Tensor& x : xs) slices.push_back(unsqueeze(x, dim));
  return cat(slices, dim);
}

/// The size of x along dim. A 0-d tensor has none.
static int64_t size_along(const char* op, const Tensor& x, int dim) {
  check_defined(op, x);
  check<IndexError>(x.dim() > 0, "{}: dimension {} of a tensor with 0 dimensions", op, dim);
  return x.shape()[normalize_dim(op, dim, x.dim())];
}
std::vector<Tensor> split(const Tensor& x, int64_t size, int dim) {
  check<ValueError>(size >= 1, "split: pieces of size {}; it must be positive", size);
  const int64_t n = size_along("split", x, dim);
  std::vector<Tensor> pieces;
  if (n == 0) pieces.push_back(slice(x, dim, 0, 0));  // so that cat(split(x)) is x
  for (int64_t start = 0; start < n; start += std::min(size, n - start))
    pieces.push_back(slice(x, dim, start, start + std::min(size, n - start)));
  return pieces;
}

std::vector<Tensor> split_with_sizes(const Tensor& x, const std::vector<int64_t>& sizes, int dim) {
  const int64_t n = size_along("split_with_sizes", x, dim);
  int64_t start = 0;
  std::vector<Tensor> pieces;
  for (const int64_t size : sizes) {
    check<ValueError>(size >= 0 && size <= n - start,
                      "split_with_sizes: a piece of size {}, where {} of {} are left", size,
                      n - start, n);
    pieces.push_back(slice(x, dim, start, start + size));
    start += size;
  }
  check<ValueError>(start == n, "split_with_sizes: {} of {} are in no piece", n - start, n);
  return pieces;
}
std::vector<Tensor> unbind(const Tensor& x, int dim) {
  const int64_t n = size_along("unbind", x, dim);
  std::vector<Tensor> parts;
  for (int64_t i = 0; i < n; ++i) parts.push_back(select(x, dim, i));
  return parts;
}
Tensor repeat(const Tensor& x, const Shape& repeats) {
  check_defined("repeat", x);
  const int leading = repeats.size() - x.dim();
  check<ShapeError>(leading >= 0, "repeat: {} times, but the tensor {} has more dimensions",
                    repeats, x.shape());
  Shape shape = repeats, result = repeats;  // x's, with ones in front; and the result's
  for (int d = 0; d < repeats.size(); ++d) {
    check<ValueError>(repeats[d] >= 0, "repeat: {} times; none may be negative", repeats);
    shape[d] = d < leading ? 1 : x.shape()[d - leading];
    result[d] = Shape{repeats[d], shape[d]}.checked_numel("repeat");
  }
  result.checked_numel("repeat");
  Tensor y = reshape(x, shape);
  int64_t after = 1;  // elements of one step along d
  for (int d = shape.size() - 1; d >= 0; --d) {
    after *= shape[d];
    shape[d] = result[d];
    const int64_t before = after == 0 ? 0 : y.numel() / after;
    if (repeats[d] != 1)
      y = reshape(expand(reshape(y, {before, 1, after}), {before, repeats[d], after}), shape);
    after *= repeats[d];
  }
  return y;
}

namespace {
/// The diagonal as a view, without recording.
Tensor diagonal_view(const Tensor& x, int64_t offset, int dim1, int dim2) {
  check_defined("diagonal", x);
  const int a = normalize_dim("diagonal", dim1, x.dim()),
            b = normalize_dim("diagonal", dim2, x.dim());
  check<ShapeError>(x.dim() >= 2 && a != b,
                    "diagonal: dimensions {} and {} of a tensor {}; it takes two different ones",
                    dim1, dim2, x.shape());
  Shape shape = x.shape(), strides = x.strides();
  const int64_t rows = shape[a], columns = shape[b];
  const int64_t down = std::clamp<int64_t>(offset < -rows ? rows : -offset, 0, rows);
  const int64_t right = std::clamp<int64_t>(offset, 0, columns);
  const int64_t start = down * strides[a] + right * strides[b], step = strides[a] + strides[b];
  for (const int d : {std::max(a, b), std::min(a, b)}) {
    shape.erase(d);
    strides.erase(d);
  }
  shape.push_back(std::min(rows - down, columns - right));
  strides.push_back(step);
  return raw::as_strided(x, shape, strides, start);
}
/// Zeros of `shape` with g on the diagonal: the transpose of diagonal.
Tensor diagonal_backward(const Tensor& g, const Shape& shape, int64_t offset, int dim1, int dim2) {
  Tensor value = zeros(shape, g.options());
  raw::copy_(diagonal_view(value, offset, dim1, dim2), g);
  return record("diagonal_backward", std::move(value),
                {{g, [=](const Tensor& gg) { return diagonal(gg, offset, dim1, dim2); }}});
}
}  // namespace

Tensor diagonal(const Tensor& x, int64_t offset, int dim1, int dim2) {
  Tensor value = diagonal_view(x, offset, dim1, dim2);
  return record("diagonal", std::move(value), {{x, [=, shape = x.shape()](const Tensor& g) {
                                                  return diagonal_backward(g, shape, offset, dim1,
                                                                           dim2);
                                                }}});
}

namespace {
/// For each element of a matrix of x's last two sizes: column - row - diagonal.
Tensor from_diagonal(const char* op, const Tensor& x, int64_t diagonal) {
  check_defined(op, x);
  check<ShapeError>(x.dim() >= 2, "{}: a tensor of shape {} has no last two dimensions", op,
                    x.shape());
  const int64_t rows = x.size(-2), columns = x.size(-1);
  const Tensor distance = sub(arange(columns), unsqueeze(arange(rows), 1));
  return to(distance - static_cast<double>(std::clamp(diagonal, -rows, columns)), x.device());
}
}  // namespace

Tensor tril(const Tensor& x, int64_t diagonal) {
  return masked_fill(x, gt(from_diagonal("tril", x, diagonal), 0), 0);
}
Tensor triu(const Tensor& x, int64_t diagonal) {
  return masked_fill(x, lt(from_diagonal("triu", x, diagonal), 0), 0);
}

}  // namespace gradus
