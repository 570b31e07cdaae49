#include "examples/support/chat/chatbot.h"

#include <algorithm>

#include "nn/text/utf8.h"

namespace gradus::support {

namespace {

constexpr int64_t kLongestAnswer = 48;  // tokens; the answers in the dialogues are far shorter
constexpr int64_t kShownChoices = 5;
constexpr int64_t kChunk = 1024;  // dialogues that are generated and sorted at a time

std::vector<int64_t> question_ids(const BytePairEncoder& tokenizer, std::string_view question) {
  std::vector<int64_t> ids{tokenizer.special(kUser)};
  for (int64_t id : tokenizer.encode(question)) ids.push_back(id);
  ids.push_back(tokenizer.special(kBot));
  return ids;
}

std::vector<int64_t> answer_ids(const BytePairEncoder& tokenizer, std::string_view answer) {
  std::vector<int64_t> ids = tokenizer.encode(answer);
  ids.push_back(tokenizer.special(kEnd));
  return ids;
}

}  // namespace

TrainingText training_text(const BytePairEncoder& tokenizer, const Dialogue& dialogue) {
  std::vector<int64_t> ids;
  std::vector<bool> is_answer;
  for (const Turn& turn : dialogue) {
    const std::vector<int64_t> question = question_ids(tokenizer, turn.user);
    const std::vector<int64_t> answer = answer_ids(tokenizer, turn.bot);
    ids.insert(ids.end(), question.begin(), question.end());
    ids.insert(ids.end(), answer.begin(), answer.end());
    is_answer.resize(is_answer.size() + question.size(), false);
    is_answer.resize(is_answer.size() + answer.size(), true);
  }
  TrainingText text;
  for (size_t i = 0; i + 1 < ids.size(); ++i) {
    text.ids.push_back(ids[i]);
    text.targets.push_back(is_answer[i + 1] ? ids[i + 1] : TrainingText::kIgnore);
  }
  return text;
}

TrainingBatch pad(std::span<const TrainingText* const> texts) {
  size_t longest = 1;
  for (const TrainingText* text : texts) longest = std::max(longest, text->ids.size());
  const Shape shape{static_cast<int64_t>(texts.size()), static_cast<int64_t>(longest)};
  std::vector<int64_t> ids(texts.size() * longest, 0), positions, targets;
  for (size_t b = 0; b < texts.size(); ++b)
    for (size_t t = 0; t < texts[b]->ids.size(); ++t) {
      ids[b * longest + t] = texts[b]->ids[t];
      if (texts[b]->targets[t] == TrainingText::kIgnore) continue;
      positions.push_back(static_cast<int64_t>(b * longest + t));
      targets.push_back(texts[b]->targets[t]);
    }
  return {tensor(ids, shape), tensor(positions), tensor(targets)};
}

DialogueBatches::DialogueBatches(const BytePairEncoder& tokenizer, int64_t batch, int64_t context,
                                 uint64_t seed)
    : tokenizer_(tokenizer),
      batch_(batch),
      context_(context),
      batches_(std::max<int64_t>(1, kChunk / batch)),
      seed_(seed) {}

TrainingBatch DialogueBatches::operator()(int64_t step) {
  if (const int64_t chunk = step / batches_; chunk != chunk_) generate(chunk);
  std::vector<const TrainingText*> rows;
  for (int64_t i = 0; i < batch_; ++i)
    rows.push_back(&texts_[order_[step % batches_] * batch_ + i]);
  return pad(rows);
}

void DialogueBatches::generate(int64_t chunk) {
  chunk_ = chunk;
  texts_.clear();
  DialogueGenerator generator(seed_ * 1'000'003 + static_cast<uint64_t>(chunk));
  while (static_cast<int64_t>(texts_.size()) < batches_ * batch_) {
    TrainingText text = training_text(tokenizer_, generator.training());
    if (static_cast<int64_t>(text.ids.size()) <= context_) texts_.push_back(std::move(text));
  }
  std::ranges::stable_sort(texts_, {}, [](const TrainingText& text) { return text.ids.size(); });
  Generator shuffle(seed_ + static_cast<uint64_t>(chunk));
  order_ = randperm(batches_, shuffle).to_vector<int64_t>();
}

// ---- Conversation -------------------------------------------------------------------------------

Conversation::Conversation(const Gpt& model, const BytePairEncoder& tokenizer,
                           SamplingOptions sampling)
    : options(sampling), model_(model), tokenizer_(tokenizer) {
  reset();
}

void Conversation::reset() {
  exchanges_.clear();
  transcript_.clear();
  choices_.clear();
  unread_.clear();
  caches_ = model_.make_caches(1);
}

/// Adds tokens to the exchange in progress.
void Conversation::append(std::vector<int64_t> ids) {
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
  append(question_ids(tokenizer_, question));
  append(answer_ids(tokenizer_, answer));
  transcript_.emplace_back(question, answer);
}

std::string Conversation::reply(std::string_view question,
                                const std::function<bool(std::string_view)>& on_piece) {
  check<ValueError>(is_utf8(question), "chat: the question is not UTF-8; type it as UTF-8 text");
  const int64_t room = std::min(kLongestAnswer, model_.config.context / 2);
  std::vector<int64_t> ids = question_ids(tokenizer_, question);
  check<ValueError>(static_cast<int64_t>(ids.size()) + room <= model_.config.context,
                    "chat: the question is {} tokens long, and the model reads {}, {} of them kept "
                    "for the answer; make it shorter",
                    ids.size(), model_.config.context, room);
  exchanges_.emplace_back();
  append(std::move(ids));
  make_room(room);
  choices_.clear();
  const int64_t end = tokenizer_.special(kEnd);
  Utf8Stream characters;
  std::string answer;
  auto say = [&](const std::string& piece) {
    answer += piece;
    return piece.empty() || !on_piece || on_piece(piece);
  };
  for (int64_t i = 0; i < room; ++i) {
    feed();
    const int64_t id = sample(logits_, options, exchanges_.back(), generator);
    choices_.push_back({id, candidates(logits_, {}, {}, kShownChoices)});
    const bool last = id == end || i + 1 == room;
    append({last ? end : id});
    if (id == end) break;
    if (!tokenizer_.is_special(id) && !say(characters.push(tokenizer_.token(id)))) {
      if (!last) append({end});
      break;
    }
  }
  say(characters.finish());
  transcript_.emplace_back(question, answer);
  return answer;
}

}  // namespace gradus::support
