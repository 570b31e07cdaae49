// The chatbot's machinery, on a model that has learned nothing: how words are spelled, what is
// masked, what is remembered, what is doubted, and how examinations are marked.
#include <doctest/doctest.h>

#include <map>

#include "examples/support/chat/examination.h"
#include "examples/support/data/datasets.h"
#include "nn/file.h"
#include "nn/text/utf8.h"
#include "tests/scratch.h"

using namespace gradus;
using namespace gradus::support;

namespace {

constexpr const char* kText = "how are you? fine. 你好吗？很好。";

Words vocabulary() { return Words::learn(kText, 1000); }
Gpt untrained(const Words& t, int64_t context) {
  manual_seed(7);
  Gpt model({.vocabulary = t.size(),
             .context = context,
             .layers = 2,
             .heads = 2,
             .channels = 16,
             .positions = Positions::Rotary});
  model.eval();
  return model;
}

Turn turn(const char* user, const char* bot) { return {user, bot, "talk", "", Language::English}; }

const World& world() {
  static const World all(data_file("world"));
  return all;
}

}  // namespace

TEST_CASE("chatbot: a word is one token or spelled; capitals and missing blanks are marks") {
  const Words t = vocabulary();
  const auto ids = [&](const char* text) { return t.encode(text); };
  REQUIRE(ids("how").size() == 1);
  const int64_t how = ids("how")[0];
  CHECK(ids("How") == std::vector<int64_t>{Words::Capital, how});
  CHECK(ids("HOW") == std::vector<int64_t>{Words::Capitals, how});
  CHECK(ids("are how").back() == how);
  CHECK(ids("\"how") == std::vector<int64_t>{ids("\"")[0], Words::Joined, how});
  CHECK(ids("howl").size() == 4);
  CHECK(ids("Howl").size() == 5);
  CHECK(ids("好").size() == 1);
  CHECK(ids("鑫").size() == 3);  // never seen: its bytes
  for (const char* text : {"how are you?", "How are YOU", "McDonald", "NaCl and H2O", "O'Brien",
                           "JEAN-LUC", " how", "Zoë Åström", "你好吗？王鑫", "how  are", "😀 how",
                           "I", "iPhone", "yOU", "你how", "(you)"}) {
    CAPTURE(text);
    CHECK(t.decode(ids(text)) == text);
  }
  CHECK(t.name(Words::User) == "<|user|>");
  CHECK(t.name(how) == "how");
  CHECK_THROWS_AS(t.name(t.size()), IndexError);
}

TEST_CASE("chatbot: its vocabulary is the most frequent words, and comes back from a file") {
  const Words few = Words::learn("b b b a a c", Words::kMarks + 256 + 2);
  CHECK(few.encode("a").size() == 1);
  CHECK(few.name(few.size() - 2) == "b");
  CHECK(few.name(few.size() - 1) == "a");
  CHECK_THROWS_AS(Words::learn("", 100), ValueError);
  // Compounds count as words whatever their number, and the longest one is taken.
  const Words chinese =
      Words::learn("首都反义词是什么", 1000, {"首都", "反义词", "反义", "是", "Rome", "首都的，"});
  const auto names = [&](const char* text) {
    std::string out;
    for (const int64_t id : chinese.encode(text)) out += chinese.name(id) + " ";
    return out;
  };
  CHECK(names("首都是什么") == "首都 是 什 么 ");
  CHECK(names("什么反义词") == "什 么 反义词 ");
  CHECK(names("反义的首") == "反义 <E7> <9A> <84> 首 ");
  CHECK(chinese.decode(chinese.encode("反义词的首都是Rome")) == "反义词的首都是Rome");
  const Words again = Words::from_json(few.to_json(), "test");
  CHECK(again.encode("a b c") == few.encode("a b c"));
  for (const char* wrong : {"", "{}", "[]", R"({"format":"gradus-words","version":2,"words":[]})",
                            R"({"format":"gradus-words","version":1,"words":[1]})",
                            R"({"format":"gradus-words","version":1,"words":["a","a"]})",
                            R"({"format":"gradus-words","version":1,"words":[""]})"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(Words::from_json(wrong, "test"), IoError);
  }
}

TEST_CASE("chatbot: questions are tidied before they are read") {
  CHECK(tidied("\xEF\xBB\xBF１＋１＝？") == "1+1=?");
  CHECK(tidied("  how \t are\r\n you  ") == "how are you");
  CHECK(tidied("“好”，不？") == "\"好\",不?");
  CHECK(tidied("What is 7 + 8 × 2 ÷ 1 − 3 = ?") == "What is 7+8*2/1-3= ?");
  CHECK(tidied("7 or 8 - no") == "7 or 8- no");
  CHECK(tidied("a\u200Bb\u3000c\x07") == "ab c");
  CHECK(tidied(" \n\t ").empty());
}

TEST_CASE("chatbot: the loss sees answers and their end, and nothing else") {
  const Words t = vocabulary();
  const TrainingText text = training_text(t, turn("how are you?", "fine."));
  REQUIRE(text.ids.size() == text.targets.size());
  std::vector<int64_t> said, wanted = t.encode("fine.");
  wanted.push_back(Words::End);
  for (size_t i = 0; i < text.ids.size(); ++i) {
    if (text.targets[i] == TrainingText::kIgnore) continue;
    said.push_back(text.targets[i]);
    REQUIRE(i + 1 < text.ids.size());
    CHECK(text.targets[i] == text.ids[i + 1]);
  }
  CHECK(said == wanted);
}

TEST_CASE("chatbot: a training batch depends on the step alone, and is full") {
  const Words t = vocabulary();
  const DialogueBatches::Plan plan{.steps = 20, .tokens = 1024, .context = 1024};
  const DialogueBatches one(world(), t, plan, 5), other(world(), t, plan, 6);
  std::vector<std::vector<int64_t>> ids;
  for (int64_t step = 0; step < 20; ++step) {
    const TrainingBatch batch = one(step);
    CHECK(batch.ids.numel() == 1024);
    if (step < 12) CHECK(batch.ids.size(1) == 128);
    CHECK(batch.positions.numel() == batch.targets.numel());
    CHECK(batch.targets.numel() > 200);
    ids.push_back(batch.ids.to_vector<int64_t>());
  }
  for (int64_t step : {4, 1, 13}) CHECK(one(step).ids.to_vector<int64_t>() == ids[step]);
  CHECK(other(1).ids.to_vector<int64_t>() != ids[1]);
}

TEST_CASE("chatbot: an answer is what the whole conversation, read at once, would continue with") {
  const Words t = vocabulary();
  const Gpt model = untrained(t, 256);
  Conversation talk(model, t);
  talk.recall("how are you?", "fine.");
  talk.reply("你好吗？");
  REQUIRE_FALSE(talk.why().empty());
  std::vector<int64_t> ids = training_text(t, turn("how are you?", "fine.")).ids;
  const std::vector<int64_t> asked = training_text(t, turn("你好吗？", "")).ids;
  ids.insert(ids.end(), asked.begin(), asked.end() - 1);
  NoGrad guard;
  double probability = 1;
  for (const Conversation::Choice& choice : talk.why()) {
    const Tensor logits = model(tensor(ids, {1, static_cast<int64_t>(ids.size())}));
    const Tensor last = select(select(logits, 0, 0), 0, -1);
    CHECK(choice.chosen == argmax(last).item_int());
    CHECK(choice.best[0].id == choice.chosen);
    probability *= choice.best[0].probability;
    ids.push_back(choice.chosen);
  }
  CHECK(talk.confidence() == doctest::Approx(probability).epsilon(1e-3));
}

TEST_CASE("chatbot: a doubtful answer is replaced, and the conversation goes on from there") {
  const Words t = vocabulary();
  const Gpt model = untrained(t, 256);
  Conversation doubtful(model, t, {.least_confidence = 1.1, .doubt = {"fine.", "很好。"}}),
      told(model, t);
  CHECK(doubtful.reply("how are you?") == "fine.");
  CHECK(doubtful.doubted());
  CHECK(doubtful.reply("你好吗？") == "很好。");
  told.recall("how are you?", "fine.");
  told.recall("你好吗？", "很好。");
  doubtful.options.least_confidence = 0;
  CHECK(doubtful.reply("how?") == told.reply("how?"));
  CHECK(doubtful.confidence() == told.confidence());
  CHECK_FALSE(doubtful.doubted());
}

TEST_CASE(
    "chatbot: a long conversation forgets its beginning and continues; a question too long, or "
    "empty, is refused") {
  const Words t = vocabulary();
  const Gpt model = untrained(t, 64);
  Conversation talk(model, t);
  for (int i = 0; i < 12; ++i) CHECK(is_utf8(talk.reply("how are you?")));
  CHECK(talk.transcript().size() == 12);
  CHECK_THROWS_AS(talk.reply(std::string(500, 'x')), ValueError);
  CHECK_THROWS_AS(talk.reply(" \n"), ValueError);
  CHECK_THROWS_AS(talk.reply("\xFF"), ValueError);
  CHECK(talk.transcript().size() == 12);
  CHECK(is_utf8(talk.reply("你好吗？")));
  talk.reset();
  CHECK(talk.transcript().empty());
}

TEST_CASE("chatbot: who asks may stop the answer") {
  const Words t = vocabulary();
  const Gpt model = untrained(t, 128);
  Conversation talk(model, t, {.sampling = {.temperature = 5}});
  talk.generator = Generator(3);
  int tokens = 0;
  talk.reply("how are you?", [&] { return ++tokens < 3; });
  CHECK(talk.why().size() <= 2);
  CHECK(is_utf8(talk.reply("how?")));
}

TEST_CASE("examination: exact answers are counted by skill and language") {
  const Words t = vocabulary();
  const Gpt model = untrained(t, 128);
  Conversation talk(model, t);
  const std::string echo = talk.reply("how?");
  const auto test = [&](const std::string& answer, const char* skill, Language language) {
    return Talk::TestCase{{}, {"how?", answer, skill, "", language}};
  };
  const auto asked =
      examine(talk, {test(echo, "a", Language::English), test(echo + "!", "a", Language::English),
                     test(echo, "b", Language::Chinese)});
  const Report r = report(asked, true);
  REQUIRE(r.scores.size() == 2);
  CHECK(r.scores[0].right == 1);
  CHECK(r.scores[0].asked == 2);
  CHECK(r.scores[1].language == "Chinese");
  CHECK(r.all.right == 2);
  CHECK(r.weakest() == 0.5);
}

TEST_CASE("examination: what counts as right in the written one") {
  const auto right = [](const char* expected, const char* answer) {
    return meets(expected, answer, world());
  };
  CHECK(right("Cairo", "The capital of Egypt is Cairo."));
  CHECK_FALSE(right("Na", "The symbol of sodium is Nat."));
  CHECK(right("Na", "Na is the symbol of sodium."));
  CHECK_FALSE(right("K", "The symbol of krypton is Kr."));
  CHECK(right("埃及", "开罗是埃及的首都。"));
  CHECK(right("85", "40+30=70, 7+8=15, so 47+38=85."));
  CHECK_FALSE(right("15", "40+30=70, 7+8=15, so 47+38=85."));
  CHECK(right("-3", "5-8=-3."));
  CHECK_FALSE(right("5", "It is 85."));
  CHECK(right("Paris / ?", world().doubt(Language::English).c_str()));
  CHECK(right("?", "Your name is something that you have not told me."));
  CHECK_FALSE(right("?", "The capital of France is Paris."));
  const Intent& hello = world().intent(Language::Chinese, "hello");
  CHECK(right("@hello", hello.answer.c_str()));
  CHECK(right("@goodbye / @hello", hello.answer.c_str()));
  CHECK_FALSE(right("@goodbye", hello.answer.c_str()));
}

TEST_CASE("examination: wrong facts and mangled names are told from not knowing") {
  Asked a{.skill = "capital",
          .language = "en",
          .question = "",
          .answer = "",
          .expected = "Cairo",
          .before = 0,
          .confidence = 1,
          .right = false};
  a.answer = "The capital of Egypt is Oslo.";
  CHECK(is_wrong_fact(a, world()));
  a.answer = world().doubt(Language::English);
  CHECK_FALSE(is_wrong_fact(a, world()));
  a.skill = "memory";
  a.answer = "Your name is Margu.";
  CHECK(is_mangled_name(a, world()));
  CHECK_FALSE(is_wrong_fact(a, world()));
  a.answer = "Your name is something that you have not told me.";
  CHECK_FALSE(is_mangled_name(a, world()));
}

TEST_CASE("examination: the least confidence weighs right answers against wrong facts") {
  std::vector<Asked> asked;
  for (const auto& [confidence, right, answer] :
       {std::tuple{0.2, false, "Oslo."},
        {0.9, true, "Oslo."},
        {0.8, true, "Oslo."},
        {0.4, true, "Oslo."},
        {0.5, false, "Oslo."},
        {0.85, false, world().doubt(Language::English).c_str()}})  // not right, but no wrong fact
    asked.push_back({.skill = "",
                     .language = "",
                     .question = "",
                     .answer = answer,
                     .expected = "",
                     .before = 0,
                     .confidence = confidence,
                     .right = right});
  const auto curve = coverage(asked, world());
  REQUIRE(curve.size() == 6);
  CHECK(curve[0].answered == doctest::Approx(1 / 6.0));
  CHECK(curve[5].right == doctest::Approx(3 / 6.0));
  CHECK(curve[5].untrue == doctest::Approx(2 / 6.0));
  CHECK(least_confidence(curve, 0) == 0.4);    // as many right as there are, and no more doubt
  CHECK(least_confidence(curve, 0.5) == 0.4);  // one more right for one more wrong is worth it
  CHECK(least_confidence(curve, 2) == 0.8);    // not any more
  CHECK(least_confidence({}, 0.5) == 1);
}

TEST_CASE("examination: the written one is large, mixed and well-formed; a wrong line is named") {
  const auto people = read_examination(data_file("../../tests/examination.txt"));
  CHECK(people.size() >= 40);
  std::map<std::string, int> skills;
  size_t questions = 0;
  for (const WrittenConversation& c : people) {
    CAPTURE(c.title);
    CHECK(c.questions.size() >= 5);
    CHECK(c.questions.size() <= 30);
    questions += c.questions.size();
    for (const WrittenQuestion& q : c.questions) {
      ++skills[q.skill];
      for (size_t at = 0; (at = q.expected.find('@', at)) != std::string::npos; ++at) {
        const std::string kind = q.expected.substr(at + 1, q.expected.find(" / ", at) - at - 1);
        CAPTURE(kind);
        CHECK_NOTHROW(world().intent(Language::English, kind));
        CHECK_NOTHROW(world().intent(Language::Chinese, kind));
      }
    }
  }
  CHECK(questions >= 300);
  for (const auto& [skill, asked] : skills) {
    CAPTURE(skill);
    CHECK(asked >= 20);
  }
  const Scratch scratch;
  for (const char* wrong : {"[a] b -> c\n", "== en: x\n[a] b\n", "== en: x\n[a b -> c\n"}) {
    write_file(scratch / "e.txt", wrong);
    CHECK_THROWS_AS(read_examination(scratch / "e.txt"), IoError);
  }
}
