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
// (examples/support/dialogues.h): a small world of names, elements, capitals, sums and small talk in
// English and Chinese, with phrasings, names and numbers set aside before training. The examination
// asks only those, and counts answers that are right to the letter.
//
// Look at:  the table of skills; /why after an answer: where the model was certain and where not; a
//           name that it has never seen, told and asked back: attention copies it token by token.
// Try next: --steps 300, and watch which skills come first; --channels 64; asking what is outside its
//           world: it answers fluently and wrongly, or says that it does not know. Which, and why?
#include <map>

#include "autograd/autograd.h"
#include "examples/support/chat.h"
#include "examples/support/file.h"
#include "examples/support/options.h"
#include "examples/support/progress.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

using namespace gradus;
using namespace gradus::support;
namespace fs = std::filesystem;

namespace {

struct Settings {
  int64_t steps = 5000, batch = 16, layers = 3, heads = 4, channels = 128, vocabulary = 1280,
          context = 192;
  int64_t chunk = 1024;  // dialogues generated, and sorted by length, at a time
  double rate = 3e-3;
  double temperature = 0;  // greedy: the same question, the same answer
  int64_t cases = 40;      // examination questions per skill and language
  bool train = false;
  std::string ask;
};

/// Training batches as a function of the step alone, so that a resumed run sees what an unbroken one
/// would have seen. Dialogues of like length share a batch: little padding.
class Batches {
 public:
  Batches(const BytePairEncoder& tokenizer, const Settings& s, uint64_t seed)
      : tokenizer_(tokenizer), settings_(s), seed_(seed) {}

  TrainingBatch operator()(int64_t step) {
    const int64_t per_chunk = settings_.chunk / settings_.batch;
    if (const int64_t chunk = step / per_chunk; chunk != chunk_) generate(chunk);
    const int64_t batch = order_[step % per_chunk];
    std::vector<const TrainingText*> rows;
    for (int64_t i = 0; i < settings_.batch; ++i)
      rows.push_back(&texts_[batch * settings_.batch + i]);
    return pad(rows);
  }

 private:
  void generate(int64_t chunk) {
    chunk_ = chunk;
    texts_.clear();
    DialogueGenerator generator(seed_ * 1'000'003 + static_cast<uint64_t>(chunk));
    while (static_cast<int64_t>(texts_.size()) < settings_.chunk) {
      TrainingText text = training_text(tokenizer_, generator.training());
      if (static_cast<int64_t>(text.ids.size()) <= settings_.context)
        texts_.push_back(std::move(text));
    }
    std::stable_sort(texts_.begin(), texts_.end(),
                     [](const auto& a, const auto& b) { return a.ids.size() < b.ids.size(); });
    Generator shuffle(seed_ + static_cast<uint64_t>(chunk));
    order_ = randperm(settings_.chunk / settings_.batch, shuffle).to_vector<int64_t>();
  }

  const BytePairEncoder& tokenizer_;
  const Settings& settings_;
  uint64_t seed_;
  int64_t chunk_ = -1;
  std::vector<TrainingText> texts_;
  std::vector<int64_t> order_;
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

/// Where a run is kept: the tokenizer, and the checkpoint that refers to it.
struct Files {
  fs::path tokenizer, checkpoint;
};

bool is_finished(const Checkpoint& c) { return c.metadata.contains("finished"); }

std::optional<Checkpoint> load(const Files& files) {
  if (!fs::exists(files.checkpoint) || !fs::exists(files.tokenizer)) return std::nullopt;
  return load_checkpoint(files.checkpoint.string());
}

/// Trains from the checkpoint's step on, or from the beginning.
void train(const Settings& s, const Files& files, const std::optional<Checkpoint>& resumed,
           uint64_t seed) {
  if (!resumed) train_tokenizer(s, seed).save(files.tokenizer.string());
  const BytePairEncoder tokenizer = BytePairEncoder::load(files.tokenizer.string());
  Gpt model(resumed ? gpt_config(resumed->metadata)
                    : GptConfig{tokenizer.size(), s.context, s.layers, s.heads, s.channels});
  AdamW optimizer(model.parameters(), s.rate, {.beta2 = 0.98, .weight_decay = 0.05});
  int64_t step = 0;
  if (resumed) {
    model.load_state_dict(resumed->model);
    optimizer.load_state_dict(resumed->optimizer);
    default_generator().set_state(resumed->generators.at("default"));
    step = metadata_number(resumed->metadata, "step");
    check<ValueError>(step <= s.steps,
                      "--steps {}: the checkpoint {} has done {} already; ask for more steps, or "
                      "begin anew with --train",
                      s.steps, files.checkpoint.string(), step);
    fmt::print("going on from step {} of {}\n", step, s.steps);
  }
  fmt::print("{} layers, {} channels, {} tokens: {} parameters\n", model.config.layers,
             model.config.channels, tokenizer.size(), model.num_parameters());
  auto save = [&](int64_t done) {
    Metadata metadata = to_metadata(model.config);
    metadata["step"] = std::to_string(done);
    if (done == s.steps) metadata["finished"] = "yes";
    save_checkpoint(files.checkpoint.string(),
                    {model.state_dict(),
                     done == s.steps ? NamedTensors{} : optimizer.state_dict(),
                     {{"default", default_generator().state()}},
                     metadata});
  };
  Batches batches(tokenizer, s, seed);
  const CosineLr schedule{.peak = s.rate, .floor = s.rate / 50, .warmup = 60, .total = s.steps};
  Progress bar("training", s.steps - step);
  double smooth = 0;
  for (; step < s.steps; ++step) {
    const TrainingBatch batch = batches(step);
    optimizer.lr = schedule(step);
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(model(batch.ids, batch.positions), batch.targets);
    backward(loss);
    clip_grad_norm(model.parameters(), 1.0);
    optimizer.step();
    smooth = smooth == 0 ? loss.item() : 0.95 * smooth + 0.05 * loss.item();
    bar.step("loss {:.3f}", smooth);
    if ((step + 1) % 200 == 0 || step + 1 == s.steps) save(step + 1);
  }
}

const char* name(Language language) {
  return language == Language::English ? "English" : "Chinese";
}

/// Asks every held-out question and prints a row per skill; keeps all answers in a file.
void check_skills(Example& app, const Gpt& model, const BytePairEncoder& tokenizer,
                  const Settings& s) {
  std::string log;
  const std::vector<TestCase> cases = held_out(2024, static_cast<int>(s.cases));
  Progress bar("examination", static_cast<int64_t>(cases.size()));
  const std::vector<Score> scores =
      examine(model, tokenizer, cases, [&](const TestCase& c, const std::string& answer) {
        log += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", answer == c.answer ? "right" : "WRONG",
                           c.skill, name(c.language), c.question, answer, c.answer);
        bar.step();
      });
  write_file(app.out("examination.tsv"), log);
  fmt::print(
      "\nright to the letter, on phrasings, names and numbers that were never trained on:\n{:<14} "
      "{:<9} {:>12}\n",
      "skill", "language", "right");
  int right = 0, asked = 0;
  double worst = 1;
  for (const Score& score : scores) {
    const double part = static_cast<double>(score.right) / score.asked;
    fmt::print("{:<14} {:<9} {:>3} of {:>3}  {:5.1f} %\n", score.skill, name(score.language),
               score.right, score.asked, 100 * part);
    right += score.right, asked += score.asked;
    worst = std::min(worst, part);
  }
  const double overall = static_cast<double>(right) / asked;
  fmt::print("{:<24} {:>3} of {:>3}  {:5.1f} %\nevery question and answer: {}\n\n", "all", right,
             asked, 100 * overall, app.out("examination.tsv").string());
  const double target = app.fast() ? 0.05 : 0.90, floor = app.fast() ? 0 : 0.75;
  app.check(overall >= target,
            fmt::format("exact answers {:.1f} % >= {:.0f} %", 100 * overall, 100 * target));
  app.check(worst >= floor,
            fmt::format("weakest skill {:.1f} % >= {:.0f} %", 100 * worst, 100 * floor));
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

  const Files files{app.out("tokenizer.json"), app.out("chatbot.safetensors")};
  std::optional<Checkpoint> checkpoint = s.train ? std::nullopt : load(files);
  if (!checkpoint || !is_finished(*checkpoint)) {
    train(s, files, checkpoint, app.seed());
    checkpoint = load(files);
  }
  const BytePairEncoder tokenizer = BytePairEncoder::load(files.tokenizer.string());
  Gpt model(gpt_config(checkpoint->metadata));
  model.load_state_dict(checkpoint->model);
  model.eval();
  check<IoError>(tokenizer.size() == model.config.vocabulary,
                 "{}: {} tokens, but the model has {}; train anew with --train",
                 files.tokenizer.string(), tokenizer.size(), model.config.vocabulary);

  const SamplingOptions options{.temperature = s.temperature};
  if (!s.ask.empty())
    fmt::print("{}\n", Conversation(model, tokenizer, options).reply(s.ask));
  else if (app.checking())
    check_skills(app, model, tokenizer, s);
  else
    chat(model, tokenizer, options, app.seed());
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "17_chatbot", "a chatbot that you train yourself, in English and Chinese",
             lesson);
}
