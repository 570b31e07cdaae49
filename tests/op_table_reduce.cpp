// Rows of the reductions. A reference is the formula for the numbers of one line.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/op_table.h"

namespace gradus::test {

namespace {

using Line = std::vector<double>;
using Reduce = std::function<Tensor(const Tensor& x, const Dims& dims, bool keepdim)>;

OpRow row_of(std::string name, const Reduce& f, double (*formula)(const Line&), Dims dims,
             bool keepdim, std::vector<Shapes> also) {
  return {.name = std::move(name),
          .inputs = {{{2, 3, 5}}},
          .f = [=](const Tensors& in) { return f(in[0], dims, keepdim); },
          .reference = [=](const Tensors& in) { return fold(in[0], dims, keepdim, formula); },
          .also = std::move(also)};
}

/// Three rows: over everything, over two dimensions with keepdim, over the first without.
std::vector<OpRow> reduction(const std::string& name, const Reduce& f,
                             double (*formula)(const Line&), bool composite = false) {
  std::vector<OpRow> rows = {row_of(name, f, formula, {}, false, {{{7}}}),
                             row_of(name + "/keepdim", f, formula, {0, -1}, true, {{{3, 0, 2}}}),
                             row_of(name + "/first", f, formula, {0}, false, {{{7}}, {{3, 0}}})};
  for (OpRow& row : rows) row.composite = composite;
  return rows;
}

double total(const Line& v) { return std::accumulate(v.begin(), v.end(), 0.0); }
double average(const Line& v) { return total(v) / static_cast<double>(v.size()); }
double squares(const Line& v) {
  double s = 0;
  for (double x : v) s += (x - average(v)) * (x - average(v));
  return s;
}

std::vector<OpRow> sums() {
  auto sample = [](const Tensor& x, const Dims& d, bool k) { return var(x, d, k); };
  auto population = [](const Tensor& x, const Dims& d, bool k) { return var(x, d, k, 0); };
  std::vector<OpRow> rows = reduction("sum", sum, total);
  rows[0].also.push_back({{}});
  rows[0].also.push_back({{0, 3}});  // the sum of no elements is 0
  for (OpRow& row : reduction("mean", mean, average, true)) rows.push_back(row);
  for (OpRow& row : reduction(
           "var", sample,
           [](const Line& v) { return squares(v) / static_cast<double>(v.size() - 1); }, true))
    rows.push_back(row);
  rows.push_back(row_of("var/population", population,
                        [](const Line& v) { return squares(v) / static_cast<double>(v.size()); },
                        {1}, true, {}));
  rows.back().composite = true;
  return rows;
}

std::vector<OpRow> extremes() {
  std::vector<OpRow> rows =
      reduction("max", max, [](const Line& v) { return *std::max_element(v.begin(), v.end()); });
  for (OpRow& row :
       reduction("min", min, [](const Line& v) { return *std::min_element(v.begin(), v.end()); }))
    rows.push_back(row);
  for (OpRow& row : reduction("logsumexp", logsumexp, [](const Line& v) {
         double s = 0;
         for (double x : v) s += std::exp(x);
         return std::log(s);
       }))
    rows.push_back(row);
  for (OpRow& row : rows)
    if (row.name.find('/') == std::string::npos) row.also.push_back({{}});
  return rows;
}

/// The numbers of x on the line through i along `dim`.
Line line_at(const Tensor& x, Index i, int dim) {
  Line line;
  for (i[dim] = 0; i[dim] < x.size(dim); ++i[dim]) line.push_back(at(x, i));
  return line;
}

/// y_i = pick(sorted line, i): the values of sort and topk.
OpRow sorter(std::string name, int dim, int64_t k, bool falling,
             std::function<Tensor(const Tensor&)> f, bool composite = false) {
  return {.name = std::move(name),
          .inputs = {{{2, 7, 5}}},
          .f = [f](const Tensors& in) { return f(in[0]); },
          .reference =
              [=](const Tensors& in) {
                Shape shape = in[0].shape();
                shape[dim] = k > 0 ? k : shape[dim];
                return build(shape, [&](const Index& i) {
                  Line line = line_at(in[0], i, dim);
                  std::sort(line.begin(), line.end());
                  if (falling) std::reverse(line.begin(), line.end());
                  return line[i[dim]];
                });
              },
          .also = {{{3, 7, 2}}},
          .composite = composite};
}

std::vector<OpRow> lines() {
  return {
      {.name = "cumsum",
       .inputs = {{{2, 3, 5}}},
       .f = [](const Tensors& in) { return cumsum(in[0], 1); },
       .reference =
           [](const Tensors& in) {
             return build(in[0].shape(), [&](const Index& i) {
               const Line line = line_at(in[0], i, 1);
               return std::accumulate(line.begin(), line.begin() + i[1] + 1, 0.0);
             });
           },
       .also = {{{3, 7}}, {{2, 0, 3}}}},
      sorter("topk", 1, 3, true, [](const Tensor& x) { return topk(x, 3, 1).values; }),
      sorter("topk/smallest", 2, 2, false,
             [](const Tensor& x) { return topk(x, 2, -1, false).values; }),
      sorter(
          "sort", 1, 0, false, [](const Tensor& x) { return sort(x, 1).values; }, true),
      sorter(
          "sort/descending", 2, 0, true, [](const Tensor& x) { return sort(x, -1, true).values; },
          true),
  };
}

}  // namespace

std::vector<OpRow> reduce_rows() {
  std::vector<OpRow> rows = sums();
  for (auto more : {extremes, lines})
    for (OpRow& row : more()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace gradus::test
