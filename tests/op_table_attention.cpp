// Rows of attention: for each query, a softmax over the keys that it may see, in plain loops.
#include <cmath>
#include <limits>

#include "tests/op_table.h"

namespace gradus::test {

namespace {

/// softmax(q k^T scale + bias) v; `mask` (B, S) and `bias` (T, S) may be undefined. A query that
/// sees no key gives 0.
Tensor loops(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, bool causal,
             double scale, const Tensor& bias = {}) {
  const int64_t queries = q.size(2), keys = k.size(2), width = q.size(3);
  const int64_t sharing = q.size(1) / k.size(1);  // heads of q for each head of k and v
  return build({q.size(0), q.size(1), queries, v.size(3)}, [&](const Index& i) {
    const int64_t b = i[0], h = i[1], t = i[2], e = i[3];
    double above = 0, below = 0;
    for (int64_t s = 0; s < keys; ++s) {
      if (causal && s > t + keys - queries) continue;
      if (mask.defined() && at(mask, {b, s}) == 0) continue;
      double score = 0;
      for (int64_t d = 0; d < width; ++d)
        score += at(q, {b, h, t, d}) * at(k, {b, h / sharing, s, d});
      score = score * scale + (bias.defined() ? at(bias, {t, s}) : 0);
      above += std::exp(score) * at(v, {b, h / sharing, s, e});
      below += std::exp(score);
    }
    return below > 0 ? above / below : 0.0;
  });
}

/// Inputs q, k, v and perhaps a key mask.
OpRow attention_row(std::string name, int64_t queries, int64_t keys, bool causal, bool masked,
                    std::optional<double> scale = {}, int64_t kv_heads = 3, int64_t v_width = 4) {
  std::vector<InputSpec> inputs = {
      {{2, 3, queries, 4}}, {{2, kv_heads, keys, 4}}, {{2, kv_heads, keys, v_width}}};
  if (masked) inputs.push_back({.shape = {2, keys}, .below = 2});
  return {.name = std::move(name),
          .inputs = std::move(inputs),
          .f =
              [=](const Tensors& in) {
                return scaled_dot_product_attention(
                    in[0], in[1], in[2],
                    {.causal = causal, .key_mask = masked ? in[3] : Tensor(), .scale = scale});
              },
          .reference =
              [=](const Tensors& in) {
                const double width = static_cast<double>(in[0].size(3));
                return loops(in[0], in[1], in[2], masked ? in[3] : Tensor(), causal,
                             scale.value_or(1 / std::sqrt(width)));
              }};
}

/// With an attn_mask (T, S): floating, which is added, or I64, where 0 hides.
OpRow scores_row(std::string name, bool added) {
  const InputSpec mask = added ? InputSpec{{5, 7}} : InputSpec{.shape = {5, 7}, .below = 2};
  return {.name = std::move(name),
          .inputs = {{{2, 3, 5, 4}}, {{2, 3, 7, 4}}, {{2, 3, 7, 4}}, mask},
          .f =
              [](const Tensors& in) {
                return scaled_dot_product_attention(in[0], in[1], in[2], {.attn_mask = in[3]});
              },
          .reference =
              [added](const Tensors& in) {
                const Tensor bias = added ? in[3] : build(in[3].shape(), [&](const Index& i) {
                  return at(in[3], i) != 0 ? 0 : -std::numeric_limits<double>::infinity();
                });
                return loops(in[0], in[1], in[2], {}, false, 0.5, bias);
              },
          .composite = true};
}

OpRow weights_row() {
  return {
      .name = "attention_weights",
      .inputs = {{{2, 3, 5, 4}}, {{2, 3, 7, 4}}, {.shape = {2, 7}, .below = 2}},
      .f = [](const Tensors& in) { return attention_weights(in[0], in[1], {.key_mask = in[2]}); },
      .reference =
          [](const Tensors& in) {  // the weights are the output for the unit vectors as v
            const Tensor v = expand(eye(7, F64), {2, 3, 7, 7});
            return loops(in[0], in[1], v, in[2], false, 0.5);
          },
      .composite = true,
      .golden = false};
}

OpRow packed_row(std::string name, bool causal, bool masked) {
  std::vector<InputSpec> inputs = {{{2, 5, 3 * 3 * 4}}};
  if (masked) inputs.push_back({.shape = {2, 5}, .below = 2});
  return {.name = std::move(name),
          .inputs = std::move(inputs),
          .f =
              [=](const Tensors& in) {
                return packed_attention(in[0], 3,
                                        {.causal = causal, .key_mask = masked ? in[1] : Tensor()});
              },
          .reference =
              [=](const Tensors& in) {
                const Tensor& x = in[0];
                const int64_t b = x.size(0), n = x.size(1);
                auto part = [&](int64_t p) {  // element (b, h, t, d) is x[b, t, p C + h D + d]
                  return build({b, 3, n, 4}, [&](const Index& i) {
                    return at(x, {i[0], i[2], p * 12 + i[1] * 4 + i[3]});
                  });
                };
                const Tensor y =
                    loops(part(0), part(1), part(2), masked ? in[1] : Tensor(), causal, 0.5);
                return build({b, n, 12}, [&](const Index& i) {
                  return at(y, {i[0], i[2] / 4, i[1], i[2] % 4});
                });
              }};
}

/// The plane's rotation matrix, written out for each channel of q and k.
OpRow rotary_row(std::string name, int64_t first_position) {
  return {.name = std::move(name),
          .inputs = {{{2, 5, 3 * 3 * 4}}},
          .f = [=](const Tensors& in) { return rotary(in[0], 3, first_position); },
          .reference =
              [=](const Tensors& in) {
                return build(in[0].shape(), [&](const Index& i) {
                  const int64_t channel = i[2] % 4, pair = channel % 2;
                  if (i[2] >= 24) return at(in[0], i);  // v
                  const double angle =
                      static_cast<double>(first_position + i[1]) * (pair == 0 ? 1 : 0.01);
                  const Index partner{i[0], i[1], channel < 2 ? i[2] + 2 : i[2] - 2};
                  const double sine = channel < 2 ? -std::sin(angle) : std::sin(angle);
                  return at(in[0], i) * std::cos(angle) + at(in[0], partner) * sine;
                });
              },
          .also = {{{2, 0, 36}}, {{0, 5, 36}}, {{1, 1, 36}}}};
}

}  // namespace

std::vector<OpRow> attention_rows() {
  return {attention_row("attention", 5, 7, false, false),
          attention_row("attention/causal", 5, 5, true, false),
          attention_row("attention/past", 2, 7, true, false),
          attention_row("attention/masked", 5, 7, false, true, 0.8),
          attention_row("attention/grouped", 5, 7, false, false, {}, 1),
          attention_row("attention/narrow v", 5, 5, true, false, {}, 3, 2),
          attention_row("attention/wide v", 5, 7, false, true, {}, 3, 7),
          scores_row("attention/attn_mask", false),
          scores_row("attention/bias", true),
          weights_row(),
          packed_row("packed_attention", true, false),
          packed_row("packed_attention/masked", false, true),
          rotary_row("rotary", 0),
          rotary_row("rotary/past", 1000)};
}

}  // namespace gradus::test
