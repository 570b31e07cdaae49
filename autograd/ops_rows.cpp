// Operations on rows: softmax, normalisation, dropout, cross-entropy. Each fused op has its
// definition, in plain operations, beside the kernel that makes it fast.
#include <cmath>

#include "autograd/ops.h"

namespace gradus {

namespace {

using Rows = Tensor (*)(const Tensor&);
using RowsBackward = Tensor (*)(const Tensor& g, const Tensor& y);

/// A fused op along the last dimension whose gradient needs only its output.
Tensor along_rows(const char* op, Rows kernel, RowsBackward backward, const Tensor& x, int dim,
                  Composite composite) {
  dim = normalize_dim(op, dim, x.dim());
  check<DTypeError>(x.is_floating_point(), "{}: not defined for int64; convert with to(x, F32)",
                    op);
  if (dim < x.dim() - 1)
    return transpose(along_rows(op, kernel, backward, transpose(x, dim, -1), -1, composite), dim,
                     -1);
  return record_fused(
      op, kernel(x), {x},
      [backward](const Tensor& g, const Tensor& y) { return std::vector{backward(g, y)}; },
      std::move(composite));
}

}  // namespace

Tensor softmax(const Tensor& x, int dim) {
  return along_rows("softmax", raw::softmax, raw::softmax_backward, x, dim,
                    [](std::span<const Tensor> in) { return exp(log_softmax(in[0])); });
}
Tensor log_softmax(const Tensor& x, int dim) {
  return along_rows("log_softmax", raw::log_softmax, raw::log_softmax_backward, x, dim,
                    [](std::span<const Tensor> in) {
                      if (in[0].numel() == 0) return in[0] * 1.0;
                      // The maximum is a constant here: whatever is taken away, the value is the same.
                      const Tensor d = in[0] - raw::reduce(ReduceOp::Max, in[0], {-1}, true);
                      return d - logsumexp(d, {-1}, true);
                    });
}

namespace {
/// What a norm with such a parameter is over: x's last sizes, as many as the parameter has; one, if undefined.
Shape normalized_shape(const char* op, const Tensor& x, const Tensor& parameter) {
  const int n = parameter.defined() ? parameter.dim() : 1;
  check<ShapeError>(n > 0 && n <= x.dim(), "{}: x {} has no last {} dimensions to normalise", op,
                    x.shape(), n);
  const Shape inner(std::span<const int64_t>(x.shape().end() - n, static_cast<size_t>(n)));
  check<ShapeError>(!parameter.defined() || parameter.shape() == inner,
                    "{}: weight or bias {} for x {}; it must have x's last sizes", op,
                    parameter.defined() ? parameter.shape() : inner, x.shape());
  return inner;
}
Dims last_dims(const Shape& inner) {
  Dims dims;
  for (int d = -inner.size(); d < 0; ++d) dims.push_back(d);
  return dims;
}
}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  const Shape inner = normalized_shape("layer_norm", x, weight.defined() ? weight : bias);
  const Tensor w = weight.defined() ? weight : ones(inner, x.options()),
               b = bias.defined() ? bias : zeros(inner, x.options());
  check<ShapeError>(b.shape() == inner, "layer_norm: weight {} and bias {} differ", w.shape(),
                    b.shape());
  check<DTypeError>(x.is_floating_point() && w.dtype() == x.dtype() && b.dtype() == x.dtype(),
                    "layer_norm: x {}, weight {}, bias {}", name(x.dtype()), name(w.dtype()),
                    name(b.dtype()));
  check<DeviceError>(w.device() == x.device() && b.device() == x.device(),
                     "layer_norm: x on {}, weight on {}, bias on {}", name(x.device()),
                     name(w.device()), name(b.device()));
  const int64_t n = inner.numel();
  if (n == 0) return x * w + b;  // nothing to normalise
  const auto as_rows = [n](const Tensor& t) {
    return raw::reshape(raw::contiguous(t), {t.numel() / n, n});
  };
  const Tensor rows = as_rows(x.detach()), scale = raw::reshape(raw::contiguous(w.detach()), {n}),
               shift = raw::reshape(raw::contiguous(b.detach()), {n});
  const Tensor mean_ = empty({rows.size(0)}, x.options()),
               rstd = empty({rows.size(0)}, x.options());
  Tensor out = empty(x.shape(), x.options());
  backend(x.device())
      .layer_norm(rows.view(), scale.view(), shift.view(), eps, as_rows(out).view(), mean_.view(),
                  rstd.view());
  auto joint = [rows, scale, mean_, rstd, as_rows, inner, shape = x.shape()](const Tensor& g,
                                                                             const Tensor&) {
    const Options like = rows.options();
    Tensor dx = empty(shape, like), dw = empty(scale.shape(), like), db = empty(dw.shape(), like);
    backend(rows.device())
        .layer_norm_backward(as_rows(g).view(), rows.view(), scale.view(), mean_.view(),
                             rstd.view(), as_rows(dx).view(), dw.view(), db.view());
    return std::vector{dx, raw::reshape(dw, inner), raw::reshape(db, inner)};
  };
  return record_fused("layer_norm", std::move(out), {x, w, b}, joint,
                      [eps, dims = last_dims(inner)](std::span<const Tensor> in) {
                        return (in[0] - mean(in[0], dims, true)) *
                                   rsqrt(var(in[0], dims, true, 0) + eps) * in[1] +
                               in[2];
                      });
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  const Dims dims = last_dims(normalized_shape("rms_norm", x, weight));
  if (x.numel() == 0) return weight.defined() ? x * weight : x * 1.0;  // also where C = 0
  const Tensor y = x * rsqrt(mean(square(x), dims, true) + eps);
  return weight.defined() ? y * weight : y;
}

namespace {
/// Dropout is linear once its mask is fixed, and the key fixes it: the gradient is the same
/// function of g.
Tensor dropout_with(PhiloxKey key, double p, const Tensor& x) {
  const Tensor from = raw::contiguous(x);
  Tensor out = empty(x.shape(), x.options());
  backend(x.device()).dropout(key, p, from.view(), out.view());
  return record("dropout", std::move(out),
                {{x, [key, p](const Tensor& g) { return dropout_with(key, p, g); }}});
}
}  // namespace

Tensor dropout(const Tensor& x, double p, Generator& generator) {
  check<ValueError>(p >= 0 && p <= 1, "dropout: probability {}; it must be in [0, 1]", p);
  check<DTypeError>(x.is_floating_point(), "dropout: not defined for int64");
  if (p == 0) return x;
  if (p == 1) return masked_fill(x, ones({}, {I64, x.device()}), 0);
  return dropout_with(generator.next(x.numel()), p, x);
}

namespace {

/// How many rows count; every target that does is in [0, classes).
int64_t check_targets(const char* op, const Tensor& targets, int64_t classes,
                      int64_t ignore_index) {
  int64_t counted = 0;
  const std::vector<int64_t> values = targets.to_vector<int64_t>();
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == ignore_index) continue;
    check<IndexError>(values[i] >= 0 && values[i] < classes,
                      "{}: target {} at position {} is outside [0, {})", op, values[i], i, classes);
    ++counted;
  }
  return counted;
}

void check_options(const char* op, const Tensor& x, const Tensor& targets,
                   const CrossEntropyOptions& o) {
  check<ShapeError>(x.dim() >= 1, "{}: input of shape {} has no classes", op, x.shape());
  check<ValueError>(o.label_smoothing >= 0 && o.label_smoothing <= 1,
                    "{}: label smoothing {} is outside [0, 1]", op, o.label_smoothing);
  check<ValueError>(o.reduction != Reduction::BatchMean,
                    "{}: its Mean is over the rows already; BatchMean is kl_div's", op);
  check<DeviceError>(x.device() == targets.device(), "{}: input on {}, targets on {}", op,
                     name(x.device()), name(targets.device()));
  if (!o.weight.defined()) return;
  check<ShapeError>(o.weight.shape() == Shape{x.size(-1)},
                    "{}: class weights {} for input {}; wanted one for each class", op,
                    o.weight.shape(), x.shape());
  check<DTypeError>(o.weight.dtype() == x.dtype(), "{}: class weights {}, input {}", op,
                    name(o.weight.dtype()), name(x.dtype()));
  check<DeviceError>(o.weight.device() == x.device(), "{}: class weights on {}, input on {}", op,
                     name(o.weight.device()), name(x.device()));
}

/// PyTorch's order, which many have at hand: (N, C, …) with targets (N, …).
bool has_classes_second(const Shape& x, const Shape& targets) {
  if (x.size() < 3) return false;
  Shape rest = x;
  rest.erase(1);
  return rest == targets;
}

/// Scores (…, C) as rows (N, C), their targets as (N,), and what the rows count for in all.
struct Classified {
  Tensor rows, ids;
  double weight;

  Classified(const char* op, const Tensor& x, const Tensor& targets, const CrossEntropyOptions& o) {
    Shape expected = x.shape();
    expected.erase(expected.size() - 1);
    check<ShapeError>(targets.shape() == expected, "{}: input {} wants targets {}, not {}{}", op,
                      x.shape(), expected, targets.shape(),
                      has_classes_second(x.shape(), targets.shape())
                          ? "; here the classes come last: move PyTorch's dimension 1 with permute"
                          : "");
    const int64_t classes = x.size(-1), n = targets.numel();
    check<ShapeError>(classes > 0 || n == 0, "{}: input {} has no classes", op, x.shape());
    const int64_t counted = check_targets(op, targets, classes, o.ignore_index);
    check<ValueError>(o.reduction != Reduction::Mean || counted > 0,
                      "{}: no row counts ({} rows, all ignored): the mean of nothing is undefined",
                      op, n);
    rows = reshape(x, {n, classes});
    ids = raw::reshape(raw::contiguous(targets), {n});
    weight = static_cast<double>(counted);
    if (!o.weight.defined()) return;
    weight = 0;
    const std::vector<double> of_class = o.weight.to_vector<double>();
    for (const int64_t t : ids.to_vector<int64_t>())
      if (t != o.ignore_index) weight += of_class[static_cast<size_t>(t)];
    check<ValueError>(o.reduction != Reduction::Mean || weight != 0,
                      "{}: the class weights of all targets add up to 0", op);
  }
};

/// Of all losses, where the rows count for `weight` in all.
Tensor reduced(const Tensor& losses, Reduction reduction, double weight) {
  if (reduction == Reduction::None) return losses;
  const Tensor total = sum(losses);
  return reduction == Reduction::Sum ? total : total / weight;
}

/// The definition, of log-probabilities (N, C): -sum_j w_j q_j log p_j with q = (1 - s) one_hot + s / C; 0 for
/// ignored rows.
Tensor nll_rows(const Tensor& log_p, const Tensor& targets, const CrossEntropyOptions& o) {
  const Tensor ignored = eq(targets, static_cast<double>(o.ignore_index));
  const Tensor safe = unsqueeze(masked_fill(targets, ignored, 0), 1);
  const Tensor counted = o.weight.defined() ? log_p * o.weight : log_p;
  Tensor loss = squeeze(gather(counted, 1, safe), 1) * (o.label_smoothing - 1);
  // Without smoothing the mean must not be touched: 0 times an infinite logarithm is NaN.
  if (o.label_smoothing != 0) loss = loss - mean(counted, {-1}) * o.label_smoothing;
  return masked_fill(loss, ignored, 0);
}

/// -sum_c w_c q_c log p_c with q = (1 - s) target + s / C.
Tensor cross_entropy_with_probabilities(const Tensor& logits, const Tensor& targets,
                                        const CrossEntropyOptions& o) {
  check<ShapeError>(targets.shape() == logits.shape(),
                    "cross_entropy: logits {} want target probabilities of the same shape, not {}",
                    logits.shape(), targets.shape());
  const int64_t rows = logits.numel() / std::max<int64_t>(logits.size(-1), 1);
  check<ValueError>(o.reduction != Reduction::Mean || rows > 0,
                    "cross_entropy: the mean of an empty batch {}", logits.shape());
  const double s = o.label_smoothing, floor = s / static_cast<double>(logits.size(-1));
  Tensor q = s == 0 ? targets : targets * (1 - s) + floor;
  if (o.weight.defined()) q = q * o.weight;
  return reduced(-sum(q * log_softmax(logits), {-1}), o.reduction, static_cast<double>(rows));
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& o) {
  check<DTypeError>(
      logits.is_floating_point() && (targets.dtype() == I64 || targets.dtype() == logits.dtype()),
      "cross_entropy: logits {}, targets {}; logits must be floating, targets int64 class indices "
      "or probabilities in the logits' dtype",
      name(logits.dtype()), name(targets.dtype()));
  check_options("cross_entropy", logits, targets, o);
  if (targets.is_floating_point()) return cross_entropy_with_probabilities(logits, targets, o);
  const Classified in("cross_entropy", logits, targets, o);
  auto definition = [ids = in.ids, o](std::span<const Tensor> flat) {
    return nll_rows(log_softmax(flat[0]), ids, o);
  };
  if (o.weight.defined())
    return reduced(reshape(definition({&in.rows, 1}), targets.shape()), o.reduction, in.weight);

  const Tensor rows = raw::contiguous(in.rows).detach();
  Tensor losses = empty({rows.size(0)}, rows.options());
  const Tensor lse = empty({rows.size(0), 2}, rows.options());
  Backend& device = backend(rows.device());
  device.cross_entropy(rows.view(), in.ids.view(), o.ignore_index, o.label_smoothing, losses.view(),
                       lse.view());
  auto joint = [rows, ids = in.ids, lse, o, &device](const Tensor& g, const Tensor&) {
    Tensor dlogits = empty(rows.shape(), rows.options());
    device.cross_entropy_backward(raw::contiguous(g).view(), rows.view(), ids.view(), lse.view(),
                                  o.ignore_index, o.label_smoothing, dlogits.view());
    return std::vector{dlogits};
  };
  losses = record_fused("cross_entropy", std::move(losses), {in.rows}, joint, definition);
  return reduced(reshape(losses, targets.shape()), o.reduction, in.weight);
}

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& targets,
                const CrossEntropyOptions& o) {
  check<DTypeError>(log_probabilities.is_floating_point() && targets.dtype() == I64,
                    "nll_loss: log-probabilities {}, targets {}; wanted floating, and int64",
                    name(log_probabilities.dtype()), name(targets.dtype()));
  check<ValueError>(o.label_smoothing == 0,
                    "nll_loss: it knows no label smoothing; cross_entropy does");
  check_options("nll_loss", log_probabilities, targets, o);
  const Classified in("nll_loss", log_probabilities, targets, o);
  return reduced(reshape(nll_rows(in.rows, in.ids, o), targets.shape()), o.reduction, in.weight);
}

}  // namespace gradus
