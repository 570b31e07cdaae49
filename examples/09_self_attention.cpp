// 09: Self-attention. To reverse a sequence, 3 1 4 1 → 1 4 1 3, every position must fetch what is
// at another one. A layer that treats each position on its own cannot do that. Attention can.
//
// From its vector x_t, each position t makes a query (what do I look for?), a key (what can I be
// found by?) and a value (what do I hand out?). The query is compared with all keys. The softmax
// turns these scores into weights that sum to 1. The result at t is the average of the values with
// these weights:
//
//   q, k, v = x Wq, x Wk, x Wv        w = softmax(q kᵀ / √D + mask)        y = w v
//
// Why √D? A score q·k is a sum of D products. If the entries of q and k are independent, with mean
// 0 and variance 1, so are the products, and the variance of their sum is D. A softmax of numbers
// around ±√D is nearly 1 for the largest and 0 for all others, where it is flat: no gradient.
// Divided by √D, scores have variance 1 for every D.
//
// w (T, T) says who looks at whom. It depends on the data, and no fixed weight matrix can do that.
// The mask is -∞ where t must not look: at padding or, in causal attention, at the future. One head
// can look at one place only, so several heads work side by side, each on a slice of the vector.
// Attention knows nothing of order: permute x, and y is permuted. So x_t is the vector of the token
// plus the vector of its position. (Vaswani et al., Attention Is All You Need, 2017, section 3.2.)
//
// Look at:  the heat map: the weights learn the anti-diagonal, which is the reversal itself. With
//           the causal mask only its lower half is visible: there the model is right, and above it
//           guesses.
// Try next: `--heads 4`: do they share the work, or do it four times? `--length 24`.
//           `--channels 8`: is that too small, or does it need `--channels 8 --steps 2000`? Leave
//           the positions out of embed(): what is left of the map, and how many tokens are right?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "examples/support/run/options.h"
#include "examples/support/show/plot.h"
#include "examples/support/show/progress.h"
#include "examples/support/show/terminal.h"
#include "nn/attention.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

using namespace gradus;
using namespace gradus::support;

namespace {

struct Settings {
  int64_t vocab = 10, length = 12, channels = 64, heads = 1, steps = 400, batch = 64;
  double rate = 0.003;
};

enum class Attention { Full, Causal, Off };

/// Embedding, one attention layer, and a guess per position: (B, T) ids -> (B, T, V) logits.
struct Reverser : Module {
  Reverser(const Settings& s, Attention mode)
      : kind(mode),
        tokens(add<Embedding>("tokens", s.vocab, s.channels)),
        positions(add<Embedding>("positions", s.length, s.channels)),
        attention(
            add<MultiHeadSelfAttention>("attention", s.channels, s.heads,
                                        SelfAttentionOptions{.causal = mode == Attention::Causal})),
        output(add<Linear>("output", s.channels, s.vocab)) {}

  /// (B, T) -> (B, T, C): the token and its position.
  Tensor embed(const Tensor& ids) const { return tokens(ids) + positions.weight; }
  Tensor operator()(const Tensor& ids) const {
    const Tensor x = embed(ids);
    if (kind != Attention::Off) return output(attention(x));
    const int64_t c = x.size(2);  // off: every position takes its own value, the last third of qkv
    return output(attention.proj(slice(attention.qkv(x), 2, 2 * c, 3 * c)));
  }

  Attention kind;
  Embedding &tokens, &positions;
  MultiHeadSelfAttention& attention;
  Linear& output;
};

/// The formula at the top, spelled out: x (B, T, C) -> y (B, T, C). The layer computes the same in
/// one fused kernel, and never stores w.
Tensor attention_by_hand(const MultiHeadSelfAttention& layer, const Tensor& x) {
  const int64_t b = x.size(0), t = x.size(1), c = x.size(2), h = layer.heads, d = c / h;
  const auto per_head = [&](const Tensor& y) {  // (B, T, C) -> (B, H, T, D)
    return transpose(reshape(y, {b, t, h, d}), 1, 2);
  };
  const std::vector<Tensor> qkv = split(layer.qkv(x), c, 2);
  const Tensor q = per_head(qkv[0]), k = per_head(qkv[1]), v = per_head(qkv[2]);
  Tensor scores =
      matmul(q, transpose(k, 2, 3)) / std::sqrt(static_cast<double>(d));  // (B, H, T, T)
  if (layer.options.causal) scores = masked_fill(scores, triu(ones({t, t}, I64), 1), -1e30);
  const Tensor w = softmax(scores);
  return layer.proj(reshape(transpose(matmul(w, v), 1, 2), {b, t, c}));
}

Tensor reversed(const Tensor& ids) {
  return index_select(ids, 1, arange(static_cast<double>(ids.size(1) - 1), -1, -1));
}

struct Score {
  double tokens, sequences;  // the shares that are right
};

struct Result {
  std::string name;
  Score score;
  std::vector<double> loss;
  std::vector<double> weights;  // (H, T, T), a mean over the test sequences; empty if off
};

Score evaluate(const Reverser& model, const Tensor& ids) {
  const Tensor correct = to(eq(argmax(model(ids)), reversed(ids)), F32);  // (N, T)
  return {mean(correct).item(), mean(min(correct, {1})).item()};
}

Result train(const std::string& name, Attention kind, const Settings& s, uint64_t seed) {
  manual_seed(seed);
  const Reverser model(s, kind);
  AdamW optimizer(model.parameters(), s.rate, {.weight_decay = 0});
  const CosineLr schedule{.peak = s.rate, .floor = 0, .warmup = 20, .total = s.steps};
  Result result{name, {}, {}, {}};
  Progress bar(name, s.steps);
  for (int64_t step = 0; step < s.steps; ++step) {
    const Tensor ids = randint(0, s.vocab, {s.batch, s.length});
    optimizer.lr = schedule(step);
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(model(ids), reversed(ids));
    backward(loss);
    optimizer.step();
    result.loss.push_back(loss.item());
    bar.step("loss {:.4f}", result.loss.back());
  }
  NoGrad guard;
  const Tensor test = randint(0, s.vocab, {500, s.length});  // new: there are 10^12 of them
  result.score = evaluate(model, test);
  if (kind != Attention::Off)
    result.weights =
        mean(model.attention.attention_weights(model.embed(test)), {0}).to_vector<double>();
  return result;
}

/// The mean weight that position t, from `start` on, gives to position T-1-t: 1 if it is perfect.
double antidiagonal(const Result& r, const Settings& s, int64_t start) {
  double sum = 0;
  for (int64_t h = 0; h < s.heads; ++h)
    for (int64_t t = start; t < s.length; ++t)
      sum += r.weights[static_cast<size_t>((h * s.length + t) * s.length + s.length - 1 - t)];
  return sum / static_cast<double>(s.heads * (s.length - start));
}

std::vector<Panel> heat_maps(const Result& r, const Settings& s) {
  std::vector<std::string> labels;
  for (int64_t t = 0; t < s.length; ++t) labels.push_back(std::to_string(t));
  std::vector<Panel> panels;
  const int64_t n = s.length * s.length;
  for (int64_t h = 0; h < s.heads; ++h) {
    const std::string head = s.heads > 1 ? fmt::format(", head {}", h) : "";
    panels.push_back(Panel({.title = r.name + head, .x = "looks at", .y = "position"}));
    const auto first = r.weights.begin() + h * n;
    panels.back().matrix({first, first + n}, labels, labels);
  }
  return panels;
}

/// Two promises of the layer, before any training: the fused kernel computes the formula, and no
/// position sees what is at a masked one.
void check_layer(Example& app, const Settings& s) {
  NoGrad guard;
  double difference = 0;
  for (const bool causal : {false, true}) {
    const MultiHeadSelfAttention layer(s.channels, s.heads, {.causal = causal});
    const Tensor x = randn({3, s.length, s.channels});
    difference = std::max(difference, max(abs(layer(x) - attention_by_hand(layer, x))).item());
  }
  app.verdict(difference < 1e-5,
              fmt::format("the layer equals the formula: largest difference {:.1e}", difference));
  const MultiHeadSelfAttention layer(s.channels, s.heads);
  const int64_t unpadded = s.length - s.length / 3;
  const Tensor x = randn({1, unpadded, s.channels});
  const Tensor mask = to(lt(arange(s.length), static_cast<double>(unpadded)), I64);
  const auto output_with_padding = [&](double value) {
    const Tensor padded = cat({x, full({1, s.length - unpadded, s.channels}, value)}, 1);
    return slice(layer(padded, reshape(mask, {1, s.length})), 1, 0, unpadded);
  };
  const double change = max(abs(output_with_padding(7) - output_with_padding(-1e6))).item();
  const double change_from_none = max(abs(output_with_padding(7) - layer(x))).item();
  app.verdict(
      change == 0 && change_from_none < 1e-5,
      fmt::format("masked padding stays unseen: other values change {:g}, none at all {:.1e}",
                  change, change_from_none));
}

/// Random queries, each with twelve keys: how large are the scores, and the largest weight?
void show_scale(Example& app) {
  Table table({"D", "spread of q·k", "largest weight", "of q·k / √D", "largest weight"});
  const auto spread = [](const Tensor& x) { return std::sqrt(var(x).item()); };
  const auto largest = [](const Tensor& x) { return mean(max(softmax(x), {1})).item(); };
  double worst = 0;
  for (const int64_t d : {4, 16, 64, 256}) {
    const Tensor q = randn({1000, d, 1}), k = randn({1000, 12, d});
    const Tensor scores = reshape(matmul(k, q), {1000, 12});
    const Tensor scaled = scores / std::sqrt(static_cast<double>(d));
    table.row({std::to_string(d), fmt::format("{:.2f}", spread(scores)),
               fmt::format("{:.2f}", largest(scores)), fmt::format("{:.2f}", spread(scaled)),
               fmt::format("{:.2f}", largest(scaled))});
    worst = std::max(worst, std::abs(spread(scaled) - 1));
  }
  fmt::print("\nWhy √D: the standard deviation of scores, and the softmax of twelve\n{}\n",
             table.text());
  app.verdict(worst < 0.1, fmt::format("the spread of q·k / √D is near 1: off by {:.2f}", worst));
}

int lesson(Example& app) {
  Settings s;
  app.option("--length", s.length, "tokens per sequence; even", {.min = 2, .max = 64});
  app.option("--vocab", s.vocab, "different tokens", {.min = 2, .max = 10000});
  app.option("--channels", s.channels, "numbers per token", {.min = 1, .max = 1024});
  app.option("--heads", s.heads, "attention heads; must divide the channels",
             {.min = 1, .max = 64});
  app.option("--steps", s.steps, "training steps", {.fast = 100, .min = 1});
  app.option("--rate", s.rate, "learning rate", {.min = 0});
  app.parse();
  check<ValueError>(s.length % 2 == 0,
                    "--length {}: the middle of an odd length needs no attention; choose an even "
                    "one",
                    s.length);

  show_scale(app);
  check_layer(app, s);
  const std::vector<Result> results = {train("attention", Attention::Full, s, app.seed()),
                                       train("causal attention", Attention::Causal, s, app.seed()),
                                       train("attention off", Attention::Off, s, app.seed())};
  const double chance = 1 / static_cast<double>(s.vocab);
  const std::vector<double> best = {1, 0.5 + chance / 2, chance};  // as far as each can see
  Table table({"", "tokens right", "at best", "whole sequences"});
  Panel loss({.title = "Reversing a sequence", .x = "step", .y = "cross-entropy", .log_x = true});
  std::vector<Panel> panels;
  for (size_t i = 0; i < results.size(); ++i) {
    const Result& r = results[i];
    table.row({r.name, fmt::format("{:.2f} %", 100 * r.score.tokens),
               fmt::format("{:.2f} %", 100 * best[i]),
               fmt::format("{:.2f} %", 100 * r.score.sequences)});
    loss.line(r.name, r.loss);
    if (!r.weights.empty())
      for (const Panel& panel : heat_maps(r, s)) panels.push_back(panel);
  }
  fmt::print("\n500 new sequences of {} tokens\n{}\n", s.length, table.text());
  save_plot(app.out("loss"), {loss});
  save_plot(app.out("attention"), panels, std::max(2, static_cast<int>(s.heads)));

  const double full_weight = antidiagonal(results[0], s, 0);
  const double causal_weight = antidiagonal(results[1], s, s.length / 2);
  fmt::print("mean weight on the anti-diagonal: {:.3f}; causal, its lower half: {:.3f}\n",
             full_weight, causal_weight);
  app.verdict(results[0].score.sequences >= 0.99,
              fmt::format("whole sequences right: {:.4f} >= 0.99", results[0].score.sequences));
  app.verdict(results[2].score.tokens <= chance + 0.03,
              fmt::format("attention off is guessing: {:.4f} of the tokens right <= {:.4f}",
                          results[2].score.tokens, chance + 0.03));
  app.verdict(std::abs(results[1].score.tokens - best[1]) < 0.03,
              fmt::format("the causal mask hides half: {:.4f} is near {:.4f}",
                          results[1].score.tokens, best[1]));
  app.verdict(s.heads > 1 || full_weight > 0.5,
              fmt::format("the map is the anti-diagonal: {:.3f} > 0.5", full_weight));
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "09_self_attention", "queries, keys, values, masks and heads", lesson);
}
