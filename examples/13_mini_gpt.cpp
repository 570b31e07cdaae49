// 13: A small GPT that learns to write.
//
// A language model gives every next token a probability. Text that it expects is cheap to write down:
// a token of probability p costs -log2 p bits, so the loss is a length, and bits per byte compare any
// two models, whatever their tokens are:
//
//   L = -mean_t ln p(x_t | x_0 … x_t-1)        bits per byte = L / ln 2 · tokens / bytes
//
// The model is 10's decoder: embeddings, blocks of causal self-attention and an MLP, and a softmax over
// the vocabulary that 11's byte pairs make. All positions of a window are trained at once, because the
// causal mask lets each see its past only. The learning rate warms up, then falls along a cosine.
// What must it beat? The best that counting can do: a 4-gram model with Kneser-Ney smoothing, on the
// same tokens and the same held-out text. It sees three tokens back; attention sees the whole window.
//
// Look at:  the samples as they turn from letters into words, from words into verses; training loss
//           against validation loss; which earlier tokens a head looks at (attention.svg).
// Try next: --text FILE with a book of yours; --layers 1; --vocabulary 256 (bytes); Ctrl-C in the
//           middle and --resume: the numbers are those of an unbroken run, bit for bit.
#include <cmath>
#include <map>
#include <numbers>

#include "autograd/autograd.h"
#include "examples/support/bpe.h"
#include "examples/support/gpt.h"
#include "examples/support/ngram.h"
#include "examples/support/options.h"
#include "examples/support/plot.h"
#include "examples/support/progress.h"
#include "examples/support/sampling.h"
#include "examples/support/text.h"
#include "examples/support/utf8.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

using namespace gradus;
using namespace gradus::support;
namespace fs = std::filesystem;

namespace {

struct Settings {
  std::string text, prompt = "And ";
  int64_t vocabulary = 1024, context = 128, layers = 4, heads = 4, channels = 192;
  int64_t steps = 3000, batch = 16, every = 250, length = 120, stop_after = 0;
  double rate = 2e-3, temperature = 0.8, dropout = 0;
  bool resume = false;
};

/// A text as tokens, and how many bytes it was.
struct Stream {
  std::vector<int64_t> ids;
  size_t bytes;
};

struct Data {
  BytePairEncoder tokenizer;
  Stream train, validation;
};

Data prepare(const Corpus& corpus, const Settings& s) {
  const TrainValidation parts = split_corpus(corpus.text);
  BytePairEncoder tokenizer =
      BytePairEncoder::train(parts.train, s.vocabulary);  // never sees validation text
  Stream train{tokenizer.encode(parts.train), parts.train.size()};
  Stream validation{tokenizer.encode(parts.validation), parts.validation.size()};
  for (const Stream* part : {&train, &validation})
    check<ValueError>(static_cast<int64_t>(part->ids.size()) > s.context + 1,
                      "{}: a part of it has only {} tokens; the context of {} needs more: give a "
                      "longer text or a shorter --context",
                      corpus.name, part->ids.size(), s.context);
  return {std::move(tokenizer), std::move(train), std::move(validation)};
}

/// `batch` windows beginning at random places; a function of seed and step, so that a resumed run goes on as
/// an unbroken one.
std::pair<Tensor, Tensor> random_windows(const Stream& text, const Settings& s, uint64_t seed,
                                         int64_t step) {
  Generator generator(seed ^ (static_cast<uint64_t>(step) * 0x9E3779B97F4A7C15u));
  const auto last = static_cast<int64_t>(text.ids.size()) - s.context;
  std::vector<int64_t> x, y;
  for (int64_t start : randint(0, last, {s.batch}, generator).to_vector<int64_t>()) {
    x.insert(x.end(), text.ids.begin() + start, text.ids.begin() + start + s.context);
    y.insert(y.end(), text.ids.begin() + start + 1, text.ids.begin() + start + s.context + 1);
  }
  return {tensor(x, {s.batch, s.context}), tensor(y, {s.batch, s.context})};
}

/// Bits per byte of the first `tokens` tokens (0: all). The window moves by half of the context, and only
/// its second half counts, so that every token but the first few is predicted from at least half a context.
double bits_per_byte(const Gpt& model, const Stream& text, int64_t tokens = 0) {
  NoGrad guard;
  const auto n = static_cast<int64_t>(text.ids.size());
  const int64_t end = tokens > 0 ? std::min(tokens, n) : n, context = model.config.context,
                half = context / 2;
  double nats = 0;
  int64_t done = 1;  // the first token has no past; it costs what a uniform guess costs
  while (done < end) {
    const int64_t start = std::max<int64_t>(0, done - 1 - half),
                  stop = std::min(end, start + context + 1);
    const std::vector<int64_t> x(text.ids.begin() + start, text.ids.begin() + stop - 1);
    std::vector<int64_t> y(text.ids.begin() + start + 1, text.ids.begin() + stop);
    std::fill(y.begin(), y.begin() + (done - start - 1), -100);  // counted before
    const Shape shape{1, static_cast<int64_t>(x.size())};
    nats += cross_entropy(model(tensor(x, shape)), tensor(y, shape), {.reduction = Reduction::Sum})
                .item();
    done = stop;
  }
  nats += std::log(static_cast<double>(model.config.vocabulary));
  const double bytes =
      static_cast<double>(text.bytes) * static_cast<double>(end) / static_cast<double>(n);
  return nats / std::numbers::ln2 / bytes;
}

std::string write_on(const Gpt& model, const BytePairEncoder& tokenizer, const Settings& s,
                     uint64_t seed) {
  NoGrad guard;
  Generator generator(seed);
  std::vector<int64_t> ids = tokenizer.encode(s.prompt);
  const int64_t room = model.config.context - s.length;
  if (static_cast<int64_t>(ids.size()) > room)
    ids.erase(ids.begin(), ids.end() - std::max<int64_t>(room, 1));
  std::vector<KvCache> caches = model.make_caches(1);
  Utf8Stream characters;
  std::string text = s.prompt;
  std::vector<int64_t> unread = ids;
  for (int64_t i = 0; i < s.length && caches[0].length + static_cast<int64_t>(unread.size()) <=
                                          model.config.context;
       ++i) {
    const Tensor logits = model(tensor(unread, {1, static_cast<int64_t>(unread.size())}), caches);
    unread = {sample(logits, {.temperature = s.temperature, .top_p = 0.95}, {}, generator)};
    text += characters.push(tokenizer.token(unread[0]));
  }
  return text + characters.finish();
}

struct Run {
  Gpt& model;
  AdamW& optimizer;
  const Data& data;
  const Settings& settings;
  fs::path checkpoint;
  uint64_t seed;
};

void save(const Run& run, int64_t step) {
  Metadata metadata = to_metadata(run.model.config);
  metadata["step"] = std::to_string(step);
  save_checkpoint(run.checkpoint.string(), {run.model.state_dict(),
                                            run.optimizer.state_dict(),
                                            {{"default", default_generator().state()}},
                                            metadata});
}

/// Trains from `step` on; the curves of training and validation loss come back in bits per byte.
void train(const Run& run, int64_t step, Example& app) {
  const Settings& s = run.settings;
  const CosineLr schedule{
      .peak = s.rate, .floor = s.rate / 10, .warmup = s.steps / 20, .total = s.steps};
  const double tokens_per_byte =
      static_cast<double>(run.data.train.ids.size()) / static_cast<double>(run.data.train.bytes);
  std::vector<double> steps, training, validation;
  Progress bar("training", s.steps - step);
  double recent = 0;
  int64_t counted = 0;
  for (; step < s.steps; ++step) {
    const auto [x, y] = random_windows(run.data.train, s, run.seed, step);
    run.optimizer.lr = schedule(step);
    run.optimizer.zero_grad();
    const Tensor loss = cross_entropy(run.model(x), y);
    backward(loss);
    clip_grad_norm(run.model.parameters(), 1.0);
    run.optimizer.step();
    recent += loss.item() / std::numbers::ln2 * tokens_per_byte, ++counted;
    bar.step("{:.3f} bits per byte", recent / static_cast<double>(counted));
    if ((step + 1) % s.every != 0 && step + 1 != s.steps) continue;
    run.model.eval();
    steps.push_back(static_cast<double>(step + 1));
    training.push_back(recent / static_cast<double>(counted)), recent = 0, counted = 0;
    validation.push_back(bits_per_byte(run.model, run.data.validation, 8000));
    bar.print(fmt::format("step {}: training {:.3f}, validation {:.3f} bits per byte\n  {}",
                          step + 1, training.back(), validation.back(),
                          write_on(run.model, run.data.tokenizer, s, run.seed)));
    run.model.train();
    save(run, step + 1);
    if (s.stop_after > 0 && step + 1 >= s.stop_after) break;
  }
  if (steps.size() > 1)
    save_plot(app.out("loss"),
              {Panel({.title = "A GPT learns to write", .x = "step", .y = "bits per byte"})
                   .line("training", steps, training)
                   .line("validation", steps, validation)});
}

/// One panel per head of the last block: rows look at columns.
void draw_attention(const Run& run, Example& app) {
  NoGrad guard;
  std::vector<int64_t> ids(
      run.data.validation.ids.begin(),
      run.data.validation.ids.begin() + std::min<int64_t>(24, run.settings.context));
  std::vector<std::string> labels;
  for (int64_t id : ids)
    labels.push_back(is_utf8(run.data.tokenizer.token(id)) ? run.data.tokenizer.token(id) : "?");
  const auto n = static_cast<int64_t>(ids.size());
  const Tensor weights =
      run.model.attention(tensor(ids, {1, n}), run.model.config.layers - 1);  // (1, H, T, T)
  std::vector<Panel> panels;
  for (int64_t h = 0; h < weights.size(1); ++h)
    panels.push_back(Panel({.title = fmt::format("head {}", h)})
                         .matrix(raw::select(raw::select(weights, 0, 0), 0, h).to_vector<double>(),
                                 labels, labels));
  save_plot(app.out("attention"), panels);
}

int lesson(Example& app) {
  Settings s;
  app.option("--text", s.text,
             "a file to learn from (default: the King James Bible, if installed)");
  app.option("--vocabulary", s.vocabulary, "tokens of the byte pair encoder",
             {.fast = 320, .min = 256, .max = 65536});
  app.option("--context", s.context, "window in tokens", {.fast = 48, .min = 8, .max = 4096});
  app.option("--layers", s.layers, "Transformer blocks", {.fast = 2, .min = 1, .max = 64});
  app.option("--heads", s.heads, "attention heads", {.min = 1, .max = 64});
  app.option("--channels", s.channels, "width", {.fast = 64, .min = 4, .max = 4096});
  app.option("--steps", s.steps, "training steps", {.fast = 150, .min = 1});
  app.option("--batch", s.batch, "windows per step", {.fast = 12, .min = 1, .max = 4096});
  app.option("--rate", s.rate, "peak learning rate", {.min = 0, .max = 1});
  app.option("--dropout", s.dropout, "for small texts", {.min = 0, .max = 0.9});
  app.option("--every", s.every, "steps between validation, sample and checkpoint",
             {.fast = 50, .min = 1});
  app.option("--stop-after", s.stop_after, "end after this step, as if interrupted (0: do not)",
             {.min = 0});
  app.option("--prompt", s.prompt, "what samples begin with");
  app.option("--length", s.length, "tokens per sample", {.fast = 32, .min = 1, .max = 4096});
  app.option("--temperature", s.temperature, "of samples", {.min = 0, .max = 100});
  app.flag("--resume", s.resume, "go on from the checkpoint in --out");
  app.parse();
  check<ValueError>(!s.prompt.empty(), "--prompt: give it at least one character");

  const Corpus corpus = !s.text.empty() ? load_text(s.text)
                        : app.fast()    ? generated_text()
                                        : default_corpus();
  fmt::print("text: {}, {} bytes\n", corpus.name, corpus.bytes());
  if (!corpus.note.empty()) fmt::print("{}\n", corpus.note);
  const Data data = prepare(corpus, s);
  Gpt model({data.tokenizer.size(), s.context, s.layers, s.heads, s.channels, s.dropout});
  AdamW optimizer(model.parameters(), s.rate, {.beta2 = 0.98, .weight_decay = 0.1});
  fmt::print("{} tokens, {:.2f} bytes each; the model has {} parameters\n",
             data.train.ids.size() + data.validation.ids.size(),
             static_cast<double>(data.train.bytes) / static_cast<double>(data.train.ids.size()),
             model.num_parameters());

  const Run run{model, optimizer, data, s, app.out("mini_gpt.safetensors"), app.seed()};
  int64_t step = 0;
  if (s.resume) {
    const Checkpoint checkpoint = load_checkpoint(run.checkpoint.string());
    model.load_state_dict(checkpoint.model);
    optimizer.load_state_dict(checkpoint.optimizer);
    default_generator().set_state(checkpoint.generators.at("default"));
    step = metadata_number(checkpoint.metadata, "step");
    check<ValueError>(
        step <= s.steps,
        "--steps {}: the checkpoint {} has done {} already; ask for more steps, or leave "
        "--resume out",
        s.steps, run.checkpoint.string(), step);
    fmt::print("going on from step {} of {}\n", step, s.steps);
  }
  train(run, step, app);
  if (s.stop_after > 0 && s.stop_after < s.steps) return app.finish();

  model.eval();
  draw_attention(run, app);
  const int n =
      app.fast() ? 1 : 4;  // seconds of training beat only the frequencies of single tokens
  const NGramModel ngram(data.train.ids, data.tokenizer.size(), n);
  const double counting = ngram.bits_per_byte(data.validation.ids, data.validation.bytes);
  const double gpt = bits_per_byte(model, data.validation);
  fmt::print("\nheld-out text: {}-gram {:.3f} bits per byte, GPT {:.3f}\n\n{}\n", n, counting, gpt,
             write_on(model, data.tokenizer, s, app.seed()));
  app.check(gpt < counting,
            fmt::format("GPT {:.3f} < {}-gram {:.3f} bits per byte", gpt, n, counting));
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "13_mini_gpt", "a Transformer language model on any text", lesson);
}
