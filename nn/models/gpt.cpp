#include "nn/models/gpt.h"

#include <algorithm>
#include <cmath>

namespace gradus {

Norm::Norm(int64_t dim, NormForm form)
    : weight(parameter("weight", ones({dim}))),
      bias(form == NormForm::Layer ? parameter("bias", zeros({dim})) : Tensor()) {}

/// y_t = x_t + sum_i weight[i - 1] x_{t - i}: a depthwise causal convolution. `past`
/// (B, capacity, C) holds the x before `start`, and gets the new ones; undefined: there is nothing
/// before.
static Tensor mix_with_past(const Tensor& x, const Tensor& weight, const Tensor& past,
                            int64_t start) {
  const int64_t k = weight.size(0), known = past.defined() ? std::min(start, k) : 0;
  std::vector<Tensor> parts;
  if (known < k) parts.push_back(zeros({x.size(0), k - known, x.size(2)}, x.options()));
  if (known > 0) parts.push_back(raw::slice(past, 1, start - known, start));
  parts.push_back(x);
  const Tensor all = cat(parts, 1);
  Tensor y = x;
  for (int64_t i = 1; i <= k; ++i)
    y = y + select(weight, 0, i - 1) * slice(all, 1, k - i, k - i + x.size(1));
  if (past.defined()) raw::copy_(raw::slice(past, 1, start, start + x.size(1)), x);
  return y;
}

// ---- The block ----------------------------------------------------------------------------------

GptBlock::GptBlock(const GptConfig& c)
    : ln1(add<Norm>("ln1", c.channels, c.norm)),
      attn(add<MultiHeadSelfAttention>(
          "attn", c.channels, c.heads,
          SelfAttentionOptions{
              .causal = true, .qk_norm = c.qk_norm, .rotary = c.positions == Positions::Rotary})),
      ln2(add<Norm>("ln2", c.channels, c.norm)),
      mlp(add<Mlp>("mlp", c.channels, 4 * c.channels)),
      drop(add<Dropout>("drop", c.dropout)) {}

Tensor GptBlock::operator()(const Tensor& x, KvCache* cache) const {
  const Tensor y = ln1(x);
  const Tensor h = x + drop(cache ? attn(y, *cache) : attn(y));
  return h + drop(mlp(ln2(h)));
}

// ---- The model ----------------------------------------------------------------------------------

static const GptConfig& checked(const GptConfig& c) {
  check<ValueError>(std::min({c.vocabulary, c.context, c.layers, c.heads, c.channels}) > 0,
                    "gpt: vocabulary {}, context {}, layers {}, heads {}, channels {}; all must be "
                    "positive",
                    c.vocabulary, c.context, c.layers, c.heads, c.channels);
  check<ValueError>(c.lookback >= 0, "gpt: a lookback of {}; it must be positive, or 0 for none",
                    c.lookback);
  return c;
}

Gpt::Gpt(const GptConfig& c)
    : config(checked(c)),
      wte(add<Embedding>("wte", c.vocabulary, c.channels)),
      wpe(c.positions == Positions::Learned ? &add<Embedding>("wpe", c.context, c.channels)
                                            : nullptr),
      shift(c.lookback > 0 ? parameter("shift", normal({c.lookback, c.channels}, 0, 0.5))
                           : Tensor()),
      drop(add<Dropout>("drop", c.dropout)),
      ln_f(add<Norm>("ln_f", c.channels, c.norm)) {
  for (int64_t i = 0; i < c.layers; ++i)
    blocks.push_back(&add<GptBlock>(fmt::format("blocks.{}", i), c));
  initialise();
}

/// Biases begin at 0, weights as N(0, 0.02^2) at GPT-2's width of 768 channels, scaled with the
/// width. What adds to the residual stream (proj) is smaller by sqrt(2 L), because 2 L of them add
/// up: the stream does not grow with depth.
void Gpt::initialise() const {
  const double std = 0.02 * std::sqrt(768.0 / static_cast<double>(config.channels));
  const double residual = std / std::sqrt(2.0 * static_cast<double>(config.layers));
  for (const auto& [name, p] : named_parameters()) {
    if (name.ends_with(".bias"))
      raw::fill_(p, 0);
    else if (p.dim() == 2 && !name.ends_with("shift"))
      raw::copy_(p, normal(p.shape(), 0, name.ends_with("proj.weight") ? residual : std));
  }
}

// ---- Forward ------------------------------------------------------------------------------------

/// ids stand at positions first … . `past` has what the lookback read before them, and gets more.
Tensor Gpt::embed(const Tensor& ids, int64_t first, const Tensor& past) const {
  check<ShapeError>(ids.dim() == 2 && ids.size(1) > 0,
                    "gpt: ids {}; they must be (B, T), with T > 0", ids.shape());
  const int64_t end = first + ids.size(1);
  check<ValueError>(end <= config.context, "gpt: {} positions, but the context is {}", end,
                    config.context);
  const Tensor tokens = wte(ids);
  const Tensor x = wpe ? tokens + slice(wpe->weight, 0, first, end) : tokens;
  return config.lookback > 0 ? mix_with_past(x, shift, past, first) : x;
}

/// What leaves the last block: (B, T, C).
Tensor Gpt::hidden(const Tensor& ids) const {
  Tensor x = drop(embed(ids));
  for (const GptBlock* block : blocks) x = (*block)(x);
  return x;
}

Tensor Gpt::logits(const Tensor& x) const { return linear(ln_f(x), wte.weight); }

Tensor Gpt::operator()(const Tensor& ids) const { return logits(hidden(ids)); }

Tensor Gpt::operator()(const Tensor& ids, const Tensor& positions) const {
  const Tensor rows = reshape(hidden(ids), {ids.numel(), config.channels});
  return logits(index_select(rows, 0, positions));
}

Tensor Gpt::operator()(const Tensor& ids, std::vector<KvCache>& caches) const {
  check<ValueError>(caches.size() == blocks.size(), "gpt: {} caches for {} layers", caches.size(),
                    blocks.size());
  Tensor x = embed(ids, caches[0].length, caches[0].inputs);
  for (size_t i = 0; i < blocks.size(); ++i) x = (*blocks[i])(x, &caches[i]);
  return logits(select(x, 1, -1));
}

// ---- Generate -----------------------------------------------------------------------------------

std::vector<KvCache> Gpt::make_caches(int64_t batch) const {
  std::vector<KvCache> caches;
  for (const GptBlock* block : blocks)
    caches.push_back(block->attn.make_cache(batch, config.context));
  if (config.lookback > 0)
    caches[0].inputs = zeros({batch, config.context, config.channels}, wte.weight.options());
  return caches;
}

std::vector<int64_t> Gpt::generate(const std::vector<int64_t>& prompt, int64_t length,
                                   const SamplingOptions& options, Generator& generator,
                                   const std::function<bool(int64_t)>& on_token) const {
  check<ValueError>(!prompt.empty(), "gpt: the prompt to continue is empty; give at least a token");
  const NoGrad guard;
  std::vector<KvCache> caches = make_caches(1);
  std::vector<int64_t> text = prompt, unread = prompt;
  for (int64_t i = 0; i < length; ++i) {
    if (caches[0].length + static_cast<int64_t>(unread.size()) > config.context) {
      unread.assign(text.end() - (config.context + 1) / 2, text.end());
      for (KvCache& cache : caches) cache.length = 0;
    }
    const Shape one_row{1, static_cast<int64_t>(unread.size())};
    const Tensor ids = tensor(unread, one_row, wte.weight.device());
    text.push_back(sample((*this)(ids, caches), options, text, generator));
    unread = {text.back()};
    if (on_token && !on_token(text.back())) break;
  }
  return {text.begin() + static_cast<ptrdiff_t>(prompt.size()), text.end()};
}

// ---- Looking inside -----------------------------------------------------------------------------

Tensor Gpt::attention(const Tensor& ids, int64_t layer) const {
  check<IndexError>(layer >= 0 && layer < config.layers, "gpt: there is no layer {} of {}", layer,
                    config.layers);
  Tensor x = embed(ids);
  for (int64_t i = 0; i < layer; ++i) x = (*blocks[i])(x);
  return blocks[layer]->attn.attention_weights(blocks[layer]->ln1(x));
}

}  // namespace gradus
