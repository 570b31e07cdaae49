// 17: A chatbot that you trained yourself.
//
// A language model continues text. Make it read dialogues, with marks for who speaks, and it
// continues a question with an answer. Stop when it writes the end mark, and you have a chatbot:
//
//   <|user|>What is the capital of France?<|bot|>The capital of France is Paris.<|end|>
//
// The model is 13's GPT, smaller; the tokens are 11's byte pairs. The loss is cross-entropy, but
// only over the answers (the loss mask), because a bot need not learn to ask:
//
//   L = -mean over answer tokens of ln p(token | everything before)
//
// What is new is the data, and what one may believe afterwards. The dialogues are generated
// (examples/support/chat/dialogues.h): a small world of names, elements, capitals, sums and small
// talk in English and Chinese. Some phrasings, names and numbers are set aside before training.
// The examination asks only those, and counts answers that are right to the letter.
//
// Look at:  the table of skills; /why after an answer: where was the model certain, where not; a
//           name that it has never seen, told and asked back: attention copies it token by token.
// Try next: `--out out/small --steps 300`, and watch which skills come first; `--train --channels
//           64`; asking what is outside its world: it answers fluently and wrongly, or says that it
//           does not know. Which, and why?
#include <algorithm>

#include "autograd/autograd.h"
#include "examples/support/chat/chat.h"
#include "examples/support/chat/examination.h"
#include "examples/support/run/training_run.h"
#include "nn/models/language_model.h"
#include "nn/text/utf8.h"
#include "optim/clip.h"
#include "optim/schedule.h"

using namespace gradus;
using namespace gradus::support;
namespace fs = std::filesystem;

namespace {

/// What a chatbot is made with; its file keeps it.
const std::vector<std::string> kSettings = {"--steps", "--batch",    "--layers",
                                            "--heads", "--channels", "--rate"};
constexpr const char* kStartOver = "--train starts over, and --out DIR keeps both";

struct Settings {
  int64_t batch = 16, layers = 3, heads = 4, channels = 128, vocabulary = 1280, context = 256;
  double rate = 3e-3;
  double temperature = 0;  // greedy: the same question, the same answer
  int64_t cases = 40;      // examination questions per skill and language
  bool train_anew = false;
  std::string question;
  // While a chatbot is in training it is in a file of its own: one that was trained before stays
  // until the new one is done.
  TrainingPlan plan{.file = "unfinished.safetensors",
                    .model = kSettings,
                    .training = {"--seed"},
                    .start_over = kStartOver,
                    .go_on = "the same command continues from there",
                    .steps = 5000,
                    .every = 200};
};

LanguageModel new_model(const Settings& s, uint64_t seed) {
  const auto tokenizer =
      BytePairEncoder::train(tokenizer_text(seed, 20'000), s.vocabulary, {kUser, kBot, kEnd});
  return {tokenizer, Gpt({tokenizer.size(), s.context, s.layers, s.heads, s.channels})};
}

/// Trains a chatbot, or continues where an earlier training stopped, and writes it to `file`.
void train(Example& app, Settings& s, const fs::path& file) {
  s.plan.resume = !s.train_anew && fs::exists(app.out(s.plan.file));
  if (s.train_anew) s.plan.go_on = "the same command without --train continues from there";
  if (fs::exists(file)) s.plan.go_on = "the earlier chatbot stays";
  TrainingRun run(app, s.plan);
  LanguageModel bot = run.earlier()
                          ? load_language_model(*run.earlier(), app.out(s.plan.file).string(), 0)
                          : new_model(s, app.seed());
  Gpt& gpt = bot.gpt;
  fmt::print("{} layers, {} channels, {} tokens: {} parameters\n", s.layers, s.channels,
             bot.tokenizer.size(), gpt.num_parameters());
  AdamW optimizer(decay_groups(gpt.parameters(), 0.05), s.rate, {.beta2 = 0.98});
  DialogueBatches batches(bot.tokenizer, s.batch, s.context, app.seed());
  const int64_t steps = s.plan.steps;
  const CosineLr schedule{.peak = s.rate,
                          .floor = s.rate / 50,
                          .warmup = std::min<int64_t>(60, steps / 2),
                          .total = steps};
  double recent_loss = 0;
  run.begin(gpt, optimizer, to_metadata(bot));
  while (run.next()) {
    const TrainingBatch batch = batches(run.step());
    optimizer.lr = schedule(run.step());
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(gpt(batch.ids, batch.positions), batch.targets);
    backward(loss);
    clip_grad_norm(gpt.parameters(), 1.0);
    optimizer.step();
    recent_loss = recent_loss == 0 ? loss.item() : 0.95 * recent_loss + 0.05 * loss.item();
    run.done("loss {:.3f}", recent_loss);
  }
  run.publish(file);
}

void check_skills(Example& app, const LanguageModel& bot, int cases) {
  const fs::path log = app.out("examination.tsv");
  const Report report = hold_examination(bot.gpt, bot.tokenizer, cases, log);
  fmt::print(
      "\nright to the letter, on phrasings, names and numbers that were never trained on:\n{}"
      "every question and answer: {}\n\n",
      report.table(), log.string());
  fmt::print("What it knows:\n{}{}\n", what_to_ask(), kLimits);
  const auto verdict = [&](const char* what, double share, double least, const char* full = "") {
    app.verdict(share >= least,
                fmt::format("{} {:.1f} % >= {:.0f} %", what, 100 * share, 100 * least), full);
  };
  if (app.fast()) {
    verdict("exact answers", report.all.share(), 0.05,
            "90 %, 75 % of each skill and 75 % in long conversations");
    return;
  }
  verdict("exact answers", report.all.share(), 0.90);
  verdict("weakest skill", report.weakest(), 0.75);
  verdict("in long conversations", report.late.share(), 0.75);
}

int lesson(Example& app) {
  Settings s;
  app.option("--steps", s.plan.steps, "training steps", {.fast = 600, .min = 1});
  app.option("--batch", s.batch, "dialogues per step", {.fast = 16, .min = 1, .max = 1024});
  app.option("--layers", s.layers, "Transformer blocks", {.fast = 2, .min = 1, .max = 64});
  app.option("--heads", s.heads, "attention heads", {.min = 1, .max = 64});
  app.option("--channels", s.channels, "width", {.fast = 64, .min = 4, .max = 4096});
  app.option("--rate", s.rate, "peak learning rate", {.min = 0, .max = 1});
  app.option("--cases", s.cases, "examination questions per skill and language",
             {.fast = 5, .min = 1, .max = 1000});
  app.option("--temperature", s.temperature, "0: always the most probable token",
             {.min = 0, .max = 100});
  app.flag("--train", s.train_anew, "train again, even if there is a chatbot");
  app.option("--ask", s.question, "answer one question and end", "What is the capital of France?");
  app.parse();

  const fs::path file = app.out("chatbot.safetensors");
  if (!s.train_anew && !fs::exists(file))
    fmt::print("no chatbot in {} yet: training one; --out names another folder\n",
               fs::absolute(file).parent_path().string());
  if (s.train_anew || !fs::exists(file)) train(app, s, file);
  const Checkpoint checkpoint = load_run(app, file, kSettings, kStartOver);
  LanguageModel bot = load_language_model(checkpoint, file.string(), 0);
  bot.gpt.eval();

  const SamplingOptions options{.temperature = s.temperature};
  if (app.given("--ask"))
    fmt::print("{}\n", printable(Conversation(bot.gpt, bot.tokenizer, options).reply(s.question)));
  else if (app.checking())
    check_skills(app, bot, static_cast<int>(s.cases));
  else
    chat(bot.gpt, bot.tokenizer, options, app.seed());
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "17_chatbot", "a chatbot that you train yourself, in English and Chinese",
             lesson);
}
