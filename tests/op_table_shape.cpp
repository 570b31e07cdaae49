// Rows of the ops that move numbers. A reference says where the element at i comes from.
#include "tests/op_table.h"

namespace gradus::test {

namespace {

/// A row with one input x. The output has the shape out(shape of x), and at i the element of x at
/// source(i).
OpRow mover(std::string name, Shape shape, std::function<Tensor(const Tensor&)> f,
            std::function<Shape(Shape)> out, std::function<Index(Index)> source,
            std::vector<Shapes> also = {}) {
  return {.name = std::move(name),
          .inputs = {{shape}},
          .f = [f](const Tensors& in) { return f(in[0]); },
          .reference =
              [out, source](const Tensors& in) {
                return build(out(in[0].shape()),
                             [&](const Index& i) { return at(in[0], source(i)); });
              },
          .also = std::move(also)};
}

OpRow composite(OpRow row) {
  row.composite = true;
  return row;
}

/// x in row order with another shape: the definition of every reshape.
Tensor refilled(const Tensor& x, const Shape& shape) {
  const std::vector<double> values = x.to_vector<double>();
  size_t next = 0;
  return build(shape, [&](const Index&) { return values[next++]; });
}

/// The row of an op that only gives x another shape.
OpRow refill(std::string name, Shape shape, std::function<Tensor(const Tensor&)> f,
             std::function<Shape(Shape)> out, std::vector<Shapes> also = {}) {
  return {.name = std::move(name),
          .inputs = {{shape}},
          .f = [f](const Tensors& in) { return f(in[0]); },
          .reference = [out](const Tensors& in) { return refilled(in[0], out(in[0].shape())); },
          .also = std::move(also)};
}

OpRow triangle(std::string name, std::function<Tensor(const Tensor&)> f,
               std::function<bool(int64_t row, int64_t column)> keeps) {
  return composite({.name = std::move(name),
                    .inputs = {{{2, 3, 5}}},
                    .f = [f](const Tensors& in) { return f(in[0]); },
                    .reference =
                        [keeps](const Tensors& in) {
                          return build(in[0].shape(), [&](const Index& i) {
                            return keeps(i[i.size() - 2], i.back()) ? at(in[0], i) : 0.0;
                          });
                        },
                    .also = {{{5, 3}}, {{7, 7}}, {{0, 3, 2}}}});
}

std::vector<OpRow> views() {
  return {
      refill(
          "reshape", {2, 3, 5},
          [](const Tensor& x) {
            return reshape(x, {5, -1});
          },
          [](Shape s) {
            return Shape{5, s.numel() / 5};
          },
          {{{7, 5}}, {{5, 0}}}),
      composite(refill(
          "flatten", {2, 3, 5}, [](const Tensor& x) { return flatten(x, 1); },
          [](Shape s) {
            return Shape{s[0], s.numel() / std::max<int64_t>(s[0], 1)};
          },
          {{{7, 3}}, {{2, 0, 3}}})),
      mover(
          "permute", {2, 3, 5},
          [](const Tensor& x) {
            return permute(x, {2, 0, 1});
          },
          [](Shape s) {
            return Shape{s[2], s[0], s[1]};
          },
          [](Index i) {
            return Index{i[1], i[2], i[0]};
          },
          {{{2, 0, 3}}}),
      mover(
          "transpose", {2, 3, 5}, [](const Tensor& x) { return transpose(x, 0, -1); },
          [](Shape s) {
            return Shape{s[2], s[1], s[0]};
          },
          [](Index i) {
            return Index{i[2], i[1], i[0]};
          },
          {{{0, 3, 2}}}),
      composite(mover(
          "t", {2, 3, 5}, t,
          [](Shape s) {
            return Shape{s[0], s[2], s[1]};
          },
          [](Index i) {
            return Index{i[0], i[2], i[1]};
          })),
      mover(
          "slice", {2, 7, 3}, [](const Tensor& x) { return slice(x, 1, 1, 6, 2); },
          [](Shape s) {
            return Shape{s[0], 3, s[2]};
          },
          [](Index i) {
            return Index{i[0], 1 + 2 * i[1], i[2]};
          },
          {{{2, 7, 0}}}),
      mover(
          "slice/negative", {2, 7}, [](const Tensor& x) { return slice(x, -1, -5, -1); },
          [](Shape s) {
            return Shape{s[0], 4};
          },
          [](Index i) {
            return Index{i[0], i[1] + 2};
          }),
      mover(
          "select", {2, 3, 5}, [](const Tensor& x) { return select(x, 1, -1); },
          [](Shape s) {
            return Shape{s[0], s[2]};
          },
          [](Index i) {
            return Index{i[0], 2, i[1]};
          },
          {{{2, 3, 0}}}),
      mover(
          "expand", {3, 1, 5},
          [](const Tensor& x) {
            return expand(x, {2, 3, 7, 5});
          },
          [](Shape) {
            return Shape{2, 3, 7, 5};
          },
          [](Index i) { return i; }, {{{5}}, {{1, 7, 1}}, {{}}}),
      refill(
          "squeeze", {2, 1, 3}, [](const Tensor& x) { return squeeze(x, 1); },
          [](Shape s) {
            return Shape{s[0], s[2]};
          },
          {{{0, 1, 3}}}),
      composite(refill(
          "squeeze/all", {1, 2, 1, 3}, [](const Tensor& x) { return squeeze(x); },
          [](Shape s) {
            return Shape{s[1], s[3]};
          })),
      mover(
          "diagonal", {3, 5}, [](const Tensor& x) { return diagonal(x, 1); },
          [](Shape s) { return Shape{std::min(s[0], s[1] - 1)}; },
          [](Index i) {
            return Index{i[0], i[0] + 1};
          },
          {{{7, 3}}, {{0, 2}}}),
      mover(
          "diagonal/outer", {5, 2, 3}, [](const Tensor& x) { return diagonal(x, -1, -1, 0); },
          [](Shape s) {
            return Shape{s[1], std::min(s[2] - 1, s[0])};
          },
          [](Index i) {
            return Index{i[1], i[0], i[1] + 1};
          }),
      composite(mover(
          "repeat", {3, 5},
          [](const Tensor& x) {
            return repeat(x, {2, 1, 3});
          },
          [](Shape s) {
            return Shape{2, s[0], 3 * s[1]};
          },
          [](Index i) {
            return Index{i[1], i[2] % 5};
          },
          {{{7, 5}}, {{0, 5}}})),
      refill(
          "unsqueeze", {2, 3}, [](const Tensor& x) { return unsqueeze(x, -2); },
          [](Shape s) {
            return Shape{s[0], 1, s[1]};
          },
          {{{2, 0}}}),
  };
}

std::vector<OpRow> copies() {
  const auto same = [](Shape s) { return s; };
  std::vector<OpRow> rows = {
      refill("clone", {2, 3, 5}, clone, same, {{{}}, {{0, 2}}}),
      composite(mover(
          "contiguous", {2, 3, 5}, [](const Tensor& x) { return contiguous(transpose(x, 0, 1)); },
          [](Shape s) {
            return Shape{s[1], s[0], s[2]};
          },
          [](Index i) {
            return Index{i[1], i[0], i[2]};
          },
          {{{0, 2, 3}}})),
      triangle(
          "tril", [](const Tensor& x) { return tril(x); },
          [](int64_t r, int64_t c) { return c <= r; }),
      triangle(
          "tril/diagonal", [](const Tensor& x) { return tril(x, -1); },
          [](int64_t r, int64_t c) { return c <= r - 1; }),
      triangle(
          "triu", [](const Tensor& x) { return triu(x); },
          [](int64_t r, int64_t c) { return c >= r; }),
      triangle(
          "triu/diagonal", [](const Tensor& x) { return triu(x, 1); },
          [](int64_t r, int64_t c) { return c >= r + 1; }),
  };
  // Converting there and back rounds to float32. The op is linear, so large steps hide the
  // rounding.
  OpRow to_row = refill("to", {2, 3, 5}, [](const Tensor& x) { return to(to(x, F32), F64); }, same,
                        {{{}}, {{0, 2}}});
  to_row.tolerance = 1e-7;
  rows.push_back(to_row);
  return rows;
}

std::vector<OpRow> joins() {
  return {
      {.name = "cat",
       .inputs = {{{2, 3, 5}}, {{2, 7, 5}}, {{2, 2, 5}}},
       .f = [](const Tensors& in) { return cat(in, 1); },
       .reference =
           [](const Tensors& in) {
             Shape s = in[0].shape();
             s[1] = in[0].size(1) + in[1].size(1) + in[2].size(1);
             return build(s, [&](Index i) {
               size_t k = 0;
               for (; i[1] >= in[k].size(1); ++k) i[1] -= in[k].size(1);
               return at(in[k], i);
             });
           },
       .also = {{{2, 3, 5}, {2, 0, 5}, {2, 2, 5}}}},
      {.name = "stack",
       .inputs = {{{2, 3}}, {{2, 3}}},
       .f = [](const Tensors& in) { return stack(in, 1); },
       .reference =
           [](const Tensors& in) {
             Shape s = in[0].shape();
             s.insert(1, 2);
             return build(s, [&](Index i) {
               const int64_t k = i[1];
               i.erase(i.begin() + 1);
               return at(in[k], i);
             });
           },
       .also = {{{7}, {7}}, {{2, 0}, {2, 0}}},
       .composite = true},
      {.name = "split",  // the pieces in reverse order, so that each must come from the right place
       .inputs = {{{2, 7, 3}}},
       .f =
           [](const Tensors& in) {
             Tensors pieces = split(in[0], 3, 1);
             return cat({pieces[2], pieces[1], pieces[0]}, 1);
           },
       .reference =
           [](const Tensors& in) {
             const int64_t from[] = {6, 3, 4, 5, 0, 1, 2};
             return build(in[0].shape(), [&](const Index& i) {
               return at(in[0], {i[0], from[i[1]], i[2]});
             });
           },
       .composite = true},
      {.name = "split_with_sizes",
       .inputs = {{{2, 7, 3}}},
       .f =
           [](const Tensors& in) {
             const Tensors pieces = split_with_sizes(in[0], {2, 0, 5}, 1);
             return cat({pieces[2], pieces[1], pieces[0]}, 1);
           },
       .reference =
           [](const Tensors& in) {
             return build(in[0].shape(), [&](const Index& i) {
               return at(in[0], {i[0], (i[1] + 2) % 7, i[2]});
             });
           },
       .composite = true,
       .golden = false},
      {.name = "unbind",
       .inputs = {{{2, 3, 5}}},
       .f =
           [](const Tensors& in) {
             const Tensors parts = unbind(in[0], 1);
             return stack({parts[2], parts[1], parts[0]}, 0);
           },
       .reference =
           [](const Tensors& in) {
             return build({3, 2, 5}, [&](const Index& i) {
               return at(in[0], {i[1], 2 - i[0], i[2]});
             });
           },
       .composite = true,
       .golden = false},
  };
}

}  // namespace

std::vector<OpRow> shape_rows() {
  std::vector<OpRow> rows = views();
  for (auto more : {copies, joins})
    for (OpRow& row : more()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace gradus::test
