// 17: A chatbot that you trained yourself.
//
// A language model continues text. Make it read dialogues, with marks for who speaks, and it continues
// a question with an answer; stop when it writes the end mark, and you have a chatbot:
//
//   <|user|>What is the capital of France?<|bot|>The capital of France is Paris.<|end|>
//
// The model is 13's GPT, smaller; the tokens are 11's byte pairs; the loss is cross-entropy, but only
// over the answers (the loss mask): L = -mean over answer tokens of ln p(token | everything before).
// What is new is the data, and what one may believe afterwards. The dialogues are generated
// (examples/support/chat/dialogues.h): a small world of names, elements, capitals, sums and small talk in
// English and Chinese, with phrasings, names and numbers set aside before training. The examination
// asks only those, and counts answers that are right to the letter.
//
// Look at:  the table of skills; /why after an answer: where the model was certain and where not; a
//           name that it has never seen, told and asked back: attention copies it token by token.
// Try next: --out out/small --steps 300, and watch which skills come first; --channels 64; asking what is
//           outside its world: it answers fluently and wrongly, or says that it does not know. Which, why?
#include <algorithm>

#include "autograd/autograd.h"
#include "examples/support/chat/chat.h"
#include "examples/support/run/options.h"
#include "examples/support/run/training_run.h"
#include "examples/support/show/progress.h"
#include "examples/support/show/terminal.h"
#include "nn/file.h"
#include "nn/text/utf8.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

using namespace gradus;
using namespace gradus::support;
namespace fs = std::filesystem;

namespace {

constexpr size_t kLateExchanges = 5;  // the context holds about eight

struct Settings {
  int64_t steps = 5000, batch = 16, layers = 3, heads = 4, channels = 128, vocabulary = 1280,
          context = 256;
  double rate = 3e-3;
  double temperature = 0;  // greedy: the same question, the same answer
  int64_t cases = 40;      // examination questions per skill and language
  bool train = false;
  std::string ask;
};

/// The tokenizer must not know names: a name of one token in training and of letters in life could not be
/// copied by rule. An English name that is told or asked back is the answer's last word; it is left out.
std::string without_name(const Turn& turn) {
  std::string text = turn.user + "\n" + turn.bot + "\n";
  if (turn.skill != "name" || turn.language != Language::English) return text;
  const size_t start = turn.bot.rfind(' ') + 1;
  const std::string name = turn.bot.substr(start, turn.bot.size() - 1 - start);
  for (size_t at; !name.empty() && (at = text.find(name)) != std::string::npos;)
    text.erase(at, name.size());
  return text;
}

BytePairEncoder train_tokenizer(const Settings& s, uint64_t seed) {
  std::string text;
  DialogueGenerator generator(seed);
  for (int i = 0; i < 20'000; ++i)
    for (const Turn& turn : generator.training()) text += without_name(turn);
  return BytePairEncoder::train(text, s.vocabulary, {kUser, kBot, kEnd});
}

/// What a run is made with, kept in its checkpoint.
const std::vector<std::string> kSettings = {"--steps", "--batch",    "--layers",
                                            "--heads", "--channels", "--rate"};
constexpr const char* kAdvice = "--train begins anew, and --out DIR keeps both";

/// A trained chatbot is one file. While it is in training another one holds what it takes to go on, so that
/// a chatbot trained before stays until the new one is done.
struct Files {
  fs::path chatbot, unfinished;
};

struct Chatbot {
  BytePairEncoder tokenizer;
  Gpt model;
};

Chatbot make_chatbot(const Checkpoint& c, const std::string& source) {
  const auto json = c.metadata.find("tokenizer");
  check<IoError>(json != c.metadata.end(), "{}: holds no tokenizer; {}", source, kAdvice);
  Chatbot bot{BytePairEncoder::from_json(json->second, source), load_gpt(c)};
  check<IoError>(bot.tokenizer.size() == bot.model.config.vocabulary,
                 "{}: {} tokens, but the model has {}; {}", source, bot.tokenizer.size(),
                 bot.model.config.vocabulary, kAdvice);
  return bot;
}

/// The checkpoint at `path` and its settings; nothing if there is no file.
std::optional<Checkpoint> load(Example& app, const fs::path& path, bool with_seed) {
  if (!fs::exists(path)) return std::nullopt;
  Checkpoint c;
  try {
    c = load_checkpoint(path.string());
  } catch (const IoError& e) { throw IoError(fmt::format("{} ({})", e.what(), kAdvice)); }
  app.adopt(c.metadata, kSettings, kAdvice);
  if (with_seed) app.adopt(c.metadata, {"--seed"}, kAdvice);
  return c;
}

/// Trains from the unfinished checkpoint on, if there is one, or from the beginning.
void train(Example& app, const Settings& s, const Files& files) {
  const FolderLock lock(app.out(""));
  const auto resumed = s.train ? std::nullopt : load(app, files.unfinished, true);
  const auto begin = [&] {
    BytePairEncoder tokenizer = train_tokenizer(s, app.seed());
    Gpt model({tokenizer.size(), s.context, s.layers, s.heads, s.channels});
    return Chatbot{std::move(tokenizer), std::move(model)};
  };
  const Chatbot bot = resumed ? make_chatbot(*resumed, files.unfinished.string()) : begin();
  const Gpt& model = bot.model;
  AdamW optimizer(decay_groups(model.parameters(), 0.05), s.rate, {.beta2 = 0.98});
  int64_t step = 0;
  if (resumed) {
    optimizer.load_state_dict(resumed->optimizer);
    default_generator().set_state(generator_state(*resumed));
    step = metadata_number(resumed->metadata, "step", s.steps);
    fmt::print("going on from step {} of {}\n", step, s.steps);
  }
  fmt::print("{} layers, {} channels, {} tokens: {} parameters\n", model.config.layers,
             model.config.channels, bot.tokenizer.size(), model.num_parameters());
  Metadata metadata = to_metadata(model.config);
  metadata.merge(app.settings(kSettings));
  metadata.merge(app.settings({"--seed"}));
  metadata["tokenizer"] = bot.tokenizer.to_json();
  DialogueBatches batches(bot.tokenizer, s.batch, s.context, app.seed());
  const CosineLr schedule{.peak = s.rate,
                          .floor = s.rate / 50,
                          .warmup = std::min<int64_t>(60, s.steps / 2),
                          .total = s.steps};
  const StopSignals signals;
  Progress bar("training", s.steps - step);
  double smooth = 0;
  while (step < s.steps) {
    const TrainingBatch batch = batches(step);
    optimizer.lr = schedule(step);
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(model(batch.ids, batch.positions), batch.targets);
    backward(loss);
    clip_grad_norm(model.parameters(), 1.0);
    optimizer.step();
    smooth = smooth == 0 ? loss.item() : 0.95 * smooth + 0.05 * loss.item();
    bar.step("loss {:.3f}", smooth);
    const bool stop = signals.asked();
    if (++step % 200 != 0 && !stop) continue;
    metadata["step"] = std::to_string(step);
    save_checkpoint(files.unfinished.string(), {model.state_dict(),
                                                optimizer.state_dict(),
                                                {{"default", default_generator().state()}},
                                                metadata});
    if (!stop) continue;
    bar.print(fmt::format("stopped and saved at step {}; {}", step,
                          fs::exists(files.chatbot) ? "the earlier chatbot stays"
                                                    : "the same command without --train goes on"));
    signals.leave();
  }
  keep_earlier(files.chatbot);
  save_checkpoint(files.chatbot.string(), {.model = model.state_dict(), .metadata = metadata});
  fs::remove(files.unfinished);
}

const char* name(Language language) {
  return language == Language::English ? "English" : "Chinese";
}

/// Asks every held-out question and prints a row per skill; keeps all answers in a file. Then once more,
/// fewer of them, at the end of long conversations.
void check_skills(Example& app, const Gpt& model, const BytePairEncoder& tokenizer,
                  const Settings& s) {
  const int cases = static_cast<int>(s.cases), late_cases = std::max(1, cases / 4);
  const std::vector<TestCase> asked = held_out(2024, cases),
                              late = held_out(2025, late_cases, kLateExchanges);
  std::string log;
  Progress bar("examination", static_cast<int64_t>(asked.size() + late.size()));
  const auto note = [&](const TestCase& c, const std::string& answer) {
    log += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", answer == c.answer ? "right" : "WRONG",
                       c.skill, name(c.language), c.before.size(), c.question, answer, c.answer);
    bar.step();
  };
  const std::vector<Score> scores = examine(model, tokenizer, asked, note);
  const Score late_score = total(examine(model, tokenizer, late, note)), score = total(scores);
  write_file(app.out("examination.tsv"), log);

  Table table({"skill", "language", "right", "of", ""});
  const auto row = [&](const std::string& skill, const char* language, const Score& r) {
    table.row({skill, language, std::to_string(r.right), std::to_string(r.asked),
               fmt::format("{:.1f} %", 100 * r.part())});
  };
  for (const Score& r : scores) row(r.skill, name(r.language), r);
  row("all", "", score);
  row(fmt::format("all, after {} exchanges", kLateExchanges), "", late_score);
  fmt::print(
      "\nright to the letter, on phrasings, names and numbers that were never trained on:\n{}"
      "every question and answer: {}\n\n",
      table.text(), app.out("examination.tsv").string());
  fmt::print("What it knows:\n{}{}\n", what_to_ask(), kLimits);

  const double target = app.fast() ? 0.05 : 0.90, floor = app.fast() ? 0 : 0.75;
  const double weakest =
      std::ranges::min(scores, {}, [](const Score& r) { return r.part(); }).part();
  const auto verdict = [&](const char* what, double part, double least) {
    app.check(part >= least, fmt::format("{} {:.1f} % >= {:.0f} %", what, 100 * part, 100 * least));
  };
  verdict("exact answers", score.part(), target);
  verdict("weakest skill", weakest, floor);
  verdict("in long conversations", late_score.part(), floor);
}

int lesson(Example& app) {
  Settings s;
  app.option("--steps", s.steps, "training steps", {.fast = 600, .min = 1});
  app.option("--batch", s.batch, "dialogues per step", {.fast = 16, .min = 1, .max = 1024});
  app.option("--layers", s.layers, "Transformer blocks", {.fast = 2, .min = 1, .max = 64});
  app.option("--heads", s.heads, "attention heads", {.min = 1, .max = 64});
  app.option("--channels", s.channels, "width", {.fast = 64, .min = 4, .max = 4096});
  app.option("--rate", s.rate, "peak learning rate", {.min = 0, .max = 1});
  app.option("--cases", s.cases, "examination questions per skill and language",
             {.fast = 5, .min = 1, .max = 1000});
  app.option("--temperature", s.temperature, "0: always the most probable token",
             {.min = 0, .max = 100});
  app.flag("--train", s.train, "train anew, even if there is a checkpoint");
  app.option("--ask", s.ask, "answer one question and end");
  app.parse();

  const Files files{app.out("chatbot.safetensors"), app.out("unfinished.safetensors")};
  auto checkpoint = s.train ? std::nullopt : load(app, files.chatbot, false);
  if (!checkpoint) {
    if (!s.train)
      fmt::print("no chatbot in {} yet: training one; --out names another folder\n",
                 fs::absolute(files.chatbot).parent_path().string());
    train(app, s, files);
    checkpoint = load_checkpoint(files.chatbot.string());
  }
  Chatbot bot = make_chatbot(*checkpoint, files.chatbot.string());
  bot.model.eval();

  const SamplingOptions options{.temperature = s.temperature};
  if (app.given("--ask"))
    fmt::print("{}\n", printable(Conversation(bot.model, bot.tokenizer, options).reply(s.ask)));
  else if (app.checking())
    check_skills(app, bot.model, bot.tokenizer, s);
  else
    chat(bot.model, bot.tokenizer, options, app.seed());
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "17_chatbot", "a chatbot that you train yourself, in English and Chinese",
             lesson);
}
