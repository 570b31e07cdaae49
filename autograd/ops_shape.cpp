// Operations that move or view numbers without changing them: the gradient goes the opposite way.
#include <numeric>

#include "autograd/ops.h"

namespace gradus {

Tensor reshape(const Tensor& x, const Shape& shape) {
  return record("reshape", raw::reshape(x, shape),
                {{x, [from = x.shape()](const Tensor& g) { return reshape(g, from); }}});
}
Tensor flatten(const Tensor& x, int start) {
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
  return record("slice", raw::slice(x, dim, start, end, step),
                {{x, [=, shape = x.shape()](const Tensor& g) {
                    return slice_backward(g, shape, dim, start, end, step);
                  }}});
}
Tensor select(const Tensor& x, int dim, int64_t index) {
  dim = normalize_dim("select", dim, x.dim());
  Tensor value = raw::select(x, dim, index);
  if (index < 0) index += x.shape()[dim];
  return record("select", std::move(value), {{x, [=, shape = x.shape()](const Tensor& g) {
                                                return slice_backward(unsqueeze(g, dim), shape, dim,
                                                                      index, index + 1, 1);
                                              }}});
}
Tensor expand(const Tensor& x, const Shape& shape) {  // the engine sums what was repeated
  return record("expand", raw::expand(x, shape), {{x, [](const Tensor& g) { return g; }}});
}
Tensor squeeze(const Tensor& x, int dim) {
  return record("squeeze", raw::squeeze(x, dim),
                {{x, [from = x.shape()](const Tensor& g) { return reshape(g, from); }}});
}
Tensor squeeze(const Tensor& x) {
  Shape shape;
  for (int d = 0; d < x.dim(); ++d)
    if (x.shape()[d] != 1) shape.push_back(x.shape()[d]);
  return reshape(x, shape);
}
Tensor unsqueeze(const Tensor& x, int dim) {
  return record("unsqueeze", raw::unsqueeze(x, dim),
                {{x, [from = x.shape()](const Tensor& g) { return reshape(g, from); }}});
}
Tensor contiguous(const Tensor& x) {
  if (x.is_contiguous()) return x;
  return clone(x);
}
Tensor clone(const Tensor& x) {
  return record("clone", raw::clone(x), {{x, [](const Tensor& g) { return g; }}});
}
Tensor to(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  if (dtype == I64) return raw::to(x, dtype);
  return record("to", raw::to(x, dtype),
                {{x, [from = x.dtype()](const Tensor& g) { return to(g, from); }}});
}
Tensor to(const Tensor& x, Device device) {
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
  std::vector<Tensor> rows;
  for (const Tensor& x : xs) {
    check<ShapeError>(x.shape() == xs[0].shape(), "stack: {} beside {}", xs[0].shape(), x.shape());
    rows.push_back(unsqueeze(x, dim));
  }
  return cat(rows, normalize_dim("stack", dim, xs[0].dim() + 1));
}
std::vector<Tensor> split(const Tensor& x, int64_t size, int dim) {
  check<ValueError>(size >= 1, "split: pieces of size {}", size);
  const int64_t n = x.size(dim);
  std::vector<Tensor> pieces;
  if (n == 0) pieces.push_back(slice(x, dim, 0, 0));  // so that cat(split(x)) is x
  for (int64_t start = 0; start < n; start += std::min(size, n - start))
    pieces.push_back(slice(x, dim, start, start + std::min(size, n - start)));
  return pieces;
}

std::vector<Tensor> split_with_sizes(const Tensor& x, const std::vector<int64_t>& sizes, int dim) {
  int64_t left = x.size(dim);
  std::vector<Tensor> pieces;
  for (const int64_t size : sizes) {
    check<ValueError>(size >= 0 && size <= left,
                      "split_with_sizes: a piece of size {}, where {} of {} are left", size, left,
                      x.size(dim));
    const int64_t start = x.size(dim) - left;
    pieces.push_back(slice(x, dim, start, start + size));
    left -= size;
  }
  check<ValueError>(left == 0, "split_with_sizes: {} of {} belong to no piece", left, x.size(dim));
  return pieces;
}
std::vector<Tensor> unbind(const Tensor& x, int dim) {
  std::vector<Tensor> parts;
  for (int64_t i = 0; i < x.size(dim); ++i) parts.push_back(select(x, dim, i));
  return parts;
}
Tensor repeat(const Tensor& x, const Shape& repeats) {
  const int leading = repeats.size() - x.dim();
  check<ShapeError>(leading >= 0, "repeat: {} times, but the tensor {} has more dimensions",
                    repeats, x.shape());
  Shape shape = repeats;  // x's, with ones in front; then, from the last dimension on, the result's
  for (int d = 0; d < repeats.size(); ++d) {
    check<ValueError>(repeats[d] >= 0, "repeat: {} times", repeats);
    shape[d] = d < leading ? 1 : x.shape()[d - leading];
  }
  Tensor y = reshape(x, shape);
  int64_t after = 1;  // elements of one step along d
  for (int d = shape.size() - 1; d >= 0; --d) {
    after *= shape[d];
    shape[d] = Shape{repeats[d], shape[d]}.checked_numel("repeat");
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
  const int a = normalize_dim("diagonal", dim1, x.dim()),
            b = normalize_dim("diagonal", dim2, x.dim());
  check<ShapeError>(x.dim() >= 2 && a != b, "diagonal: dimensions {} and {} of a tensor {}", dim1,
                    dim2, x.shape());
  Shape shape = x.shape(), strides = x.strides();
  const int64_t rows = shape[a], columns = shape[b];
  const int64_t down = std::clamp<int64_t>(offset < -rows ? rows : -offset, 0, rows);
  const int64_t right = std::clamp<int64_t>(offset, 0, columns);
  const int64_t start = down * strides[a] + right * strides[b], step = strides[a] + strides[b];
  for (const int d : {std::max(a, b), std::min(a, b)}) shape.erase(d), strides.erase(d);
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
  return record("diagonal", diagonal_view(x, offset, dim1, dim2),
                {{x, [=, shape = x.shape()](const Tensor& g) {
                    return diagonal_backward(g, shape, offset, dim1, dim2);
                  }}});
}

namespace {
/// For each element of a matrix of x's last two sizes: column - row - diagonal.
Tensor from_diagonal(const char* op, const Tensor& x, int64_t diagonal) {
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
