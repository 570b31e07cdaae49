// 13: A small GPT that learns to write.
//
// A language model gives every possible next token a probability. Text that it expects is cheap to
// write down: a token of probability p costs -log2 p bits. So the loss is a length, and bits per
// byte compare any two models, whatever their tokens are:
//
//   L = -mean_t ln p(x_t | x_0 … x_t-1)        bits per byte = L / ln 2 · tokens / bytes
//
// The model is nn/models/gpt.h: embeddings, blocks of causal self-attention and an MLP, and a
// softmax over the vocabulary that 11's byte pairs make. The causal mask lets each position see its
// past only, so all positions of a window are trained at once. The learning rate warms up, then
// falls along a cosine. What must the model beat? The best that counting can do: a 4-gram model
// with Kneser-Ney smoothing, on the same tokens and the same held-out text. It sees three tokens
// back; attention sees the whole window. A small text it learns by heart before it has understood
// it: then validation rises while training falls, training ends, and the best weights are kept.
//
// Look at:  the samples, as they turn from letters into words and from words into verses; training
//           loss against validation loss; which earlier tokens a head looks at (attention.svg).
// Try next: --text FILE with a book of yours; `--layers 1`; `--vocabulary 256`, which is bytes;
//           Ctrl-C in the middle and then --resume: the numbers are those of an unbroken run, bit
//           for bit; --from a checkpoint with another text: does it learn faster than from nothing?
//           Then `--write "In the beginning" --temperature 0.5`: the trained model writes at once.
#include <numbers>

#include "autograd/autograd.h"
#include "examples/support/run/text_option.h"
#include "examples/support/run/training_run.h"
#include "examples/support/show/plot.h"
#include "nn/models/language_model.h"
#include "nn/text/ngram.h"
#include "nn/text/utf8.h"
#include "optim/clip.h"
#include "optim/schedule.h"

using namespace gradus;
using namespace gradus::support;

namespace {

constexpr int64_t kHeldOut = 32'768;  // tokens to validate on; more would cost much of the time

struct Settings {
  std::string text, prompt, to_continue;
  int64_t vocabulary = 1024, context = 128, layers = 4, heads = 4, channels = 192;
  int64_t batch = 16, length = 120;
  double rate = 2e-3, temperature = 0.8, dropout = 0;
  TrainingPlan plan{.file = "mini_gpt.safetensors",
                    .model = {"--vocabulary", "--context", "--layers", "--heads", "--channels"},
                    .training = {"--seed", "--batch", "--rate", "--dropout"},
                    .start_over = "leave out --resume to start over",
                    .go_on = {},
                    .steps = 3000,
                    .every = 250,
                    .patience = 3};
};

/// A tokenizer made for `text`, and a model that has read nothing yet.
LanguageModel new_model(std::string_view text, const Settings& s) {
  const auto tokenizer = BytePairEncoder::train(text, s.vocabulary);
  return {tokenizer, Gpt({tokenizer.size(), s.context, s.layers, s.heads, s.channels, s.dropout})};
}

std::string sample_text(const LanguageModel& model, const Settings& s, uint64_t seed) {
  Generator generator(seed);
  return printable(
      model.generate(s.prompt, s.length, {.temperature = s.temperature, .top_p = 0.95}, generator));
}

void train(TrainingRun& run, LanguageModel& model, const TokenStream& text,
           const TokenStream& validation, const Settings& s, uint64_t seed) {
  Gpt& gpt = model.gpt;
  AdamW optimizer(decay_groups(gpt.parameters(), 0.1), s.rate, {.beta2 = 0.98});
  const int64_t steps = s.plan.steps;
  const CosineLr schedule{
      .peak = s.rate, .floor = s.rate / 10, .warmup = steps / 20, .total = steps};
  const double tokens_per_byte =
      static_cast<double>(text.ids.size()) / static_cast<double>(text.bytes);

  run.begin(gpt, optimizer, to_metadata(model));
  while (run.next()) {
    const auto [ids, next_ids] = random_windows(text, s.batch, s.context, seed, run.step());
    optimizer.lr = schedule(run.step());
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(gpt(ids), next_ids);
    backward(loss);
    clip_grad_norm(gpt.parameters(), 1.0);
    optimizer.step();
    run.curve.add(loss.item() / std::numbers::ln2 * tokens_per_byte);
    if (!run.done("{:.3f} bits per byte", run.curve.recent())) continue;
    gpt.eval();
    run.validated(bits_per_byte(gpt, validation));
    run.print(fmt::format("step {}: training {:.3f}, validation {:.3f} bits per byte\n  {}",
                          run.step(), run.curve.training.back(), run.curve.validation.back(),
                          sample_text(model, s, seed)));
    gpt.train();
  }
  gpt.eval();
}

/// If the model is not that of the last step: why, and what helps.
void explain_choice(const LossCurve& curve) {
  const size_t best = curve.best(), last = curve.steps.size() - 1;
  if (best == last) return;
  fmt::print(
      "\nThe validation loss was lowest at step {}: {:.3f}. By step {} it was {:.3f}, while the "
      "training loss\nwent from {:.3f} to {:.3f}. Kept: the model of step {}.\n",
      curve.steps[best], curve.validation[best], curve.steps[last], curve.validation[last],
      curve.training[best], curve.training[last], curve.steps[best]);
  if (curve.overfits(1))
    fmt::print(
        "It was learning the text by heart. What helps: more text; --dropout 0.2; a smaller model\n"
        "(--layers, --channels); --steps {}, so that the learning rate is low by then.\n",
        curve.steps[best]);
}

/// One panel per head of the last block: each row, a token, looks at columns.
void draw_attention(const LanguageModel& model, const TokenStream& text, Example& app) {
  const NoGrad guard;
  const int64_t n = std::min({int64_t{24}, model.gpt.config.context, std::ssize(text.ids)});
  const std::vector<int64_t> ids(text.ids.begin(), text.ids.begin() + n);
  std::vector<std::string> labels;
  for (const int64_t id : ids) labels.push_back(visible(model.tokenizer.token(id)));
  const int64_t layers = model.gpt.config.layers;
  const Tensor weights = model.gpt.attention(tensor(ids, {1, n}), layers - 1);
  std::vector<Panel> panels;
  for (int64_t head = 0; head < weights.size(1); ++head)  // weights: (1, H, T, T)
    panels.push_back(
        Panel({.title = fmt::format("layer {} of {}, head {}", layers, layers, head + 1),
               .x = "looks at",
               .y = "token"})
            .matrix(select(select(weights, 0, 0), 0, head).to_vector<double>(), labels, labels));
  save_plot(app.out("attention"), panels);
}

/// Trains nothing: the model that an earlier run left in the folder continues a text.
int write_on(Example& app, Settings& s) {
  const auto file = app.out(s.plan.file);
  const Checkpoint checkpoint =
      load_run(app, file, s.plan.model,
               "--write takes a trained model; leave it out to train one, or name "
               "the folder of one with --out");
  LanguageModel model = load_language_model(checkpoint, file.string(), 0);
  model.gpt.eval();
  s.prompt = s.to_continue;
  fmt::print("\n{}\n", sample_text(model, s, app.seed()));
  return app.finish();
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
  app.option("--batch", s.batch, "windows per step", {.fast = 12, .min = 1, .max = 4096});
  app.option("--rate", s.rate, "peak learning rate", {.min = 0, .max = 1});
  app.option("--dropout", s.dropout, "for small texts", {.min = 0, .max = 0.9});
  app.option("--prompt", s.prompt, "what samples begin with (default: as the held-out text does)");
  app.option("--length", s.length, "tokens per sample", {.fast = 32, .min = 1, .max = 4096});
  app.option("--temperature", s.temperature, "of samples", {.min = 0, .max = 100});
  s.plan.add_options(app, 600, 100);
  app.option("--write", s.to_continue, "continue this text with the trained model, and end");
  app.parse();
  if (app.given("--write")) return write_on(app, s);

  s.plan.go_on = "to go on: " + app.command({"--from", "--resume"}) + " --resume";
  TrainingRun run(app, s.plan);
  const Corpus corpus = text_to_learn(app, s.text);
  run.must_match("text", fingerprint(corpus.text),
                 "learned from another text; give the same --text, or begin a new run with --from");
  const TrainValidation parts = split_corpus(corpus.text);
  if (s.prompt.empty()) s.prompt = first_words(parts.validation);
  LanguageModel model = run.earlier()
                            ? load_language_model(*run.earlier(), "the checkpoint", s.dropout)
                            : new_model(parts.train, s);
  const TokenStream text = tokenize(model.tokenizer, parts.train);
  const TokenStream held_out = tokenize(model.tokenizer, parts.validation);
  const TokenStream validation = excerpts(model.tokenizer, held_out, kHeldOut);
  const NGramModel ngram(text.ids, model.tokenizer.size(), 4);
  const double counting = ngram.bits_per_byte(validation.ids, validation.bytes);
  fmt::print(
      "{} tokens to learn from, {} held out, of which {} validate; {} parameters\n"
      "to beat: a 4-gram model, which writes the held-out text in {:.3f} bits per byte\n",
      text.ids.size(), held_out.ids.size(), validation.ids.size(), model.gpt.num_parameters(),
      counting);
  train(run, model, text, validation, s, app.seed());
  run.curve.draw(app.out("loss"), "A GPT learns to write", "bits per byte", {"4-gram", counting});
  if (!run.finished()) return app.finish();

  draw_attention(model, validation, app);
  explain_choice(run.curve);
  const double gpt = bits_per_byte(model.gpt, validation);
  fmt::print("\n{}\n", sample_text(model, s, app.seed()));
  app.verdict(
      gpt < counting,
      fmt::format("GPT {:.3f} < 4-gram {:.3f} bits per byte of held-out text", gpt, counting),
      "the same on megabytes that people wrote");
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "13_mini_gpt", "a Transformer language model on any text", lesson);
}
