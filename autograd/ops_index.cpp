// Picking rows and elements by index. Its transpose, and gradient, is adding at that index.
#include "autograd/ops.h"

namespace gradus {

Tensor index_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
  check_defined("index_add", x, index, source);
  Tensor value = raw::clone(x);
  raw::index_add_(value, dim, index, source);
  return record("index_add", std::move(value),
                {{x, [](const Tensor& g) { return g; }},
                 {source, [dim, index](const Tensor& g) { return index_select(g, dim, index); }}});
}

namespace {
/// A 0-d tensor as one of a single element.
Tensor at_least_1d(const Tensor& x) { return x.dim() == 0 ? unsqueeze(x, 0) : x; }
}  // namespace

Tensor index_select(const Tensor& x, int dim, const Tensor& index) {
  check_defined("index_select", x, index);
  if (x.dim() == 0) return squeeze(index_select(at_least_1d(x), dim, index), 0);
  if (index.dim() == 0) return index_select(x, dim, at_least_1d(index));
  return record("index_select", raw::index_select(x, dim, index),
                {{x, [=, shape = x.shape()](const Tensor& g) {
                    return index_add(zeros(shape, g.options()), dim, index, g);
                  }}});
}

Tensor embedding(const Tensor& weight, const Tensor& ids) {
  check_defined("embedding", weight, ids);
  return record("embedding", raw::embedding(weight, ids),
                {{weight, [ids, shape = weight.shape()](const Tensor& g) {
                    const int64_t n = ids.numel();
                    return index_add(zeros(shape, g.options()), 0, reshape(ids, {n}),
                                     reshape(g, {n, shape[1]}));
                  }}});
}

Tensor gather(const Tensor& x, int dim, const Tensor& index) {
  check_defined("gather", x, index);
  if (x.dim() == 0 || index.dim() == 0)
    return reshape(gather(at_least_1d(x), dim, at_least_1d(index)), index.shape());
  return record("gather", raw::gather(x, dim, index),
                {{x, [=, shape = x.shape()](const Tensor& g) {
                    return scatter_add(zeros(shape, g.options()), dim, index, g);
                  }}});
}

Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
  check_defined("scatter_add", x, index, source);
  if (x.dim() == 0 || index.dim() == 0 || source.dim() == 0)
    return reshape(scatter_add(at_least_1d(x), dim, at_least_1d(index), at_least_1d(source)),
                   x.shape());
  Tensor value = raw::clone(x);
  raw::scatter_add_(value, dim, index, source);
  return record("scatter_add", std::move(value),
                {{x, [](const Tensor& g) { return g; }},
                 {source, [dim, index](const Tensor& g) { return gather(g, dim, index); }}});
}

Tensor one_hot(const Tensor& ids, int64_t classes) {
  check_defined("one_hot", ids);
  check<DTypeError>(ids.dtype() == I64, "one_hot: ids are {}; they must be int64",
                    name(ids.dtype()));
  check<ValueError>(classes >= 0, "one_hot: {} classes; it must not be negative", classes);
  raw::check_indices("one_hot", ids, classes);
  return eq(unsqueeze(ids, -1), to(arange(classes), ids.device()));
}

}  // namespace gradus
