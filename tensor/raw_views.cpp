// Views: a new shape, strides and offset over the same storage. And copies of whole tensors, for
// when a view is not enough.
#include "tensor/raw.h"

namespace gradus {

int normalize_dim(const char* op, int d, int ndim) {
  const int limit = std::max(ndim, 1);
  check<IndexError>(d >= -limit && d < limit, "{}: dimension {} of a tensor with {} dimensions", op,
                    d, ndim);
  return d < 0 ? d + limit : d;
}
Dims normalize_dims(const char* op, const Dims& dims, int ndim) {
  Dims out;
  for (int d : dims) out.push_back(normalize_dim(op, d, ndim));
  if (dims.empty())
    for (int d = 0; d < ndim; ++d) out.push_back(d);
  std::sort(out.begin(), out.end());
  const auto twice = std::adjacent_find(out.begin(), out.end());
  check<IndexError>(twice == out.end(), "{}: dimension {} is named twice", op,
                    twice == out.end() ? 0 : *twice);
  if (ndim == 0) out.clear();  // a 0-d tensor accepts the dimensions -1 and 0, but has none
  return out;
}

namespace raw {

Tensor as_strided(const Tensor& x, const Shape& shape, const Shape& strides, int64_t offset) {
  Tensor out = x.detach();
  out.impl()->shape = shape;
  out.impl()->strides = strides;
  if (shape.numel() == 0) {  // nor may a view of nothing point outside the storage
    out.impl()->offset = 0;
    return out;
  }
  offset += out.impl()->offset;
  int64_t first = offset, last = offset;
  for (int d = 0; d < shape.size(); ++d) {
    const int64_t way = (shape[d] - 1) * strides[d];
    (way < 0 ? first : last) += way;
  }
  const auto end = static_cast<int64_t>(x.impl()->storage->bytes() / size_of(x.dtype()));
  check<IndexError>(first >= 0 && last < end,
                    "as_strided: shape {} with strides {} reaches elements {} to {} of {}", shape,
                    strides, first, last, end);
  out.impl()->offset = offset;
  return out;
}

// Old and new sizes are walked from the end, in groups of equal product. A group of the old shape
// can be divided anew if each of its dimensions continues in memory where the next one ends.
Tensor view_as(const Tensor& x, const Shape& shape) {
  if (x.numel() == 0 || x.is_contiguous())
    return as_strided(x, shape, shape.contiguous_strides(), 0);
  Shape strides = shape;
  int n = shape.size() - 1;
  int64_t block = 1, filled = 1;  // elements of the group, in the old shape and in the new one
  int64_t base = x.strides().back();
  for (int d = x.dim() - 1; d >= 0; --d) {
    block *= x.shape()[d];
    const bool group_ends = d == 0 || (x.shape()[d - 1] != 1 && x.strides()[d - 1] != block * base);
    if (!group_ends) continue;
    while (n >= 0 && (filled < block || shape[n] == 1)) {
      strides[n] = filled * base;
      filled *= shape[n--];
    }
    if (filled != block) return {};
    if (d == 0) break;
    base = x.strides()[d - 1];
    block = filled = 1;
  }
  return n == -1 ? as_strided(x, shape, strides, 0) : Tensor();
}

Tensor reshape(const Tensor& x, const Shape& requested) {
  check_defined("reshape", x);
  Shape shape = requested;
  int unknown = -1;
  for (int d = 0; d < shape.size(); ++d) {
    check<ShapeError>(shape[d] >= -1 && (shape[d] != -1 || unknown < 0),
                      "reshape: {} is not a shape; at most one size may be -1", requested);
    if (shape[d] == -1) {
      unknown = d;
      shape[d] = 1;
    }
  }
  const int64_t known = shape.checked_numel("reshape");
  if (unknown >= 0) {
    check<ShapeError>(known > 0 && x.numel() % known == 0,
                      "reshape: {} with {} elements does not divide into {}", x.shape(), x.numel(),
                      requested);
    shape[unknown] = x.numel() / known;
  }
  check<ShapeError>(shape.numel() == x.numel(), "reshape: {} has {} elements, {} has {}", x.shape(),
                    x.numel(), shape, shape.numel());
  Tensor view = view_as(x, shape);
  return view.defined() ? view : view_as(clone(x), shape);
}

Tensor permute(const Tensor& x, const Dims& dims) {
  check_defined("permute", x);
  check<ShapeError>(static_cast<int>(dims.size()) == x.dim(),
                    "permute: {} dimensions named for a tensor of shape {}; name each once",
                    dims.size(), x.shape());
  if (!dims.empty()) normalize_dims("permute", dims, x.dim());  // refuses a dimension named twice
  Shape shape, strides;
  for (int d : dims) {
    d = normalize_dim("permute", d, x.dim());
    shape.push_back(x.shape()[d]);
    strides.push_back(x.strides()[d]);
  }
  return as_strided(x, shape, strides, 0);
}

Tensor transpose(const Tensor& x, int a, int b) {
  check_defined("transpose", x);
  a = normalize_dim("transpose", a, x.dim());
  b = normalize_dim("transpose", b, x.dim());
  if (x.dim() == 0) return x.detach();
  Shape shape = x.shape(), strides = x.strides();
  std::swap(shape[a], shape[b]);
  std::swap(strides[a], strides[b]);
  return as_strided(x, shape, strides, 0);
}

Tensor slice(const Tensor& x, int dim, int64_t start, int64_t end, int64_t step) {
  check_defined("slice", x);
  check<ShapeError>(x.dim() > 0, "slice: a 0-d tensor has no dimension to slice");
  dim = normalize_dim("slice", dim, x.dim());
  check<ValueError>(step >= 1, "slice: step {}; it must be positive", step);
  const int64_t n = x.shape()[dim];
  if (start < 0) start += n;
  if (end < 0) end += n;
  start = std::clamp<int64_t>(start, 0, n);
  end = std::clamp<int64_t>(end, start, n);
  Shape shape = x.shape(), strides = x.strides();
  shape[dim] = end > start ? (end - start - 1) / step + 1 : 0;
  if (shape[dim] > 1) strides[dim] *= step;  // otherwise it is not used, and might overflow
  return as_strided(x, shape, strides, shape[dim] > 0 ? start * x.strides()[dim] : 0);
}

Tensor select(const Tensor& x, int dim, int64_t index) {
  check_defined("select", x);
  check<ShapeError>(x.dim() > 0, "select: a 0-d tensor has no dimension to select from");
  dim = normalize_dim("select", dim, x.dim());
  const int64_t n = x.shape()[dim];
  check<IndexError>(index >= -n && index < n, "select: index {} in a dimension of size {}", index,
                    n);
  if (index < 0) index += n;
  Shape shape = x.shape(), strides = x.strides();
  const int64_t offset = index * strides[dim];
  shape.erase(dim);
  strides.erase(dim);
  return as_strided(x, shape, strides, offset);
}

Tensor expand(const Tensor& x, const Shape& requested) {
  check_defined("expand", x);
  Shape shape = requested, strides = requested;
  const int extra = shape.size() - x.dim();
  check<ShapeError>(extra >= 0, "expand: {} has more dimensions than {}", x.shape(), requested);
  for (int d = 0; d < shape.size(); ++d) {
    const int64_t n = d < extra ? 1 : x.shape()[d - extra];
    if (shape[d] == -1 && d >= extra) shape[d] = n;
    check<ShapeError>(shape[d] == n || (n == 1 && shape[d] >= 0),
                      "expand: {} does not stretch to {}: only sizes of 1 repeat", x.shape(),
                      requested);
    strides[d] = d < extra || (n == 1 && shape[d] != 1) ? 0 : x.strides()[d - extra];
  }
  shape.checked_numel("expand");
  return as_strided(x, shape, strides, 0);
}

Tensor squeeze(const Tensor& x, int dim) {
  check_defined("squeeze", x);
  dim = normalize_dim("squeeze", dim, x.dim());
  if (x.dim() == 0 || x.shape()[dim] != 1) return x.detach();
  return select(x, dim, 0);
}

Tensor unsqueeze(const Tensor& x, int dim) {
  check_defined("unsqueeze", x);
  dim = normalize_dim("unsqueeze", dim, x.dim() + 1);
  Shape shape = x.shape(), strides = x.strides();
  strides.insert(dim, dim < x.dim() ? shape[dim] * strides[dim] : 1);
  shape.insert(dim, 1);
  return as_strided(x, shape, strides, 0);
}

Tensor clone(const Tensor& x) {
  check_defined("clone", x);
  Tensor out = empty(x.shape(), x.options());
  backend(x.device()).copy(x.view(), out.view());
  return out;
}
Tensor contiguous(const Tensor& x) {
  check_defined("contiguous", x);
  return x.is_contiguous() ? x : clone(x);
}

Tensor to(const Tensor& x, DType dtype) {
  check_defined("to", x);
  if (x.dtype() == dtype) return x;
  Tensor out = empty(x.shape(), {dtype, x.device()});
  backend(x.device()).copy(x.view(), out.view());
  return out;
}
Tensor cat(const std::vector<Tensor>& xs, int dim) {
  check<ValueError>(!xs.empty(), "cat: no tensors given");
  for (const Tensor& x : xs) check_defined("cat", x);
  check<ShapeError>(xs[0].dim() > 0, "cat: 0-d tensors cannot be joined; stack them");
  dim = normalize_dim("cat", dim, xs[0].dim());
  Shape shape = xs[0].shape();
  shape[dim] = 0;
  for (const Tensor& x : xs) {
    check<DTypeError>(x.dtype() == xs[0].dtype(),
                      "cat: {} and {} in one list; convert one with to(x, …)", name(xs[0].dtype()),
                      name(x.dtype()));
    check<DeviceError>(x.device() == xs[0].device(),
                       "cat: one tensor on {}, one on {}; move one with to(x, device)",
                       name(xs[0].device()), name(x.device()));
    bool fits = x.dim() == shape.size();
    for (int d = 0; fits && d < x.dim(); ++d) fits = d == dim || x.shape()[d] == shape[d];
    check<ShapeError>(
        fits, "cat: {} and {} differ in more than dimension {}, along which they are joined",
        xs[0].shape(), x.shape(), dim);
    shape[dim] += x.shape()[dim];
  }
  Tensor out = empty(shape, xs[0].options());
  int64_t start = 0;
  for (const Tensor& x : xs) {
    copy_(slice(out, dim, start, start + x.shape()[dim]), x);
    start += x.shape()[dim];
  }
  return out;
}

}  // namespace raw
}  // namespace gradus
