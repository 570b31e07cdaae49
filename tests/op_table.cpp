// The table, its inputs, and the loops for writing references.
#include "tests/op_table.h"

namespace gradus::test {

const std::vector<OpRow>& op_table() {
  static const std::vector<OpRow> table = [] {
    std::vector<OpRow> all;
    for (auto family : {elementwise_rows, shape_rows, reduce_rows, product_rows, index_rows,
                        softmax_and_norm_rows, attention_rows})
      for (OpRow& row : family()) all.push_back(std::move(row));
    return all;
  }();
  return table;
}

const std::vector<std::pair<std::string, std::string>>& internal_ops() {
  static const std::vector<std::pair<std::string, std::string>> ops = {
      {"slice_backward",
       "the gradient of slice, select and split; differentiated once more by "
       "the second derivatives of those rows"},
      {"diagonal_backward",
       "the gradient of diagonal; differentiated once more by the second derivatives of its row"},
      {"alias",
       "wraps the inputs of a fused op for a second derivative: the second derivatives of every "
       "fused row"},
      {"to_device", "needs two devices: a copy, whose gradient is the copy back"},
  };
  return ops;
}

namespace {

/// Evenly spaced over [low, high] and shuffled. No two are equal, so max, sort and |a - b| have no
/// ties. The offset differs between inputs, and keeps 0 out of a symmetric range.
Tensor spread(const InputSpec& spec, const Shape& shape, int k) {
  Generator generator(static_cast<uint64_t>(k) + 1);
  if (spec.below > 0) return randint(0, spec.below, shape, generator);
  const auto n = shape.numel();
  const Tensor rank = reshape(to(randperm(n, generator), F64), shape);
  const double width = (spec.high - spec.low) / static_cast<double>(std::max<int64_t>(n, 1));
  return (rank + (0.3 + 0.17 * k)) * width + spec.low;
}

}  // namespace

Tensors make_inputs(const OpRow& row, const Shapes& shapes, Device device) {
  check<ValueError>(shapes.size() == row.inputs.size(), "{}: {} shapes for {} inputs", row.name,
                    shapes.size(), row.inputs.size());
  Tensors inputs;
  for (size_t k = 0; k < shapes.size(); ++k)
    inputs.push_back(to(spread(row.inputs[k], shapes[k], static_cast<int>(k)), device));
  return inputs;
}

std::vector<Shapes> all_shapes(const OpRow& row) {
  Shapes own;
  for (const InputSpec& spec : row.inputs) own.push_back(spec.shape);
  std::vector<Shapes> all = {own};
  all.insert(all.end(), row.also.begin(), row.also.end());
  return all;
}

// ---- References

Tensor build(const Shape& shape, const std::function<double(const Index&)>& value) {
  Tensor out = empty(shape, F64);
  double* p = out.data<double>();
  Index i(static_cast<size_t>(shape.size()), 0);
  for (int64_t flat = 0; flat < shape.numel(); ++flat) {
    int64_t rest = flat;
    for (int d = shape.size() - 1; d >= 0; --d) {
      i[d] = rest % shape[d];
      rest /= shape[d];
    }
    p[flat] = value(i);
  }
  return out;
}

double at(const Tensor& x, const Index& i) {
  const View v = x.view();
  const auto extra = static_cast<int>(i.size()) - v.ndim;
  int64_t where = 0;
  for (int d = 0; d < v.ndim; ++d) where += v.sizes[d] == 1 ? 0 : i.at(d + extra) * v.strides[d];
  return v.dtype == I64 ? static_cast<double>(v.as<int64_t>()[where]) : v.as<double>()[where];
}

Tensor combine(const Tensor& a, const Tensor& b, const std::function<double(double, double)>& f) {
  return build(broadcast_shape("combine", a.shape(), b.shape()),
               [&](const Index& i) { return f(at(a, i), at(b, i)); });
}

Tensor fold(const Tensor& x, const Dims& dims_or_all, bool keepdim,
            const std::function<double(const std::vector<double>&)>& value) {
  const Dims dims = normalize_dims("fold", dims_or_all, x.dim());
  Shape with_ones = x.shape(), along, remaining;
  for (int d : dims) {
    with_ones[d] = 1;
    along.push_back(x.shape()[d]);
  }
  const Tensor out = build(with_ones, [&](const Index& i) {
    std::vector<double> line;
    build(along, [&](const Index& j) {  // used as a loop over indices
      Index k = i;
      for (size_t d = 0; d < dims.size(); ++d) k[dims[d]] = j[d];
      line.push_back(at(x, k));
      return 0.0;
    });
    return value(line);
  });
  for (int d = 0; d < x.dim(); ++d)
    if (std::find(dims.begin(), dims.end(), d) == dims.end()) remaining.push_back(x.shape()[d]);
  return keepdim ? out : raw::reshape(out, remaining);
}

}  // namespace gradus::test
