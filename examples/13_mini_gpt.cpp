// 13: A small GPT that learns to write.
//
// A language model gives every next token a probability. Text that it expects is cheap to write down:
// a token of probability p costs -log2 p bits, so the loss is a length, and bits per byte compare any
// two models, whatever their tokens are:
//
//   L = -mean_t ln p(x_t | x_0 … x_t-1)        bits per byte = L / ln 2 · tokens / bytes
//
// The model (nn/models/gpt.h): embeddings, blocks of causal self-attention and an MLP, and a softmax over
// the vocabulary that 11's byte pairs make. All positions of a window are trained at once, because the
// causal mask lets each see its past only. The learning rate warms up, then falls along a cosine.
// What must it beat? The best that counting can do: a 4-gram model with Kneser-Ney smoothing, on the
// same tokens and the same held-out text. It sees three tokens back; attention sees the whole window.
//
// Look at:  the samples as they turn from letters into words, from words into verses; training loss
//           against validation loss; which earlier tokens a head looks at (attention.svg).
// Try next: --text FILE with a book of yours; --layers 1; --vocabulary 256 (bytes); Ctrl-C in the
//           middle and --resume: the numbers are those of an unbroken run, bit for bit; --from a
//           checkpoint with another text: does it learn faster than from nothing?
#include <numbers>

#include "autograd/autograd.h"
#include "examples/support/data/text.h"
#include "examples/support/run/options.h"
#include "examples/support/run/training_run.h"
#include "examples/support/show/plot.h"
#include "examples/support/show/progress.h"
#include "nn/text/language_model.h"
#include "nn/text/ngram.h"
#include "nn/text/utf8.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

using namespace gradus;
using namespace gradus::support;
namespace fs = std::filesystem;

namespace {

struct Settings {
  std::string text, prompt, from;
  int64_t vocabulary = 1024, context = 128, layers = 4, heads = 4, channels = 192;
  int64_t steps = 3000, batch = 16, every = 250, length = 120, stop_after = 0;
  double rate = 2e-3, temperature = 0.8, dropout = 0;
  bool resume = false;
};

/// What a run is made with, kept in its checkpoint; how many steps it takes may change later.
const std::vector<std::string> kModel = {"--vocabulary", "--context", "--layers", "--heads",
                                         "--channels"},
                               kTraining = {"--seed", "--batch", "--rate", "--dropout"};

struct Data {
  BytePairEncoder tokenizer;
  TokenStream train, validation;
  std::string opening;  // of the validation text
};

/// With the tokenizer of an earlier run, or a new one.
Data prepare(const Corpus& corpus, const Settings& s, const Checkpoint* earlier) {
  const TrainValidation parts = split_corpus(corpus.text);
  BytePairEncoder tokenizer =
      earlier ? BytePairEncoder::from_json(metadata_text(earlier->metadata, "tokenizer"),
                                           "the checkpoint")
              : BytePairEncoder::train(parts.train, s.vocabulary);  // never sees validation text
  TokenStream train{tokenizer.encode(parts.train), parts.train.size()};
  TokenStream validation{tokenizer.encode(parts.validation), parts.validation.size()};
  for (const TokenStream* part : {&train, &validation})
    check<ValueError>(static_cast<int64_t>(part->ids.size()) > s.context + 1,
                      "{}: a part of it has only {} tokens; the context of {} needs more: give a "
                      "longer text or a shorter --context",
                      corpus.name, part->ids.size(), s.context);
  return {std::move(tokenizer), std::move(train), std::move(validation),
          first_words(parts.validation)};
}

std::string sample_text(const Gpt& model, const Data& data, const Settings& s, uint64_t seed) {
  Generator generator(seed);
  return printable(write_on(model, data.tokenizer, s.prompt.empty() ? data.opening : s.prompt,
                            s.length, {.temperature = s.temperature, .top_p = 0.95}, generator));
}

struct Run {
  Gpt& model;
  AdamW& optimizer;
  const Data& data;
  const Settings& settings;
  fs::path checkpoint;
  uint64_t seed;
  Metadata metadata;
  bool owns_checkpoint = false;  // what lies there is this run's
  int64_t step = 0;
  LossCurve curve = {};
};

void save(Run& run) {
  if (!run.owns_checkpoint) keep_earlier(run.checkpoint);
  run.owns_checkpoint = true;
  run.metadata["step"] = std::to_string(run.step);
  run.metadata["curve"] = run.curve.text();
  save_checkpoint(run.checkpoint.string(), {run.model.state_dict(),
                                            run.optimizer.state_dict(),
                                            {{"default", default_generator().state()}},
                                            run.metadata});
}

/// Goes on where the checkpoint was written, which adopted its settings already.
void resume(Run& run, const Checkpoint& c) {
  run.optimizer.load_state_dict(c.optimizer);
  default_generator().set_state(generator_state(c));
  run.step = metadata_number(c.metadata, "step");
  check<ValueError>(
      run.step <= run.settings.steps,
      "--steps {}: the checkpoint {} has done {} already; ask for more steps, or leave "
      "--resume out",
      run.settings.steps, run.checkpoint.string(), run.step);
  run.curve = LossCurve::from_text(metadata_text(c.metadata, "curve"));
  run.owns_checkpoint = true;
  fmt::print("going on from step {} of {}\n", run.step, run.settings.steps);
}

/// Trains to the end, or to --stop-after, or until Ctrl-C.
void train(Run& run, Example& app) {
  const Settings& s = run.settings;
  const CosineLr schedule{
      .peak = s.rate, .floor = s.rate / 10, .warmup = s.steps / 20, .total = s.steps};
  const double tokens_per_byte =
      static_cast<double>(run.data.train.ids.size()) / static_cast<double>(run.data.train.bytes);
  LossCurve& curve = run.curve;
  const StopSignals stop;
  Progress bar("training", s.steps - run.step);
  while (run.step < s.steps) {
    const auto [x, y] = random_windows(run.data.train, s.batch, s.context, run.seed, run.step);
    run.optimizer.lr = schedule(run.step);
    run.optimizer.zero_grad();
    const Tensor loss = cross_entropy(run.model(x), y);
    backward(loss);
    clip_grad_norm(run.model.parameters(), 1.0);
    run.optimizer.step();
    curve.add(loss.item() / std::numbers::ln2 * tokens_per_byte);
    bar.step("{:.3f} bits per byte", curve.recent());
    const bool due = ++run.step % s.every == 0 || run.step == s.steps;
    if (due) {
      run.model.eval();
      curve.point(run.step, bits_per_byte(run.model, run.data.validation, 8000));
      bar.print(fmt::format("step {}: training {:.3f}, validation {:.3f} bits per byte\n  {}",
                            run.step, curve.training.back(), curve.validation.back(),
                            sample_text(run.model, run.data, s, run.seed)));
      run.model.train();
    }
    if (due || stop.asked()) save(run);
    if (stop.asked()) {
      bar.print(fmt::format("stopped and saved at step {}; --resume goes on", run.step));
      stop.leave();
    }
    if (due && s.stop_after > 0 && run.step >= s.stop_after) break;
  }
  if (curve.steps.size() > 1)
    save_plot(app.out("loss"),
              {Panel({.title = "A GPT learns to write", .x = "step", .y = "bits per byte"})
                   .line("training", curve.steps, curve.training)
                   .line("validation", curve.steps, curve.validation)});
}

/// One panel per head of the last block: rows look at columns.
void draw_attention(const Run& run, Example& app) {
  NoGrad guard;
  std::vector<int64_t> ids(
      run.data.validation.ids.begin(),
      run.data.validation.ids.begin() + std::min<int64_t>(24, run.settings.context));
  std::vector<std::string> labels;
  for (int64_t id : ids) labels.push_back(visible(run.data.tokenizer.token(id)));
  const auto n = static_cast<int64_t>(ids.size());
  const Tensor weights =
      run.model.attention(tensor(ids, {1, n}), run.model.config.layers - 1);  // (1, H, T, T)
  std::vector<Panel> panels;
  for (int64_t h = 0; h < weights.size(1); ++h)
    panels.push_back(
        Panel({.title = fmt::format("head {}", h), .x = "looked at", .y = "from"})
            .matrix(select(select(weights, 0, 0), 0, h).to_vector<double>(), labels, labels));
  save_plot(app.out("attention"), panels);
}

int lesson(Example& app) {
  Settings s;
  app.option(
      "--text", s.text,
      "a file to learn from (default: the King James Bible, if installed; --fast: little stories)");
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
  app.option("--stop-after", s.stop_after,
             "end at the first checkpoint from this step on (0: do not)", {.min = 0});
  app.option("--prompt", s.prompt, "what samples begin with (default: as the held-out text does)");
  app.option("--length", s.length, "tokens per sample", {.fast = 32, .min = 1, .max = 4096});
  app.option("--temperature", s.temperature, "of samples", {.min = 0, .max = 100});
  app.flag("--resume", s.resume, "go on from the checkpoint in --out");
  app.option("--from", s.from,
             "a checkpoint whose model goes on learning, from any text, as a new run");
  app.parse();

  const FolderLock lock(app.out(""));
  const fs::path path = app.out("mini_gpt.safetensors");
  check<ValueError>(!s.resume || s.from.empty(),
                    "--from begins a run, --resume goes on with one: leave one of them out");
  std::optional<Checkpoint> earlier;
  if (s.resume) {
    check<IoError>(fs::exists(path), "--resume: there is no checkpoint {} yet; leave --resume out",
                   path.string());
    earlier = load_checkpoint(path.string());
    app.adopt(earlier->metadata, kTraining, "leave --resume out to begin anew");
    if (!app.given("--steps")) app.adopt(earlier->metadata, {"--steps"}, "give --steps");
  } else if (!s.from.empty()) {
    earlier = load_checkpoint(s.from);
  }
  if (earlier) app.adopt(earlier->metadata, kModel, "a model keeps its size");
  const Corpus corpus = !s.text.empty() ? load_text(s.text)
                        : app.fast()    ? generated_text()
                                        : default_corpus();
  fmt::print("text: {}, {} bytes\n", printable(corpus.name), corpus.bytes());
  if (!corpus.note.empty()) fmt::print("{}\n", corpus.note);
  const std::string identity = fingerprint(corpus.text);
  check<ValueError>(!s.resume || metadata_text(earlier->metadata, "text") == identity,
                    "--resume: {} learned from another text; give the same --text, or begin a new "
                    "run with --from {}",
                    path.string(), path.string());
  const Data data = prepare(corpus, s, earlier ? &*earlier : nullptr);
  const GptConfig config{
      data.tokenizer.size(), s.context, s.layers, s.heads, s.channels, s.dropout};
  if (earlier) check_size(config, earlier->model);
  Gpt model(config);
  if (earlier) model.load_state_dict(earlier->model);
  AdamW optimizer(decay_groups(model.parameters(), 0.1), s.rate, {.beta2 = 0.98});
  fmt::print("{} tokens, {:.2f} bytes each; the model has {} parameters\n",
             data.train.ids.size() + data.validation.ids.size(),
             static_cast<double>(data.train.bytes) / static_cast<double>(data.train.ids.size()),
             model.num_parameters());

  Run run{model, optimizer, data, s, path, app.seed(), to_metadata(model.config)};
  run.metadata.merge(app.settings(kModel));
  run.metadata.merge(app.settings(kTraining));
  run.metadata.merge(app.settings({"--steps"}));
  run.metadata["tokenizer"] = data.tokenizer.to_json();
  run.metadata["text"] = identity;
  if (s.resume) resume(run, *earlier);
  train(run, app);
  if (s.stop_after > 0 && s.stop_after < s.steps) return app.finish();

  model.eval();
  draw_attention(run, app);
  const int n =
      app.fast() ? 1 : 4;  // seconds of training beat only the frequencies of single tokens
  const NGramModel ngram(data.train.ids, data.tokenizer.size(), n);
  const double counting = ngram.bits_per_byte(data.validation.ids, data.validation.bytes);
  const double gpt = bits_per_byte(model, data.validation);
  fmt::print("\nheld-out text: {}-gram {:.3f} bits per byte, GPT {:.3f}\n\n{}\n", n, counting, gpt,
             sample_text(model, data, s, app.seed()));
  app.check(gpt < counting,
            fmt::format("GPT {:.3f} < {}-gram {:.3f} bits per byte", gpt, n, counting));
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "13_mini_gpt", "a Transformer language model on any text", lesson);
}
