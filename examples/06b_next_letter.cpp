// 06b: The next letter. A language model gives every letter that may come next a probability, and
// its loss is what the letter that did come was worth: L = -mean log2 p, in bits per letter. Four
// models, each of them one idea away from the one before:
//
//   counts      p(b | a) = c(ab) / c(a)                      count pairs of letters, and divide
//   one layer   p(· | a) = softmax(W one_hot(a))             the same table, found by gradients:
//               dL/dW[a] = (c(a) p(· | a) - c(a ·)) / N      0 where p is the counts' quotient
//   MLP         x = [E[a1] … E[an]],  softmax(V tanh(U x))   letters become vectors, n at a time
//   deep        x ← relu(W x)             plain: the gradient passes through every W, and shrinks
//               x ← x + relu(W x)         residual: dL/dx = dL/dy + …, so it also passes beside it
//               x ← x + relu(W LN(x))     and LN(x) = (x - mean) / std keeps what W sees at size 1
//
// Shannon (1948) counted, Bengio et al. (2003, A Neural Probabilistic Language Model) wrote the
// MLP, He et al. (2016) the residual connection, Ba et al. (2016) the layer norm.
//
// Look at:  the first two rows of the table, which are one model; gradient.svg, where a straight
//           line is a factor per layer; loss.svg, where without the norm what 16 layers add up to
//           begins far too loud; what each model writes.
// Try next: `--depth 2`, where plain learns as well; `--depth 40`, where only the norm does;
//           `--window 2`, then `--window 16`: what does the MLP gain? Every place in its window has
//           weights of its own, so it learns "the" anew at each, and nothing tells it where to
//           look. 09 does.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <set>
#include <tuple>

#include "autograd/autograd.h"
#include "examples/support/run/text_option.h"
#include "examples/support/show/plot.h"
#include "examples/support/show/progress.h"
#include "examples/support/show/terminal.h"
#include "nn/layers.h"
#include "nn/text/sampling.h"
#include "nn/text/utf8.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

using namespace gradus;
using namespace gradus::support;

namespace {

struct Settings {
  std::string text;
  int64_t bytes = 500'000, window = 8, embedding = 16, width = 96, depth = 16;
  int64_t steps = 2500, batch = 256;
  double rate = 2e-3;
};

/// Windows of letters (B, n) I64 -> a score for every letter that may follow (B, V).
using Model = std::function<Tensor(const Tensor&)>;

// ---- The text -----------------------------------------------------------------------------------

/// A text as numbers: the place of each byte in the alphabet.
struct Letters {
  Letters(std::string_view text, const std::string& alphabet) : count(std::ssize(text)) {
    std::vector<int64_t> places;
    for (const char c : text) places.push_back(static_cast<int64_t>(alphabet.find(c)));
    ids = tensor(places);
  }
  /// The `n` letters before each place: (B,) -> (B, n).
  Tensor before(const Tensor& place, int64_t n) const {
    const Tensor index = reshape(place, {place.numel(), 1}) + arange(static_cast<double>(-n), 0);
    return reshape(index_select(ids, 0, flatten(index)), index.shape());
  }
  Tensor at(const Tensor& place) const { return index_select(ids, 0, place); }

  int64_t count;
  Tensor ids;
};

/// Bits per letter over all of `text` but the first window.
double bits_per_letter(const Model& model, const Letters& text, int64_t window) {
  const NoGrad guard;
  double nats = 0;
  for (int64_t start = window; start < text.count; start += 4096) {
    const int64_t end = std::min(start + 4096, text.count);
    const Tensor place = arange(static_cast<double>(start), static_cast<double>(end));
    nats += cross_entropy(model(text.before(place, window)), text.at(place),
                          {.reduction = Reduction::Sum})
                .item();
  }
  return nats / std::numbers::ln2 / static_cast<double>(text.count - window);
}

/// What a model writes after the first window of `text`: 60 letters.
std::string write(const Model& model, const Letters& text, const std::string& alphabet,
                  const Settings& s, uint64_t seed) {
  const NoGrad guard;
  Generator generator(seed);
  std::vector<int64_t> ids = slice(text.ids, 0, 0, s.window).to_vector<int64_t>();
  std::string written;
  for (int64_t i = 0; i < 60; ++i) {
    const std::vector<int64_t> past(ids.end() - s.window, ids.end());
    ids.push_back(sample(model(tensor(past, {1, s.window})), {}, {}, generator));
    written += alphabet[static_cast<size_t>(ids.back())];
  }
  return written;
}

// ---- The models ---------------------------------------------------------------------------------

Tensor last_letter(const Tensor& windows) { return select(windows, 1, -1); }

/// ln p(b | a) from the pairs of `text`, each counted a hundredth too often, so that none is 0.
Tensor count_pairs(const Letters& text, int64_t letters) {
  const std::vector<int64_t> ids = text.ids.to_vector<int64_t>();
  std::vector<double> pairs(static_cast<size_t>(letters * letters), 0.01);
  for (size_t i = 1; i < ids.size(); ++i)
    pairs[static_cast<size_t>(ids[i - 1] * letters + ids[i])] += 1;
  const Tensor c = tensor(pairs, {letters, letters});
  return to(log(c / sum(c, {1}, true)), F32);
}

enum class Wiring { Plain, Residual, Normed };

/// Bengio's MLP, with `depth` more layers between its hidden layer and its output.
struct WindowMlp : Module {
  WindowMlp(const Settings& s, int64_t letters, int64_t depth, Wiring w)
      : wiring(w),
        embed(add<Embedding>("embed", letters, s.embedding)),
        hidden(add<Linear>("hidden", s.window * s.embedding, s.width)),
        output(add<Linear>("output", s.width, letters)) {
    for (int64_t i = 0; i < depth; ++i)
      layers.push_back(&add<Linear>(fmt::format("layers.{}", i), s.width, s.width));
    if (wiring == Wiring::Normed)  // one before each layer, and one before the output
      for (int64_t i = 0; i <= depth; ++i)
        norms.push_back(&add<LayerNorm>(fmt::format("norms.{}", i), s.width));
  }
  Tensor operator()(const Tensor& windows) const {
    const auto normed = [&](size_t i, const Tensor& x) {
      return norms.empty() ? x : (*norms[i])(x);
    };
    Tensor x = tanh(hidden(flatten(embed(windows), 1)));
    for (size_t i = 0; i < layers.size(); ++i) {
      const Tensor y = relu((*layers[i])(normed(i, x)));
      x = wiring == Wiring::Plain ? y : x + y;
    }
    return output(normed(layers.size(), x));
  }
  Wiring wiring;
  Embedding& embed;
  Linear &hidden, &output;
  std::vector<Linear*> layers;
  std::vector<LayerNorm*> norms;
};

// ---- Training -----------------------------------------------------------------------------------

/// Every model sees the same batches. Returns the loss of each step, smoothed, in bits per letter;
/// `after_first` may look at the first step's gradients.
std::vector<double> train(
    const std::string& name, const Module& net, const Model& model, const Letters& text,
    const Settings& s, double rate, uint64_t seed,
    const std::function<void()>& after_first = [] {}) {
  AdamW optimizer(net.parameters(), rate, {.weight_decay = 0});
  const CosineLr schedule{.peak = rate, .floor = 0, .warmup = s.steps / 20, .total = s.steps};
  Generator generator(seed);
  std::vector<double> losses;
  Progress bar(name, s.steps);
  for (int64_t step = 0; step < s.steps; ++step) {
    const Tensor place = randint(s.window, text.count, {s.batch}, generator);
    optimizer.lr = schedule(step);
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(model(text.before(place, s.window)), text.at(place));
    backward(loss);
    if (step == 0) after_first();
    optimizer.step();
    const double bits = loss.item() / std::numbers::ln2;
    losses.push_back(losses.empty() ? bits : 0.98 * losses.back() + 0.02 * bits);
    bar.step("{:.3f} bits per letter", losses.back());
  }
  return losses;
}

int lesson(Example& app) {
  Settings s;
  app.option("--text", s.text, "a file to learn from (default: as in 13)");
  app.option("--bytes", s.bytes, "of the text that are read", {.fast = 100'000, .min = 1000});
  app.option("--window", s.window, "letters that are seen", {.min = 1, .max = 256});
  app.option("--width", s.width, "numbers per hidden layer", {.fast = 64, .min = 1, .max = 4096});
  app.option("--depth", s.depth, "layers of the deep models", {.min = 1, .max = 200});
  app.option("--steps", s.steps, "training steps of each model", {.fast = 600, .min = 1});
  app.option("--rate", s.rate, "peak learning rate", {.min = 0, .max = 1});
  app.parse();

  const Corpus corpus = text_to_learn(app, s.text);
  const std::string_view read =
      std::string_view(corpus.text).substr(0, static_cast<size_t>(s.bytes));
  const std::set<char> seen(read.begin(), read.end());
  const std::string alphabet(seen.begin(), seen.end());
  const int64_t letters = std::ssize(alphabet);
  const TrainValidation parts = split_corpus(read);
  const Letters text(parts.train, alphabet), held_out(parts.validation, alphabet);
  check<ValueError>(held_out.count > s.window,
                    "--window {}: the held-out text has only {} letters; give more text", s.window,
                    held_out.count);
  fmt::print("{} letters to learn from, {} held out, {} different\n", text.count, held_out.count,
             letters);

  Table table({"", "parameters", "training text", "held-out text"});
  std::string samples;
  const auto judge = [&](const std::string& name, int64_t parameters, const Model& model) {
    const double training = bits_per_letter(model, text, s.window);
    const double validation = bits_per_letter(model, held_out, s.window);
    table.row({name, std::to_string(parameters), fmt::format("{:.3f}", training),
               fmt::format("{:.3f}", validation)});
    samples += fmt::format("  {}  {}\n", pad(name, 15),
                           visible(write(model, held_out, alphabet, s, app.seed())));
    return std::pair(training, validation);
  };

  const Tensor counts = count_pairs(text, letters);
  const auto counted = judge("counts", letters * letters, [&](const Tensor& windows) {
    return embedding(counts, last_letter(windows));
  });

  manual_seed(app.seed());
  const Embedding layer(letters, letters);  // row a of it is W one_hot(a)
  const Model one_layer = [&](const Tensor& windows) { return layer(last_letter(windows)); };
  Panel losses(
      {.title = "Loss", .x = "step", .y = "bits per letter", .log_x = true, .log_y = true});
  losses.line("one layer", train("one layer", layer, one_layer, text, s, 0.1, app.seed()));
  const auto learned = judge("one layer", layer.num_parameters(), one_layer);

  Panel gradients({.title = "The first gradient", .x = "layer", .y = "norm", .log_y = true});
  std::vector<double> written, reach;  // bits on held-out text; first layer's gradient / last one's
  for (const auto& [name, depth, wiring] : {std::tuple("MLP", int64_t{0}, Wiring::Plain),
                                            std::tuple("deep, plain", s.depth, Wiring::Plain),
                                            std::tuple("deep, residual", s.depth, Wiring::Residual),
                                            std::tuple("… and norm", s.depth, Wiring::Normed)}) {
    manual_seed(app.seed());
    const WindowMlp net(s, letters, depth, wiring);
    std::vector<double> norms;
    const auto measure = [&, &layers = net.layers] {
      for (const Linear* linear : layers)
        norms.push_back(std::sqrt(sum(square(linear->weight.grad())).item()));
    };
    losses.line(name, train(name, net, std::cref(net), text, s, s.rate, app.seed(), measure));
    written.push_back(judge(name, net.num_parameters(), std::cref(net)).second);
    if (depth == 0) continue;
    gradients.line(name, norms);
    reach.push_back(norms.front() / norms.back());
  }

  fmt::print("\nbits per letter\n{}\nwhat they write\n{}\n", table.text(), samples);
  save_plot(app.out("loss"), {losses});
  save_plot(app.out("gradient"), {gradients});
  const double apart = std::abs(learned.first - counted.first);
  app.verdict(apart < 0.03,
              fmt::format("one layer finds the counts: {:.4f} bits apart < 0.03", apart));
  const double mlp = written[0], plain = written[1], normed = written[3];
  app.verdict(mlp < counted.second - 0.3,
              fmt::format("a window beats one letter: {:.3f} < {:.3f}", mlp, counted.second - 0.3));
  app.verdict(plain > mlp, fmt::format("depth alone is worse: {:.3f} > {:.3f}", plain, mlp));
  app.verdict(normed < mlp - 0.2,
              fmt::format("with residuals and norm better: {:.3f} < {:.3f}", normed, mlp - 0.2));
  app.verdict(reach[0] < 0.01 && reach[2] > 0.1,
              fmt::format("gradient of the first layer over the last one's: plain {:.1e} < 0.01, "
                          "residual and norm {:.2f} > 0.1",
                          reach[0], reach[2]));
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "06b_next_letter", "from counting letters to deep networks", lesson);
}
