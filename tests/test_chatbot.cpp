// The chatbot's machinery, on a model that has learned nothing: what is masked, what is remembered.
#include <doctest/doctest.h>

#include <numeric>

#include "examples/support/chat/examination.h"
#include "nn/text/utf8.h"

using namespace gradus;
using namespace gradus::support;

namespace {

BytePairEncoder tokenizer() {
  return BytePairEncoder::train("how are you? fine. 你好吗？很好。", 270, {kUser, kBot, kEnd});
}
Gpt untrained(const BytePairEncoder& t, int64_t context) {
  manual_seed(7);
  Gpt model({t.size(), context, 2, 2, 16});
  model.eval();
  return model;
}

}  // namespace

TEST_CASE("chatbot: the loss sees answers and their end, and nothing else") {
  const BytePairEncoder t = tokenizer();
  const TrainingText text = training_text(t, {{"how are you?", "fine.", "talk", Language::English},
                                              {"你好吗？", "很好。", "talk", Language::Chinese}});
  REQUIRE(text.ids.size() == text.targets.size());
  std::vector<int64_t> said, wanted = t.encode("fine.");
  wanted.push_back(t.special(kEnd));
  for (int64_t id : t.encode("很好。")) wanted.push_back(id);
  wanted.push_back(t.special(kEnd));
  for (size_t i = 0; i < text.ids.size(); ++i) {
    if (text.targets[i] == TrainingText::kIgnore) continue;
    said.push_back(text.targets[i]);
    if (i + 1 < text.ids.size()) CHECK(text.targets[i] == text.ids[i + 1]);
  }
  CHECK(said == wanted);
}

TEST_CASE("chatbot: padding changes no loss") {
  const BytePairEncoder t = tokenizer();
  const Gpt model = untrained(t, 64);
  const TrainingText short_text = training_text(t, {{"how?", "fine.", "talk", Language::English}});
  const TrainingText long_text =
      training_text(t, {{"how are you? how are you?", "fine. fine.", "talk", Language::English}});
  auto total = [&](std::vector<const TrainingText*> texts) {
    const TrainingBatch batch = pad(texts);
    return cross_entropy(model(batch.ids, batch.positions), batch.targets,
                         {.reduction = Reduction::Sum})
        .item();
  };
  CHECK(total({&short_text, &long_text}) ==
        doctest::Approx(total({&short_text}) + total({&long_text})).epsilon(1e-5));
}

TEST_CASE("chatbot: a training batch depends on the step alone") {
  const BytePairEncoder t = tokenizer();
  DialogueBatches forward(t, 300, 2000, 5), jump(t, 300, 2000, 5), other(t, 300, 2000, 6);
  std::vector<std::vector<int64_t>> ids;
  for (int64_t step = 0; step < 5; ++step) ids.push_back(forward(step).ids.to_vector<int64_t>());
  for (int64_t step : {4, 1, 3}) CHECK(jump(step).ids.to_vector<int64_t>() == ids[step]);
  CHECK(other(1).ids.to_vector<int64_t>() != ids[1]);
  CHECK(forward(0).ids.size(0) == 300);
}

TEST_CASE("chatbot: an answer is what the whole conversation, read at once, would continue with") {
  const BytePairEncoder t = tokenizer();
  const Gpt model = untrained(t, 256);
  Conversation talk(model, t);
  talk.recall("how are you?", "fine.");
  talk.reply("你好吗？");
  REQUIRE_FALSE(talk.why().empty());
  std::vector<int64_t> ids = training_text(t, {{"how are you?", "fine.", "", Language::English},
                                               {"你好吗？", "", "", Language::Chinese}})
                                 .ids;
  NoGrad guard;
  for (const Conversation::Choice& choice : talk.why()) {
    const Tensor logits = model(tensor(ids, {1, static_cast<int64_t>(ids.size())}));
    const int64_t expected = argmax(select(select(logits, 0, 0), 0, -1)).item_int();
    CHECK(choice.chosen == expected);
    CHECK(choice.best[0].id == expected);
    ids.push_back(choice.chosen);
  }
}

TEST_CASE(
    "chatbot: a long conversation forgets its beginning and continues; a question too long is "
    "refused") {
  const BytePairEncoder t = tokenizer();
  const Gpt model = untrained(t, 64);
  Conversation talk(model, t);
  for (int i = 0; i < 12; ++i) CHECK(is_utf8(talk.reply("how are you?")));
  CHECK(talk.transcript().size() == 12);
  CHECK_THROWS_AS(talk.reply(std::string(500, 'x')), ValueError);
  CHECK(talk.transcript().size() == 12);
  CHECK(is_utf8(talk.reply("你好吗？")));
  talk.reset();
  CHECK(talk.transcript().empty());
}

TEST_CASE("chatbot: who listens may stop the answer") {
  const BytePairEncoder t = tokenizer();
  const Gpt model = untrained(t, 128);
  Conversation talk(model, t, {.temperature = 5});
  talk.generator = Generator(3);
  int pieces = 0;
  talk.reply("how are you?", [&](std::string_view) { return ++pieces < 2; });
  CHECK(pieces <= 2);
  CHECK(is_utf8(talk.reply("how?")));
}

TEST_CASE("chatbot: examine counts by skill and language") {
  const BytePairEncoder t = tokenizer();
  const Gpt model = untrained(t, 128);
  const std::string echo = Conversation(model, t).reply("how?");
  const std::vector<Score> scores = examine(model, t,
                                            {{{}, "how?", echo, "a", "", Language::English},
                                             {{}, "how?", echo + "!", "a", "", Language::English},
                                             {{}, "how?", echo, "b", "", Language::Chinese}});
  REQUIRE(scores.size() == 2);
  CHECK(scores[0].right == 1);
  CHECK(scores[0].asked == 2);
  CHECK(scores[1].right == 1);
}
