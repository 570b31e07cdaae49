// The dialogues that the chatbot learns from and is examined on: nothing of the examination is in
// training, and its answers are those of the world's files.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "examples/support/chat/dialogues.h"
#include "examples/support/data/csv.h"
#include "examples/support/data/datasets.h"
#include "tensor/error.h"

using namespace gradus::support;

namespace {

const World& world() {
  static const World all(data_file("world"));
  return all;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("SplitMix64 gives its published numbers") {
  SplitMix64 rng(1234567);
  CHECK(rng.next() == 6457827717110365317ull);
  CHECK(rng.next() == 3203168211198807973ull);
}

TEST_CASE("dialogues: the same seed gives the same dialogues") {
  const auto told = [](uint64_t seed) {
    Talk talk(world(), seed);
    Dialogue out;
    for (int i = 0; i < 200; ++i) out.push_back(talk.next());
    return readable(out);
  };
  CHECK(told(5) == told(5));
  CHECK(told(5) != told(6));
  CHECK_THROWS_AS(held_out(world(), 1, 0), gradus::ValueError);
}

TEST_CASE("dialogues: no held-out question or name occurs in training") {
  std::unordered_set<std::string> trained, told;
  std::map<std::string, int> turns;
  Talk talk(world(), 2);
  for (int i = 0; i < 200'000; ++i) {
    if (i % 20 == 0) talk.restart();
    const Turn turn = talk.next();
    trained.insert(normalised(turn.user));
    if (turn.skill == "name") told.insert(turn.bot);
    ++turns[turn.skill];
  }
  CHECK(turns.size() == world().skills().size());
  int again = 0, names = 0;
  const auto tests = held_out(world(), 1, 50);
  for (const Talk::TestCase& test : tests) {
    const Turn& t = test.asked;
    CAPTURE(t.user);
    again += trained.contains(normalised(t.user));
    if (t.skill != "name") continue;
    ++names;
    CHECK(!told.contains(t.bot));
  }
  CHECK(names == 100);
  // A typing mistake can turn one sentence into another.
  CHECK(again <= std::ssize(tests) / 100);
}

TEST_CASE("dialogues: the examination covers every skill in both languages") {
  const auto tests = held_out(world(), 3, 30);
  CHECK(tests.size() == world().skills().size() * 2 * 30);
  for (const Talk::TestCase& test : tests) {
    const Turn& t = test.asked;
    CAPTURE(t.user);
    CAPTURE(t.bot);
    CHECK(!contains(t.bot, "{"));
    if (t.intent == "recall") {
      REQUIRE(!test.before.empty());
      CHECK(test.before.front().intent == "tell");
    }
    if (t.intent == "untold")
      for (const Turn& turn : test.before) CHECK(turn.skill != "name");
  }
}

TEST_CASE("dialogues: a name is asked for until the end of a long conversation") {
  for (const Talk::TestCase& test : held_out(world(), 4, 8, 12)) {
    CHECK(test.before.size() >= 12);
    if (test.asked.intent != "recall") continue;
    const std::string& said = test.before.front().bot;
    const size_t space = said.find(", ") != said.npos ? said.find(", ") + 2 : said.find("，") + 3;
    const std::string name =
        said.substr(space, said.find_last_of(".") == said.size() - 1 ? said.size() - space - 1
                                                                     : said.size() - space - 3);
    CHECK(contains(test.asked.bot, name));
  }
}

TEST_CASE("dialogues: the tables are functions") {
  for (const char* file :
       {"world/en/capitals.csv", "world/en/elements.csv", "world/en/opposites.csv",
        "world/zh/capitals.csv", "world/zh/elements.csv", "world/zh/opposites.csv"}) {
    CAPTURE(file);
    const Csv csv = Csv::read(data_file(file));
    std::unordered_set<std::string> keys;
    for (int64_t r = 0; r < csv.rows(); ++r) CHECK(keys.insert(csv.text(r, 0)).second);
  }
}

TEST_CASE("dialogues: what can be asked is listed by skill") {
  const std::string list = what_to_ask(world());
  for (const std::string& skill : world().skills()) CHECK(contains(list, "  " + skill + ": "));
}
