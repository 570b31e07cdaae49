// Rows of the ops that pick by index. Indices repeat: an element picked twice gets both gradients.
#include "tests/op_table.h"

namespace gradus::test {

namespace {

int64_t integer(const Tensor& x, const Index& i) { return static_cast<int64_t>(at(x, i)); }

Index with(Index i, size_t d, int64_t value) {
  i[d] = value;
  return i;
}

/// x plus source: the element at j is added at target(j).
Tensor added(const Tensor& x, const Tensor& source, const std::function<Index(const Index&)>& to) {
  Tensor out = build(x.shape(), [&](const Index& i) { return at(x, i); });
  build(source.shape(), [&](const Index& j) {  // used as a loop over indices
    const Index i = to(j);
    int64_t where = 0;
    for (int d = 0; d < out.dim(); ++d) where += i[d] * out.strides()[d];
    return out.data<double>()[where] += at(source, j);
  });
  return out;
}

}  // namespace

std::vector<OpRow> index_rows() {
  return {
      {.name = "index_select",
       .inputs = {{{2, 3, 5}}, {.shape = {7}, .below = 3}},
       .f = [](const Tensors& in) { return index_select(in[0], 1, in[1]); },
       .reference =
           [](const Tensors& in) {
             return build({in[0].size(0), in[1].size(0), in[0].size(2)}, [&](const Index& i) {
               return at(in[0], with(i, 1, integer(in[1], {i[1]})));
             });
           },
       .also = {{{2, 3, 5}, {0}}}},
      {.name = "gather",
       .inputs = {{{2, 3, 5}}, {.shape = {2, 7, 5}, .below = 3}},
       .f = [](const Tensors& in) { return gather(in[0], 1, in[1]); },
       .reference =
           [](const Tensors& in) {
             return build(in[1].shape(),
                          [&](const Index& i) { return at(in[0], with(i, 1, integer(in[1], i))); });
           }},
      {.name = "gather/0-d",
       .inputs = {{{}}, {.shape = {}, .below = 1}},
       .f = [](const Tensors& in) { return gather(in[0], -1, in[1]); },
       .reference =
           [](const Tensors& in) {
             return build({}, [&](const Index&) { return at(in[0], {}); });
           }},
      {.name = "scatter_add/0-d",
       .inputs = {{{}}, {.shape = {}, .below = 1}, {{}}},
       .f = [](const Tensors& in) { return scatter_add(in[0], 0, in[1], in[2]); },
       .reference =
           [](const Tensors& in) {
             return combine(in[0], in[2], [](double x, double s) { return x + s; });
           }},
      {.name = "index_select/0-d",
       .inputs = {{{2, 3, 5}}, {.shape = {}, .below = 3}},
       .f = [](const Tensors& in) { return index_select(in[0], 1, in[1]); },
       .reference =
           [](const Tensors& in) {
             return build({2, 1, 5}, [&](const Index& i) {
               return at(in[0], with(i, 1, integer(in[1], {})));
             });
           }},
      {.name = "scatter_add",
       .inputs = {{{2, 3, 5}}, {.shape = {2, 7, 5}, .below = 3}, {{2, 7, 5}}},
       .f = [](const Tensors& in) { return scatter_add(in[0], 1, in[1], in[2]); },
       .reference =
           [](const Tensors& in) {
             return added(in[0], in[2],
                          [&](const Index& j) { return with(j, 1, integer(in[1], j)); });
           }},
      {.name = "index_add",
       .inputs = {{{2, 3, 5}}, {.shape = {7}, .below = 3}, {{2, 7, 5}}},
       .f = [](const Tensors& in) { return index_add(in[0], 1, in[1], in[2]); },
       .reference =
           [](const Tensors& in) {
             return added(in[0], in[2],
                          [&](const Index& j) { return with(j, 1, integer(in[1], {j[1]})); });
           },
       .also = {{{2, 3, 5}, {0}, {2, 0, 5}}}},
      {.name = "embedding",
       .inputs = {{{5, 3}}, {.shape = {2, 7}, .below = 5}},
       .f = [](const Tensors& in) { return embedding(in[0], in[1]); },
       .reference =
           [](const Tensors& in) {
             Shape shape = in[1].shape();
             shape.push_back(in[0].size(1));
             return build(shape, [&](const Index& i) {
               return at(in[0], {integer(in[1], Index(i.begin(), i.end() - 1)), i.back()});
             });
           },
       .also = {{{5, 3}, {}}, {{5, 3}, {7}}, {{5, 3}, {2, 0}}}},
  };
}

}  // namespace gradus::test
