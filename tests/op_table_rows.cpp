// Rows of softmax, normalisation, dropout and cross-entropy, each from its formula in plain loops.
#include <algorithm>
#include <cmath>

#include "tests/op_table.h"

namespace gradus::test {

namespace {

/// The softmax along `dim` at i, in the numbers' own range: no maximum taken away.
double soft(const Tensor& x, Index i, int dim) {
  const double top = std::exp(at(x, i));
  double below = 0;
  for (i[dim] = 0; i[dim] < x.size(dim); ++i[dim]) below += std::exp(at(x, i));
  return top / below;
}

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
      .also = {{{3, 2, 7}}, {{0, 2, 3}}, {{2, 3, 0}}}};
}

/// mean f(x) over the last dimension of the row that i is in.
double row_mean(const Tensor& x, Index i, const std::function<double(double)>& f) {
  double s = 0;
  for (i.back() = 0; i.back() < x.size(-1); ++i.back()) s += f(at(x, i));
  return s / static_cast<double>(x.size(-1));
}

double normed(const Tensor& x, const Index& i, double eps) {
  const double mean = row_mean(x, i, [](double v) { return v; });
  const double var = row_mean(x, i, [&](double v) { return (v - mean) * (v - mean); });
  return (at(x, i) - mean) / std::sqrt(var + eps);
}

std::vector<OpRow> norms() {
  return {
      {.name = "layer_norm",
       .inputs = {{{2, 3, 5}}, {{5}, 0.5, 1.5}, {{5}}},
       .f = [](const Tensors& in) { return layer_norm(in[0], in[1], in[2], 1e-3); },
       .reference =
           [](const Tensors& in) {
             return build(in[0].shape(), [&](const Index& i) {
               return normed(in[0], i, 1e-3) * at(in[1], i) + at(in[2], i);
             });
           },
       .also = {{{7}, {7}, {7}}, {{0, 5}, {5}, {5}}}},
      {.name = "rms_norm",
       .inputs = {{{2, 3, 5}}, {{5}, 0.5, 1.5}},
       .f = [](const Tensors& in) { return rms_norm(in[0], in[1], 1e-3); },
       .reference =
           [](const Tensors& in) {
             return build(in[0].shape(), [&](const Index& i) {
               const double ms = row_mean(in[0], i, [](double v) { return v * v; });
               return at(in[0], i) / std::sqrt(ms + 1e-3) * at(in[1], i);
             });
           },
       .also = {{{7}, {7}}, {{0, 5}, {5}}},
       .composite = true},
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

/// -sum_j q_j ln p_j with q = (1 - s) one_hot + s / C for the row that target t at i stands for.
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
    loss -= q * std::log(soft(logits, row, logits.dim() - 1));
  }
  return loss;
}

OpRow cross_entropy_row(std::string name, const Shape& logits, CrossEntropyOptions o,
                        std::vector<Shapes> also = {}) {
  Shape rows = logits;
  rows.erase(rows.size() - 1);
  return {.name = std::move(name),
          .inputs = {{logits, -3, 3}, {.shape = rows, .below = logits.back()}},
          .f = [o](const Tensors& in) { return cross_entropy(in[0], in[1], o); },
          .reference =
              [o](const Tensors& in) {
                const Tensor losses = build(
                    in[1].shape(), [&](const Index& i) { return loss_at(in[0], in[1], i, o); });
                if (o.reduction == Reduction::None) return losses;
                double sum = 0, counted = 0;
                for (double v : losses.to_vector<double>()) sum += v;
                for (int64_t t : in[1].to_vector<int64_t>()) counted += t != o.ignore_index;
                return full({}, o.reduction == Reduction::Sum ? sum : sum / counted, F64);
              },
          .also = std::move(also)};
}

}  // namespace

std::vector<OpRow> row_rows() {
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
  return rows;
}

}  // namespace gradus::test
