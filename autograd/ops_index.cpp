// Picking rows and elements by index. Picking and adding-back are each other's transpose.
#include "autograd/ops.h"

namespace gradus {

Tensor index_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
  Tensor value = raw::clone(x);
  raw::index_add_(value, dim, index, source);
  return record("index_add", std::move(value),
                {{x, [](const Tensor& g) { return g; }},
                 {source, [dim, index](const Tensor& g) { return index_select(g, dim, index); }}});
}

Tensor index_select(const Tensor& x, int dim, const Tensor& index) {
  return record("index_select", raw::index_select(x, dim, index),
                {{x, [=, shape = x.shape()](const Tensor& g) {
                    return index_add(zeros(shape, g.options()), dim, index, g);
                  }}});
}

Tensor embedding(const Tensor& weight, const Tensor& ids) {
  return record("embedding", raw::embedding(weight, ids),
                {{weight, [ids, shape = weight.shape()](const Tensor& g) {
                    const Tensor rows = reshape(g, {ids.numel(), shape[1]});
                    return index_add(zeros(shape, g.options()), 0, reshape(ids, {ids.numel()}),
                                     rows);
                  }}});
}

Tensor gather(const Tensor& x, int dim, const Tensor& index) {
  return record("gather", raw::gather(x, dim, index),
                {{x, [=, shape = x.shape()](const Tensor& g) {
                    return scatter_add(zeros(shape, g.options()), dim, index, g);
                  }}});
}

Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
  Tensor value = raw::clone(x);
  raw::scatter_add_(value, dim, index, source);
  return record("scatter_add", std::move(value),
                {{x, [](const Tensor& g) { return g; }},
                 {source, [dim, index](const Tensor& g) { return gather(g, dim, index); }}});
}

Tensor one_hot(const Tensor& ids, int64_t classes) {
  check<DTypeError>(ids.dtype() == I64, "one_hot: ids are {}; they must be int64",
                    name(ids.dtype()));
  raw::check_indices("one_hot", ids, classes);
  return eq(unsqueeze(ids, -1), to(arange(classes), ids.device()));
}

}  // namespace gradus
