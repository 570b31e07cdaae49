// Rows of softmax, normalisation, dropout and cross-entropy, each from its formula in plain loops.
#include <algorithm>
#include <cmath>

#include "tests/op_table.h"

namespace gradus::test {

namespace {

/// The softmax along `dim` at i, without subtracting the maximum.
double soft(const Tensor& x, Index i, int dim) {
  const double top = std::exp(at(x, i));
  double below = 0;
  for (i[dim] = 0; i[dim] < x.size(dim); ++i[dim]) below += std::exp(at(x, i));
  return top / below;
}

Shapes matrix(int64_t rows, int64_t n) { return {{1, rows, n}}; }
Shapes matrix_and_weight(int64_t rows, int64_t n) { return {{rows, n}, {n}}; }
Shapes matrix_weight_and_bias(int64_t rows, int64_t n) { return {{rows, n}, {n}, {n}}; }
Shapes matrix_and_targets(int64_t rows, int64_t n) { return {{rows, n}, {rows}}; }

OpRow softmax_row(std::string name, bool log_of, int dim) {
  return {
      .name = std::move(name),
      .inputs = {{{2, 3, 5}, -3, 3}},
      .f =
          [=](const Tensors& in) { return log_of ? log_softmax(in[0], dim) : softmax(in[0], dim); },
      .reference =
          [=](const Tensors& in) {
            return build(in[0].shape(), [&](const Index& i) {
              const double p = soft(in[0], i, dim);
              return log_of ? std::log(p) : p;
            });
          },
      .also = {{{3, 2, 7}}, {{0, 2, 3}}, {{2, 3, 0}}},
      .matrix = dim == 2 ? matrix : nullptr};
}

/// x normalised over its last n dimensions, at i: (x - m) / sqrt(mean (x - m)^2 + eps), where m is
/// the mean or 0.
double normed(const Tensor& x, const Index& i, int n, bool centre, double eps) {
  std::vector<double> row;
  Index j = i;
  const std::function<void(size_t)> walk = [&](size_t d) {
    if (d == j.size()) return row.push_back(at(x, j));
    for (j[d] = 0; j[d] < x.size(static_cast<int>(d)); ++j[d]) walk(d + 1);
  };
  walk(i.size() - static_cast<size_t>(n));
  const auto average = [&](double m, double power) {
    double s = 0;
    for (const double v : row) s += std::pow(v - m, power);
    return s / static_cast<double>(row.size());
  };
  const double m = centre ? average(0, 1) : 0;
  return (at(x, i) - m) / std::sqrt(average(m, 2) + eps);
}

/// The row of a norm whose weight and bias have these sizes, the last ones of x; without sizes, it
/// has neither.
OpRow norm_row(std::string name, bool centre, Shape inner, std::vector<Shapes> also,
               Shapes (*row_by_row)(int64_t, int64_t) = nullptr) {
  const bool affine = inner.size() > 0;
  std::vector<InputSpec> inputs = {{{2, 3, 5}}};
  if (affine) inputs.push_back({inner, 0.5, 1.5});
  if (affine && centre) inputs.push_back({inner});
  return {.name = std::move(name),
          .inputs = std::move(inputs),
          .f =
              [=](const Tensors& in) {
                const Tensor weight = affine ? in[1] : Tensor();
                if (!centre) return rms_norm(in[0], weight, 1e-3);
                return layer_norm(in[0], weight, affine ? in[2] : Tensor(), 1e-3);
              },
          .reference =
              [=](const Tensors& in) {
                const int n = affine ? in[1].dim() : 1;
                return build(in[0].shape(), [&](const Index& i) {
                  double y = normed(in[0], i, n, centre, 1e-3);
                  if (affine) y *= at(in[1], i);
                  return affine && centre ? y + at(in[2], i) : y;
                });
              },
          .also = std::move(also),
          .matrix = row_by_row};
}

std::vector<OpRow> norms() {
  return {
      norm_row("layer_norm", true, {5}, {{{7}, {7}, {7}}, {{0, 5}, {5}, {5}}, {{2, 0}, {0}, {0}}},
               matrix_weight_and_bias),
      norm_row("layer_norm/several", true, {3, 5}, {{{3, 5}, {3, 5}, {3, 5}}}),
      norm_row("layer_norm/bare", true, {}, {{{7}}}),
      norm_row("rms_norm", false, {5}, {{{7}, {7}}, {{0, 5}, {5}}, {{2, 0}, {0}}},
               matrix_and_weight),
      norm_row("rms_norm/several", false, {3, 5}, {}),
      norm_row("rms_norm/bare", false, {}, {{{7}}}),
      {.name = "dropout",  // with its mask fixed, dropout is a product
       .inputs = {{{2, 3, 5}}},
       .f =
           [](const Tensors& in) {
             Generator generator(7);
             return dropout(in[0], 0.4, generator);
           },
       .reference =
           [](const Tensors& in) {
             Generator generator(7);
             const Tensor mask = dropout(ones(in[0].shape(), F64), 0.4, generator);
             return combine(in[0], mask, [](double x, double m) { return x * m; });
           },
       .also = {{{}}, {{0, 3}}},
       .golden = false},
  };
}

/// -sum_j q_j ln p_j with q = (1 - s) one_hot + s / C, for the row of target t at i.
double loss_at(const Tensor& logits, const Tensor& targets, const Index& i,
               const CrossEntropyOptions& o) {
  const auto target = static_cast<int64_t>(at(targets, i));
  if (target == o.ignore_index) return 0;
  const int64_t classes = logits.size(-1);
  Index row = i;
  row.push_back(0);
  double loss = 0;
  for (int64_t j = 0; j < classes; ++j) {
    row.back() = j;
    const double q = (j == target ? 1 - o.label_smoothing : 0.0) +
                     o.label_smoothing / static_cast<double>(classes);
    const double w = o.weight.defined() ? at(o.weight, {j}) : 1;
    loss -= w * q * std::log(soft(logits, row, logits.dim() - 1));
  }
  return loss;
}

OpRow cross_entropy_row(std::string name, const Shape& logits, CrossEntropyOptions o,
                        std::vector<Shapes> also = {}, bool nll = false) {
  Shape rows = logits;
  rows.erase(rows.size() - 1);
  return {.name = std::move(name),
          .inputs = {{logits, -3, 3}, {.shape = rows, .below = logits.back()}},
          .f =
              [o, nll](const Tensors& in) {
                CrossEntropyOptions there = o;
                if (o.weight.defined()) there.weight = to(o.weight, in[0].dtype());
                if (o.weight.defined()) there.weight = to(there.weight, in[0].device());
                if (nll) return nll_loss(log_softmax(in[0]), in[1], there);
                return cross_entropy(in[0], in[1], there);
              },
          .reference =
              [o](const Tensors& in) {
                const Tensor losses = build(
                    in[1].shape(), [&](const Index& i) { return loss_at(in[0], in[1], i, o); });
                if (o.reduction == Reduction::None) return losses;
                double sum = 0, counted = 0;
                for (double v : losses.to_vector<double>()) sum += v;
                for (int64_t t : in[1].to_vector<int64_t>())
                  if (t != o.ignore_index) counted += o.weight.defined() ? at(o.weight, {t}) : 1;
                return full({}, o.reduction == Reduction::Sum ? sum : sum / counted, F64);
              },
          .also = std::move(also),
          .composite = nll || o.weight.defined()};
}

}  // namespace

std::vector<OpRow> softmax_and_norm_rows() {
  std::vector<OpRow> rows = {
      softmax_row("softmax", false, 2), softmax_row("softmax/first", false, 0),
      softmax_row("log_softmax", true, 2), softmax_row("log_softmax/first", true, 0)};
  for (OpRow& row : norms()) rows.push_back(std::move(row));
  rows.push_back(cross_entropy_row("cross_entropy", {7, 5}, {}, {{{2, 3, 5}, {2, 3}}, {{5}, {}}}));
  rows.push_back(cross_entropy_row("cross_entropy/smoothing", {2, 3, 5},
                                   {.ignore_index = 1, .label_smoothing = 0.1}));
  rows.push_back(cross_entropy_row("cross_entropy/sum", {7, 3},
                                   {.ignore_index = 2, .reduction = Reduction::Sum},
                                   {{{0, 3}, {0}}}));
  rows.push_back(cross_entropy_row("cross_entropy/none", {2, 7, 3},
                                   {.ignore_index = 0, .reduction = Reduction::None}));
  rows.push_back(
      cross_entropy_row("cross_entropy/rows", {7, 3},
                        {.ignore_index = 1, .label_smoothing = 0.1, .reduction = Reduction::None}));
  rows.back().golden = false;
  rows.back().matrix = matrix_and_targets;
  const Tensor weight = tensor<double>({0.5, 2, 1.25}, {3}, Device::CPU);
  rows.push_back(cross_entropy_row("cross_entropy/weighted", {7, 3}, {.weight = weight}));
  rows.push_back(cross_entropy_row("cross_entropy/weighted smoothing", {2, 7, 3},
                                   {.ignore_index = 2, .label_smoothing = 0.1, .weight = weight},
                                   {{{7, 3}, {7}}}));
  rows.push_back(
      cross_entropy_row("nll_loss", {2, 7, 3}, {.ignore_index = 2, .weight = weight}, {}, true));
  return rows;
}

}  // namespace gradus::test
