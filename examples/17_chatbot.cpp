// 17: A chatbot that you trained yourself.
//
// A language model continues text. Make it read dialogues, with marks for who speaks, and it
// continues a question with an answer. Stop when it writes the end mark, and you have a chatbot:
//
//   <|user|>What is the capital of France?<|bot|>The capital of France is Paris.<|end|>
//
// The model is 13's GPT with rotary positions, and the loss is cross-entropy, but only over the
// answers (the loss mask), because a bot need not learn to ask:
//
//   L = -mean over answer tokens of ln p(token | everything before)
//
// It has four minutes. That is not enough for a deep model: in the same time one layer reads two
// and a half times as much as four, and knows more in the end. One layer can do all this because of
// two things. A word is one token, or is spelled letter by letter (support/chat/words.h), so a name
// that was never seen is copied like any other. And each token's vector has those of the five
// before it mixed in (GptConfig::lookback), so attention finds "what came after this" at once. The
// matrices learn by Muon, the rest by AdamW. What each choice gave is in examples/README.md.
//
// What is new is the data, and what one may believe afterwards. The dialogues are generated from
// examples/data/world: a small world of names, elements, capitals, sums and small talk in English
// and Chinese, as files that you can read and add to. Two examinations follow. The generated one
// asks what was held out of the training, and counts answers that are right to the letter. The
// written one has conversations written by hand, without a look at the sentences trained on.
//
// A chatbot should say when it does not know. The product of its tokens' probabilities says how
// confident it is of an answer. After training, held-out questions show what that is worth: from
// which confidence on do more than two answers come right for each that states something wrong? An
// answer below becomes "I don't know".
//
// Look at:  the tables of skills; confidence.svg, which share of the questions it answers against
//           which share of these answers is not true; /why after an answer: where was it certain,
//           where not; a name that it has never seen, told and asked back, letter by letter.
// Try next: `--out out/small --steps 300`, and ask it the same questions: which skills come first?
//           Four layers, `--out out/deep --layers 4 --steps 500`, or one in the same time,
//           `--out out/flat --steps 1250`? A topic of your own, with --world DIR
//           (examples/data/world/README.md says how).
#include <algorithm>

#include "autograd/autograd.h"
#include "examples/support/chat/chat.h"
#include "examples/support/chat/examination.h"
#include "examples/support/data/datasets.h"
#include "examples/support/run/number.h"
#include "examples/support/run/training_run.h"
#include "examples/support/show/plot.h"
#include "nn/text/utf8.h"
#include "optim/clip.h"
#include "optim/muon.h"
#include "optim/schedule.h"

using namespace gradus;
using namespace gradus::support;
namespace fs = std::filesystem;

namespace {

/// What a chatbot is made with; its file keeps it.
const std::vector<std::string> kSettings = {"--steps", "--tokens",   "--layers",
                                            "--heads", "--channels", "--rate"};
constexpr const char* kStartOver = "--train starts over, and --out DIR keeps both";
// An answer that is not true does as much harm as so many right ones do good.
constexpr double kHarm = 2;

struct Settings {
  int64_t tokens = 1024, layers = 1, heads = 2, channels = 128, vocabulary = 4608, context = 1024;
  int64_t lookback = 5;
  double rate = 0.01;
  double temperature = 0;  // greedy: the same question, the same answer
  int64_t cases = 25;      // examination questions per skill and language
  bool train_anew = false;
  std::string question, world;
  // While a chatbot is in training it is in a file of its own: one that was trained before stays
  // until the new one is done.
  TrainingPlan plan{.file = "unfinished.safetensors",
                    .model = kSettings,
                    .training = {"--seed"},
                    .start_over = kStartOver,
                    .go_on = "the same command continues from there",
                    .steps = 6200,
                    .every = 200};
};

Chatbot new_chatbot(const World& world, const Settings& s, uint64_t seed) {
  const Words words = learn_words(world, seed, s.vocabulary);
  return {words, Gpt({.vocabulary = words.size(),
                      .context = s.context,
                      .layers = s.layers,
                      .heads = s.heads,
                      .channels = s.channels,
                      .positions = Positions::Rotary,
                      .lookback = s.lookback,
                      .qk_norm = true})};
}

ChatOptions chat_options(const World& world, double temperature, double least_confidence) {
  return {.sampling = {.temperature = temperature},
          .least_confidence = least_confidence,
          .doubt = {world.doubt(Language::English), world.doubt(Language::Chinese)}};
}

/// Asks held-out questions, draws which share it can answer at which price, and returns the least
/// confidence that is worth an answer.
double measure_confidence(Example& app, const World& world, Chatbot& bot) {
  bot.gpt.eval();
  Conversation talk(bot.gpt, bot.words);
  const auto cases = held_out(world, 99, app.fast() ? 5 : 25);
  Progress bar("confidence", std::ssize(cases));
  const auto curve = coverage(examine(talk, cases, [&] { bar.step(); }), world);
  std::vector<double> answered, untrue;
  for (const Coverage& c : curve) {
    answered.push_back(100 * c.answered);
    untrue.push_back(100 * c.untrue);
  }
  save_plot(app.out("confidence"), {Panel({.title = "What it answers if it must be this confident",
                                           .x = "questions answered, %",
                                           .y = "of these not true, %"})
                                        .line("", answered, untrue)});
  return least_confidence(curve, kHarm);
}

/// Trains a chatbot, or continues where an earlier training stopped, and writes it to `file`.
void train(Example& app, const World& world, Settings& s, const fs::path& file) {
  s.plan.resume = !s.train_anew && fs::exists(app.out(s.plan.file));
  if (s.train_anew) s.plan.go_on = "the same command without --train continues from there";
  if (fs::exists(file)) s.plan.go_on = "the earlier chatbot stays";
  TrainingRun run(app, s.plan);
  run.must_match("world", world.fingerprint(),
                 fmt::format("the world's files have changed; {}", s.plan.go_on));
  Chatbot bot = run.earlier() ? load_chatbot(*run.earlier(), app.out(s.plan.file).string())
                              : new_chatbot(world, s, app.seed());
  Gpt& gpt = bot.gpt;
  fmt::print("{} layers, {} channels, {} words: {} parameters\n", s.layers, s.channels,
             bot.words.size(), gpt.num_parameters());
  std::vector<Tensor> matrices, others;
  for (const auto& [name, p] : gpt.named_parameters())
    (name.starts_with("blocks") && p.dim() == 2 ? matrices : others).push_back(p);
  Muon muon(matrices, s.rate, {.weight_decay = 0.05, .adjust_lr_fn = AdjustLr::MatchRmsAdamw});
  AdamW adamw(decay_groups(others, 0.05), s.rate, {.beta2 = 0.99});
  Optimizers both{muon, adamw};
  const int64_t steps = s.plan.steps;
  const DialogueBatches batches(world, bot.words, {steps, s.tokens, s.context}, app.seed());
  const CosineLr schedule{.peak = s.rate,
                          .floor = s.rate / 50,
                          .warmup = std::min<int64_t>(60, steps / 2),
                          .total = steps};
  double recent_loss = 0;
  run.begin(gpt, both, to_metadata(bot));
  while (run.next()) {
    const TrainingBatch batch = batches(run.step());
    for (Optimizer& optimizer : both) optimizer.lr = schedule(run.step());
    both.zero_grad();
    const Tensor loss = cross_entropy(gpt(batch.ids, batch.positions), batch.targets);
    backward(loss);
    clip_grad_norm(gpt.parameters(), 1.0);
    both.step();
    recent_loss = recent_loss == 0 ? loss.item() : 0.95 * recent_loss + 0.05 * loss.item();
    run.done("loss {:.3f}", recent_loss);
  }
  run.publish(file,
              {{"least_confidence", fmt::format("{:.6f}", measure_confidence(app, world, bot))}});
}

void hold_examinations(Example& app, const World& world, Conversation& talk, int cases) {
  const auto questions = held_out(world, 2024, cases);
  Progress bar("generated examination", std::ssize(questions));
  const auto generated = examine(talk, questions, [&] { bar.step(); });
  write_answers(app.out("generated.tsv"), generated);
  const Report knows = report(generated, true);
  bar.print(
      fmt::format("\nright to the letter, on sentences, names and numbers that were never "
                  "trained on:\n{}",
                  knows.table()));
  const auto people = read_examination(data_file("../../tests/examination.txt"));
  const auto written = examine(talk, people, world);
  write_answers(app.out("written.tsv"), written);
  const Report understands = report(written, false);
  fmt::print(
      "\nright or fitting, in conversations written by hand, without a look at its "
      "sentences:\n{}\n",
      understands.table());
  const auto share = [&](auto is, auto of) {
    return static_cast<double>(std::ranges::count_if(written, is)) /
           static_cast<double>(std::ranges::count_if(written, of));
  };
  const double untrue = share([&](const Asked& a) { return is_wrong_fact(a, world); },
                              [](const Asked&) { return true; });
  const double mangled =
      share([&](const Asked& a) { return is_mangled_name(a, world); },
            [](const Asked& a) { return a.skill == "name" || a.skill == "memory"; });
  const auto verdict = [&](const char* what, double reached, double least, const char* full = "") {
    app.verdict(reached >= least,
                fmt::format("{} {:.1f} % >= {:.0f} %", what, 100 * reached, 100 * least), full);
  };
  if (app.fast()) {
    verdict("generated examination", knows.all.share(), 0.15, "85 %, and 78 % of the written one");
    return;
  }
  verdict("generated examination", knows.all.share(), 0.85);
  verdict("written examination", understands.all.share(), 0.78);
  app.verdict(untrue <= 0.04, fmt::format("wrong facts {:.1f} % <= 4 %", 100 * untrue));
  app.verdict(mangled <= 0.15, fmt::format("mangled names {:.1f} % <= 15 %", 100 * mangled));
}

int lesson(Example& app) {
  Settings s;
  app.option("--steps", s.plan.steps, "training steps", {.fast = 1200, .min = 1});
  app.option("--tokens", s.tokens, "tokens per step", {.min = 64, .max = 1 << 20});
  app.option("--layers", s.layers, "Transformer blocks", {.min = 1, .max = 64});
  app.option("--heads", s.heads, "attention heads", {.min = 1, .max = 64});
  app.option("--channels", s.channels, "width", {.fast = 64, .min = 4, .max = 4096});
  app.option("--rate", s.rate, "peak learning rate", {.min = 0, .max = 1});
  app.option("--cases", s.cases, "generated questions per skill and language",
             {.fast = 5, .min = 1, .max = 1000});
  app.option("--temperature", s.temperature, "0: always the most probable token",
             {.min = 0, .max = 100});
  app.flag("--train", s.train_anew, "train again, even if there is a chatbot");
  app.option("--world", s.world, "a folder with topics to add", "my_world");
  app.option("--ask", s.question, "answer one question and end", "What is the capital of France?");
  app.parse();

  const World world(data_file("world"), s.world);
  const fs::path file = app.out("chatbot.safetensors");
  if (!s.train_anew && !fs::exists(file))
    fmt::print("no chatbot in {} yet: training one; --out names another folder\n",
               fs::absolute(file).parent_path().string());
  if (s.train_anew || !fs::exists(file)) train(app, world, s, file);
  const Checkpoint checkpoint = load_run(app, file, kSettings, kStartOver);
  Chatbot bot = load_chatbot(checkpoint, file.string());
  bot.gpt.eval();
  if (metadata_text(checkpoint.metadata, "world") != world.fingerprint())
    fmt::print(
        "the world's files have changed since this chatbot was trained; --train teaches "
        "them\n");

  double least = 0;
  check<IoError>(
      parse_number(metadata_text(checkpoint.metadata, "least_confidence"), least) == std::errc{},
      "{}: its least_confidence is not a number; {}", file.string(), kStartOver);
  Conversation talk(bot.gpt, bot.words, chat_options(world, s.temperature, least));
  talk.generator = Generator(app.seed());
  if (app.given("--ask"))
    fmt::print("{}\n", printable(talk.reply(s.question)));
  else if (app.checking())
    hold_examinations(app, world, talk, static_cast<int>(s.cases));
  else
    chat(talk, bot.words, what_to_ask(world));
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "17_chatbot", "a chatbot that you train yourself, in English and Chinese",
             lesson);
}
