#include "examples/support/chat/chatbot.h"

#include <algorithm>
#include <cmath>

#include "nn/text/utf8.h"

namespace gradus::support {

namespace {

constexpr int64_t kLongestAnswer = 80;  // tokens; those of a long name are its letters
constexpr size_t kShownChoices = 5;

std::vector<int64_t> question_ids(const Words& words, std::string_view question) {
  std::vector<int64_t> ids{Words::User};
  for (int64_t id : words.encode(tidied(question))) ids.push_back(id);
  ids.push_back(Words::Bot);
  return ids;
}

std::vector<int64_t> answer_ids(const Words& words, std::string_view answer) {
  std::vector<int64_t> ids = words.encode(answer);
  ids.push_back(Words::End);
  return ids;
}

/// Whether a text is Chinese: it has a character of three bytes or more.
bool is_chinese(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0xE3; });
}

}  // namespace

Metadata to_metadata(const Chatbot& bot) {
  Metadata metadata = to_metadata(bot.gpt.config);
  metadata["words"] = bot.words.to_json();
  return metadata;
}

Chatbot load_chatbot(const Checkpoint& checkpoint, const std::string& source) {
  Chatbot bot{Words::from_json(metadata_text(checkpoint.metadata, "words"), source),
              load_gpt(checkpoint, 0)};
  check<IoError>(bot.words.size() == bot.gpt.config.vocabulary,
                 "{}: there are {} words, but the model has {}; they do not belong together",
                 source, bot.words.size(), bot.gpt.config.vocabulary);
  return bot;
}

// ---- Training -----------------------------------------------------------------------------------

TrainingText training_text(const Words& words, const Turn& turn) {
  const std::vector<int64_t> question = question_ids(words, turn.user),
                             answer = answer_ids(words, turn.bot);
  TrainingText text{.ids = question, .targets = {}};
  text.ids.insert(text.ids.end(), answer.begin(), answer.end());
  // The last token of the question has the first of the answer for its target, and so on.
  text.targets.assign(question.size() - 1, TrainingText::kIgnore);
  text.targets.insert(text.targets.end(), answer.begin(), answer.end());
  text.targets.push_back(TrainingText::kIgnore);
  return text;
}

DialogueBatches::DialogueBatches(const World& world, const Words& words, const Plan& plan,
                                 uint64_t seed)
    : world_(world), words_(words), plan_(plan), seed_(seed) {}

/// How long the rows of a batch are: short at first, because one learns to copy and to look up from
/// short conversations sooner; then also long.
int64_t DialogueBatches::row_length(int64_t step, SplitMix64& rng) const {
  const size_t dice = rng.below(100);
  const bool early = 10 * step < 6 * plan_.steps;
  const int64_t wanted = early || dice < 30 ? 128 : dice < 60 ? 256 : dice < 85 ? 512 : 1024;
  return std::min({wanted, plan_.context, plan_.tokens});
}

TrainingBatch DialogueBatches::operator()(int64_t step) const {
  SplitMix64 rng(seed_ * 1'000'003 + static_cast<uint64_t>(step));
  const int64_t length = row_length(step, rng), rows = plan_.tokens / length;
  std::vector<int64_t> ids, positions, targets;
  Talk talk(world_, rng.next());
  for (int64_t b = 0; b < rows; ++b) {
    talk.restart();
    for (int64_t t = 0; t < length;) {
      const TrainingText text = training_text(words_, talk.next());
      for (size_t i = 0; i < text.ids.size() && t < length; ++i, ++t) {
        ids.push_back(text.ids[i]);
        if (text.targets[i] == TrainingText::kIgnore) continue;
        positions.push_back(b * length + t);
        targets.push_back(text.targets[i]);
      }
    }
  }
  return {tensor(ids, {rows, length}), tensor(positions), tensor(targets)};
}

/// Names must not be in what the words are counted in. One that is a token in training, when new
/// ones are spelled, would not teach the model to spell.
Words learn_words(const World& world, uint64_t seed, int64_t size) {
  std::string text;
  std::vector<std::string> compounds = world.list(Language::Chinese, "words");
  SplitMix64 rng(seed);
  for (const Language language : kLanguages)
    for (const Intent& intent : world[language].intents)
      for (int i = 0; intent.rows && i < 1000; ++i)
        for (const auto& [_, values] : intent.rows(rng))
          for (const std::string& value : values) {
            text += value + "\n";
            if (intent.source.ends_with(".csv")) compounds.push_back(value);
          }
  Talk talk(world, seed);
  for (int i = 0; i < 60'000; ++i) {
    if (i % 20 == 0) talk.restart();
    const Turn turn = talk.next();
    if (turn.skill != "name") text += turn.user + "\n" + turn.bot + "\n";
  }
  return Words::learn(text, size, std::move(compounds));
}

// ---- Conversation -------------------------------------------------------------------------------

Conversation::Conversation(const Gpt& model, const Words& words, ChatOptions o)
    : options(std::move(o)), model_(model), words_(words) {
  reset();
}

void Conversation::reset() {
  exchanges_.clear();
  transcript_.clear();
  choices_.clear();
  unread_.clear();
  confidence_ = 1;
  caches_ = model_.make_caches(1);
}

/// Adds tokens to the exchange in progress.
void Conversation::append(const std::vector<int64_t>& ids) {
  for (int64_t id : ids) {
    exchanges_.back().push_back(id);
    unread_.push_back(id);
  }
}

/// Forgets the oldest exchanges until `wanted` more tokens fit. The rest must then be read again,
/// because every position has moved.
void Conversation::make_room(int64_t wanted) {
  const auto size = [](const std::vector<int64_t>& e) { return static_cast<int64_t>(e.size()); };
  int64_t used = 0;
  for (const auto& e : exchanges_) used += size(e);
  if (used + wanted <= model_.config.context) return;
  auto kept = exchanges_.begin();
  for (; kept + 1 < exchanges_.end() && used + wanted > model_.config.context; ++kept)
    used -= size(*kept);
  exchanges_.erase(exchanges_.begin(), kept);
  check<ValueError>(used + wanted <= model_.config.context,
                    "chat: the question is {} tokens long, and the model reads {} with room for an "
                    "answer; make it shorter",
                    used, model_.config.context - wanted);
  unread_.clear();
  for (const auto& e : exchanges_) unread_.insert(unread_.end(), e.begin(), e.end());
  for (KvCache& cache : caches_) cache.length = 0;
}

void Conversation::feed() {
  NoGrad guard;
  const auto n = static_cast<int64_t>(unread_.size());
  logits_ = model_(tensor(unread_, {1, n}), caches_);
  unread_.clear();
}

void Conversation::recall(std::string_view question, std::string_view answer) {
  exchanges_.emplace_back();
  append(question_ids(words_, question));
  append(answer_ids(words_, answer));
  transcript_.emplace_back(question, answer);
}

std::string Conversation::reply(std::string_view question, const std::function<bool()>& go_on) {
  check<ValueError>(is_utf8(question), "chat: the question is not UTF-8; type it as UTF-8 text");
  check<ValueError>(!tidied(question).empty(), "chat: the question is empty; ask something");
  const int64_t room = std::min(kLongestAnswer, model_.config.context / 2);
  const std::vector<int64_t> ids = question_ids(words_, question);
  check<ValueError>(std::ssize(ids) + room <= model_.config.context,
                    "chat: the question is {} tokens long, and the model reads {}, {} of them kept "
                    "for the answer; make it shorter",
                    ids.size(), model_.config.context, room);
  exchanges_.emplace_back();
  append(ids);
  make_room(room);
  choices_.clear();
  Writer writer(words_);
  Utf8Stream characters;
  std::string answer;
  double log_probability = 0;
  int64_t asked_at = 0;  // where the answer begins in the caches
  for (int64_t i = 0; i < room; ++i) {
    feed();
    if (i == 0) asked_at = caches_[0].length;
    int64_t id = Words::End;
    if (i + 1 < room && (!go_on || go_on())) {
      id = sample(logits_, options.sampling, exchanges_.back(), generator);
      choices_.push_back({id, candidates(logits_, {}, {}, kShownChoices)});
      log_probability += std::log(softmax(logits_, -1).to_vector<float>()[id]);
    }
    append({id});
    if (id == Words::End) break;
    answer += characters.push(writer.push(id));
  }
  answer += characters.finish();
  confidence_ = std::exp(log_probability);
  if (doubted()) {
    answer = options.doubt[is_chinese(question)];
    exchanges_.back().resize(ids.size());
    for (KvCache& cache : caches_) cache.length = asked_at;
    unread_.clear();
    append(answer_ids(words_, answer));
  }
  transcript_.emplace_back(question, answer);
  return answer;
}

}  // namespace gradus::support
