// The chatbot's world: how its files are read, what is wrong with a wrong one, how sentences are
// put together and typed.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "examples/support/chat/sources.h"
#include "examples/support/chat/wording.h"
#include "nn/file.h"
#include "tensor/error.h"
#include "tests/scratch.h"

using namespace gradus;
using namespace gradus::support;
namespace fs = std::filesystem;

namespace {

constexpr const char* kPlanets = R"(# planets
skill planets
share 5

intent moons of
rows planets.csv
answer {planet} has {moons} moons.
question
  how many moons (does {planet} have|has {planet})
  ~ what is the number of moons of {planet}
follow
  and {planet}

skill unknown
intent unknown
answer I don't know.
question
  (who|what) is {word}
)";

/// A world of one English file beside the planets' table.
fs::path world_of(const Scratch& scratch, const std::string& text) {
  fs::create_directories(scratch / "w/en");
  write_file(scratch / "w/en/planets.csv",
             "planet,moons,weight\nMars|the red planet,2,3\nVenus,0,1\n");
  write_file(scratch / "w/en/a.txt", text);
  return scratch / "w";
}

std::string error_of(const Scratch& scratch, const std::string& text) {
  try {
    const World world(world_of(scratch, text));
  } catch (const IoError& e) { return e.what(); }
  return "";
}

std::string joined(const std::vector<Pattern::Piece>& pieces) {
  std::string out;
  for (const auto& piece : pieces) out += piece.blank ? "{" + piece.text + "}" : piece.text;
  return out;
}

}  // namespace

TEST_CASE("world: a pattern stands for each choice of its parts") {
  const Pattern p("(what|which) is (the (big |)city|it) of {a}");
  CHECK(p.all(100) == std::vector<std::string>{"what is the big city of {a}",
                                               "what is the city of {a}", "what is it of {a}",
                                               "which is the big city of {a}",
                                               "which is the city of {a}", "which is it of {a}"});
  CHECK(joined(p.first()) == "what is the big city of {a}");
  CHECK(p.blanks() == std::set<std::string>{"a"});
  SplitMix64 rng(1);
  std::set<std::string> drawn;
  for (int i = 0; i < 200; ++i) drawn.insert(joined(p.draw(rng)));
  CHECK(drawn.size() == 6);
  CHECK_THROWS_AS(p.all(5), ValueError);
  for (const char* wrong : {"(a", "a)", "a|b", "{a", "a}", "{}", "(a|(b)"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(Pattern{wrong}, ValueError);
  }
}

TEST_CASE("world: intents, rows, sentences and what is held back") {
  const Scratch scratch;
  const World world(world_of(scratch, kPlanets));
  CHECK(world.skills() == std::vector<std::string>{"planets", "unknown"});
  CHECK(world.share("planets") == 5);
  CHECK(world.doubt(Language::English) == "I don't know.");
  const Intent& moons = world.intent(Language::English, "moons of");
  REQUIRE(moons.sentences.size() == 3);
  CHECK_FALSE(moons.sentences[0].held);
  CHECK(moons.sentences[1].held);
  CHECK(moons.sentences[2].follow);
  CHECK(moons.holds_back(normalised("what is the number of moons of {planet}")));
  CHECK_FALSE(moons.holds_back(normalised("how many moons has {planet}")));
  SplitMix64 rng(3);
  int mars = 0;
  for (int i = 0; i < 400; ++i) {
    const Values row = moons.rows(rng);
    mars += row.at("planet").front() == "Mars";
    if (row.at("planet").front() == "Mars")
      CHECK(row.at("planet") == std::vector<std::string>{"Mars", "the red planet"});
  }
  CHECK(mars > 260);  // three of four
  CHECK(mars < 340);
  CHECK_THROWS_AS(world.intent(Language::Chinese, "moons of"), ValueError);
}

TEST_CASE("world: a mistake is named with its file and line") {
  const Scratch scratch;
  const auto wrong = [&](const std::string& text, const std::string& where,
                         const std::string& what) {
    const std::string message = error_of(scratch, text);
    CAPTURE(text);
    CAPTURE(message);
    CHECK(message.find("a.txt" + where) != message.npos);
    CHECK(message.find(what) != message.npos);
  };
  const std::string begin = "skill s\nintent i\nanswer A.\n";
  wrong("intent i\n", ":1", "belongs to no skill");
  wrong("skill\n", ":1", "nothing after it");
  wrong("skill s\nshare x\n", ":2", "not a whole number");
  wrong(begin + "questions\n", ":4", "not a word to begin a line with");
  wrong(begin + "question\n  (a\n", ":5", "without");
  wrong("  a\n", ":1", "an indented line");
  wrong(begin + "rows none.csv\n", ":4", "none.csv");
  wrong(begin + "rows nothing\n", ":4", "neither a file");
  wrong(begin + "like other\n", ":4", "no intent of that name");
  wrong("skill s\nintent i\nquestion\n  a\n", ":2", "no answer");
  wrong(begin + "question\n  ~ a\n", ":2", "no sentence to train on");
  wrong(begin + "question\n  a\nintent i\n", ":6", "already");
  wrong(begin + "question\n  \xFF\n", "", "not UTF-8");
  CHECK(error_of(scratch, begin + "question\n  a {nothing}\n").find("{nothing}") !=
        std::string::npos);
  CHECK_THROWS_AS(World(scratch / "absent"), IoError);
}

TEST_CASE("world: another folder adds to the first, and changes the fingerprint") {
  const Scratch scratch, more;
  const World world(world_of(scratch, kPlanets));
  const fs::path own = world_of(more, "skill own\nintent mine\nanswer Yes.\nquestion\n  is it\n");
  const World both(scratch / "w", own);
  CHECK(both.skills().back() == "own");
  CHECK(both.intent(Language::English, "mine").answer == "Yes.");
  CHECK(both.fingerprint() != world.fingerprint());
  CHECK(World(scratch / "w").fingerprint() == world.fingerprint());
  CHECK_THROWS_AS(World(scratch / "w", scratch / "w"), IoError);  // every intent is there already
}

TEST_CASE("world: sums, differences and products are right, step by step") {
  for (const auto& [name, sign] : {std::pair{"sum", '+'}, {"difference", '-'}, {"product", '*'}}) {
    const Draw draw = row_source(name, Language::English);
    SplitMix64 rng(5);
    for (int i = 0; i < 2000; ++i) {
      const Values row = draw(rng);
      const int a = std::stoi(row.at("a").front()), b = std::stoi(row.at("b").front());
      const int result = sign == '+' ? a + b : sign == '-' ? a - b : a * b;
      const std::string& worked = row.at("worked").front();
      CAPTURE(worked);
      CHECK(worked.ends_with(
          fmt::format("{}{}{}={}", a, sign == '*' ? "×" : std::string(1, sign), b, result)));
      const size_t steps = static_cast<size_t>(std::ranges::count(worked, '='));
      const bool one_step = sign == '*' || (a < 10 && b < 10) || (a % 10 == 0 && b % 10 == 0);
      CHECK(steps == (one_step ? 1u : a < 10 || b < 10 ? 2u : 3u));
    }
  }
  SplitMix64 rng(1);
  const auto words = [&](int wanted, Language language) {
    const Draw draw = row_source("sum", language);
    while (true) {
      const Values row = draw(rng);
      if (row.at("a").front() == std::to_string(wanted)) return row.at("a_words").front();
    }
  };
  CHECK(words(47, Language::English) == "forty-seven");
  CHECK(words(12, Language::English) == "twelve");
  CHECK(words(47, Language::Chinese) == "四十七");
  CHECK(words(10, Language::Chinese) == "十");
  CHECK(words(13, Language::Chinese) == "十三");
}

TEST_CASE("world: a sentence is typed in many ways, and its letters stay, mostly") {
  const Scratch scratch;
  const World world(world_of(scratch, kPlanets));
  SplitMix64 rng(2);
  std::set<std::string> forms;
  int same = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = typed({{"how many moons has ", false}, {"Mars", true}},
                                   Frame::Question, world, Language::English, rng);
    forms.insert(text);
    same += normalised(text).find("howmanymoonshas") != std::string::npos;
  }
  CHECK(forms.size() > 100);
  CHECK(forms.contains("How many moons has Mars?"));
  CHECK(forms.contains("how many moons has mars"));
  CHECK(forms.contains("HOW MANY MOONS HAS MARS?"));
  CHECK(same > 850);
  CHECK(plain({{"how many", false}}, Frame::Question, Language::English) == "How many?");
  CHECK(plain({{"多少", false}}, Frame::Question, Language::Chinese) == "多少？");
}

TEST_CASE("world: normalised forgets case, spaces and punctuation, but no sign") {
  CHECK(normalised("Hi, what is 3 - 2?") == "hiwhatis3-2");
  CHECK(normalised("你好，今天天气怎么样？") == "你好今天天气怎么样");
}
