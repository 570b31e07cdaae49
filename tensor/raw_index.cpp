// Indexing on values. Indices are checked on the device where they are: a GPU is not waited for.
#include "tensor/raw.h"

namespace gradus::raw {

namespace {
void check_index_dtype(const char* op, const Tensor& x, const Tensor& index) {
  check<DTypeError>(index.dtype() == I64, "{}: the index is {}; it must be int64", op,
                    name(index.dtype()));
  check<DeviceError>(index.device() == x.device(), "{}: tensor on {}, index on {}", op,
                     name(x.device()), name(index.device()));
}

/// gather and scatter: index has as many dimensions as x and nowhere more elements, but along dim.
void check_gather(const char* op, const Tensor& x, int dim, const Tensor& index) {
  check_index_dtype(op, x, index);
  bool fits = index.dim() == x.dim() && x.dim() > 0;
  for (int d = 0; fits && d < x.dim(); ++d) fits = d == dim || index.shape()[d] <= x.shape()[d];
  check<ShapeError>(fits, "{}: index {} does not fit {} along dimension {}", op, index.shape(),
                    x.shape(), dim);
  check_indices(op, index, x.shape()[dim]);
}
/// What is added into `out`.
void check_source(const char* op, const Tensor& source, const Tensor& out) {
  check<DTypeError>(source.dtype() == out.dtype(), "{}: {} into {}; convert with to(x, {})", op,
                    name(source.dtype()), name(out.dtype()),
                    out.dtype() == F32   ? "F32"
                    : out.dtype() == F64 ? "F64"
                                         : "I64");
  check<DeviceError>(source.device() == out.device(), "{}: source on {} into a tensor on {}", op,
                     name(source.device()), name(out.device()));
}
}  // namespace

void check_indices(const char* op, const Tensor& index, int64_t size,
                   std::optional<int64_t> ignore_index) {
  check_defined(op, index);
  check<DTypeError>(index.dtype() == I64, "{}: the index is {}; it must be int64", op,
                    name(index.dtype()));
  backend(index.device()).check_indices(op, index.view(), size, ignore_index);
}

Tensor index_select(const Tensor& x, int dim, const Tensor& index) {
  check_index_dtype("index_select", x, index);
  check<ShapeError>(x.dim() > 0 && index.dim() == 1,
                    "index_select: x {}, index {}; the index must be 1-d", x.shape(),
                    index.shape());
  dim = normalize_dim("index_select", dim, x.dim());
  check_indices("index_select", index, x.shape()[dim]);
  Shape shape = x.shape();
  shape[dim] = index.numel();
  Tensor out = empty(shape, x.options());
  backend(x.device()).index_select(x.view(), dim, contiguous(index).view(), out.view());
  return out;
}

Tensor embedding(const Tensor& weight, const Tensor& ids) {
  check_index_dtype("embedding", weight, ids);
  check<ShapeError>(weight.dim() == 2, "embedding: weight {}; it must be (vocabulary, channels)",
                    weight.shape());
  check_indices("embedding", ids, weight.size(0));
  Shape shape = ids.shape();
  shape.push_back(weight.size(1));
  Tensor out = empty(shape, weight.options());
  const Tensor flat = reshape(contiguous(ids), {ids.numel()});
  backend(weight.device())
      .index_select(weight.view(), 0, flat.view(),
                    view_as(out, {ids.numel(), weight.size(1)}).view());
  return out;
}

Tensor gather(const Tensor& x, int dim, const Tensor& index) {
  dim = normalize_dim("gather", dim, x.dim());
  check_gather("gather", x, dim, index);
  Tensor out = empty(index.shape(), x.options());
  backend(x.device()).gather(x.view(), dim, index.view(), out.view());
  return out;
}

void index_add_(const Tensor& out, int dim, const Tensor& index, const Tensor& source) {
  check_index_dtype("index_add", out, index);
  check_source("index_add", source, out);
  check<ShapeError>(out.dim() > 0, "index_add: a 0-d tensor has no rows to add to");
  dim = normalize_dim("index_add", dim, out.dim());
  Shape shape = out.shape();
  shape[dim] = index.numel();
  check<ShapeError>(index.dim() == 1 && source.shape() == shape,
                    "index_add: source {}, index {} into {} along dimension {}", source.shape(),
                    index.shape(), out.shape(), dim);
  check_indices("index_add", index, out.shape()[dim]);
  out.written();
  backend(out.device()).index_add(dim, contiguous(index).view(), source.view(), out.view());
}

void scatter_add_(const Tensor& out, int dim, const Tensor& index, const Tensor& source) {
  dim = normalize_dim("scatter_add", dim, out.dim());
  check_gather("scatter_add", out, dim, index);
  check<ShapeError>(source.shape() == index.shape(),
                    "scatter_add: source {} for index {}; their shapes must agree", source.shape(),
                    index.shape());
  check_source("scatter_add", source, out);
  out.written();
  backend(out.device()).scatter_add(dim, index.view(), source.view(), out.view());
}

}  // namespace gradus::raw
