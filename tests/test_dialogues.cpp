// The dialogue generator: nothing of the examination is in training, and its answers are right. The
// facts of an answer are looked up or computed again from the words of question and answer.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <unordered_set>

#include "examples/support/chat/dialogues.h"
#include "tensor/error.h"

using namespace gradus::support;

namespace {

constexpr Language kLanguages[] = {Language::English, Language::Chinese};

std::vector<int> numbers_in(const std::string& text) {
  std::vector<int> out;
  const std::regex digits("[0-9]+");
  for (std::sregex_iterator it(text.begin(), text.end(), digits), end; it != end; ++it)
    out.push_back(std::stoi(it->str()));
  return out;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// English words, or Chinese characters.
std::set<std::string> pieces(const std::string& text) {
  std::set<std::string> out;
  std::string word;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      if (std::isalnum(c) || c == '\'') {
        word += static_cast<char>(std::tolower(c));
      } else if (!word.empty()) {
        out.insert(std::exchange(word, ""));
      }
      ++i;
    } else {
      const size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
      out.insert(text.substr(i, length));
      i += length;
    }
  }
  if (!word.empty()) out.insert(word);
  return out;
}

// The one item whose question and answer fit the intent: looked up in the facts, not in the
// intents.
void check_fact(const TestCase& t) {
  const bool english = t.language == Language::English;
  CAPTURE(t.question);
  CAPTURE(t.answer);
  const std::string q = normalised(t.question), a = normalised(t.answer);
  if (t.skill == "element") {
    int matches = 0;
    for (const Element& e : elements()) {
      const std::string name = english ? e.english : e.chinese, z = std::to_string(e.number);
      const std::string expected =
          t.intent == "symbol of" ? (english ? "The symbol of " + name + " is " + e.symbol + "."
                                             : name + "的元素符号是" + e.symbol + "。")
          : t.intent == "name of" ? (english ? e.symbol + " is the symbol of " + name + "."
                                             : e.symbol + "是" + name + "的元素符号。")
          : t.intent == "number of"
              ? (english ? "The atomic number of " + name + " is " + z + "."
                         : name + "的原子序数是" + z + "。")
              : (english ? "Element " + z + " is " + name + "." : z + "号元素是" + name + "。");
      if (expected != t.answer) continue;
      ++matches;
      const std::string& asked = t.intent == "at number" ? z
                                 : t.intent == "name of" ? e.symbol
                                                         : name;
      CHECK(contains(t.question, asked));
    }
    CHECK(matches == 1);
  } else if (t.skill == "capital") {
    int matches = 0;
    for (const Capital& c : capitals()) {
      const std::string &country = english ? c.country : c.country_chinese,
                        &city = english ? c.city : c.city_chinese;
      if (!contains(a, normalised(country)) || !contains(a, normalised(city))) continue;
      ++matches;
      CHECK(contains(q, normalised(t.intent == "capital of" ? country : city)));
    }
    CHECK(matches == 1);
  } else if (t.skill == "sum" || t.skill == "difference") {
    auto asked = numbers_in(t.question);
    const auto told = numbers_in(t.answer);
    REQUIRE(asked.size() == 2);
    // "7 + 8 = 15, so 47 + 38 = 85": every equation holds, the last one is the one asked for.
    REQUIRE((told.size() == 3 || told.size() == 6));
    for (size_t i = 0; i < told.size(); i += 3) {
      CHECK(told[i + 2] == (t.skill == "sum" ? told[i] + told[i + 1] : told[i] - told[i + 1]));
      CHECK(told[i + 2] >= 0);
    }
    const size_t last = told.size() - 3;
    if (last == 3) {
      CHECK((told[0] % 10 == told[3] % 10 && told[1] == told[4] % 10));
      CHECK(told[2] % 10 == told[5] % 10);
    }
    // "subtract 3 from 8" names them the other way round.
    if (t.skill == "difference") std::sort(asked.rbegin(), asked.rend());
    CHECK(asked == std::vector<int>{told[last], told[last + 1]});
  } else if (t.skill == "opposite") {
    int matches = 0;
    for (const auto& [first, second] : opposites(t.language)) {
      for (const auto& [x, y] : {std::pair{first, second}, {second, first}}) {
        if (t.answer !=
            (english ? "The opposite of " + x + " is " + y + "." : x + "的反义词是" + y + "。"))
          continue;
        ++matches;
        CHECK(contains(t.question, x));
      }
    }
    CHECK(matches == 1);
  }
}

void check_calendar(const TestCase& t) {
  const bool english = t.language == Language::English;
  CAPTURE(t.question);
  CAPTURE(t.answer);
  const bool day = t.intent.starts_with("day");
  const auto& cycle = day ? days(t.language) : months(t.language);
  const int n = static_cast<int>(cycle.size());
  int matches = 0;
  for (int i = 0; i < n; ++i) {
    const std::string &name = cycle[i], &next = cycle[(i + 1) % n], &last = cycle[(i + n - 1) % n];
    const std::string z = std::to_string(i + 1);
    const std::string length = i == 1                              ? "28 or 29"
                               : std::set{3, 5, 8, 10}.contains(i) ? "30"
                                                                   : "31";
    const std::map<std::string, std::string> expected{
        {"after",
         english ? "After " + name + " comes " + next + "." : name + "后面是" + next + "。"},
        {"before",
         english ? "Before " + name + " comes " + last + "." : name + "前面是" + last + "。"},
        {"at", english ? "Month " + z + " is " + name + "." : "第" + z + "个月是" + name + "。"},
        {"number", english ? name + " is month " + z + "." : name + "是第" + z + "个月。"},
        {"length", english  ? name + " has " + length + " days."
                   : i == 1 ? name + "有28天或29天。"
                            : name + "有" + length + "天。"}};
    const std::string relation = t.intent.substr(t.intent.find(' ') + 1);
    if (expected.at(relation) != t.answer) continue;
    ++matches;
    CHECK((relation == "at" ? contains(t.question, z) || contains(t.question, ordinals()[i])
                            : contains(normalised(t.question), normalised(name))));
  }
  CHECK(matches == 1);
}

}  // namespace

TEST_CASE("SplitMix64 gives its published numbers") {
  SplitMix64 rng(1234567);
  CHECK(rng.next() == 6457827717110365317ull);
  CHECK(rng.next() == 3203168211198807973ull);
}

TEST_CASE("dialogues: the same seed gives the same dialogues") {
  DialogueGenerator one(5), same(5), other(6);
  std::string a, b, c;
  for (int i = 0; i < 200; ++i) {
    a += readable(one.training());
    b += readable(same.training());
    c += readable(other.training());
  }
  CHECK(a == b);
  CHECK(a != c);
  CHECK_THROWS_AS(held_out(1, 0), gradus::ValueError);
}

TEST_CASE("dialogues: no held-out question or name occurs in training") {
  const auto tests = held_out(1, 100);
  std::unordered_set<std::string> trained, trained_answers;
  DialogueGenerator generator(2);
  std::map<std::string, int> turns;
  size_t longest = 0;
  for (int i = 0; i < 200'000; ++i) {
    const Dialogue dialogue = generator.training();
    REQUIRE(!dialogue.empty());
    longest = std::max(longest, dialogue.size());
    for (const Turn& turn : dialogue) {
      trained.insert(normalised(turn.user));
      if (turn.skill == "name") trained_answers.insert(turn.bot);
      ++turns[turn.skill];
    }
  }
  CHECK(turns.size() == skills().size());
  CHECK(longest == 9);  // as long as what is remembered of a conversation, and not much longer
  for (const TestCase& t : tests) {
    CAPTURE(t.question);
    CHECK(!trained.contains(normalised(t.question)));
    if (t.skill == "name") CHECK(!trained_answers.contains(t.answer));
  }
}

TEST_CASE("dialogues: the examination covers every skill in both languages, with right answers") {
  const auto tests = held_out(3, 60);
  CHECK(tests.size() == skills().size() * 2 * 60);
  std::map<std::pair<std::string, Language>, std::set<std::string>> asked;
  for (const TestCase& t : tests) {
    asked[{t.skill, t.language}].insert(t.question);
    CAPTURE(t.question);
    CAPTURE(t.answer);
    if (t.skill == "calendar") {
      check_calendar(t);
    } else if (t.skill == "name") {
      // The last name told, in this question or before it, is the one in the answer.
      std::string told = t.intent == "tell" ? t.question : "";
      std::string reply;
      for (const Turn& turn : t.before)
        if (turn.skill == "name") told = turn.user, reply = turn.bot;
      const bool english = t.language == Language::English;
      const std::string opening = t.intent == "tell"
                                      ? (english ? "Nice to meet you, " : "很高兴认识你，")
                                      : (english ? "Your name is " : "你叫");
      REQUIRE(t.answer.starts_with(opening));
      const size_t stop = english ? 1 : 3;
      const std::string name =
          t.answer.substr(opening.size(), t.answer.size() - opening.size() - stop);
      CHECK(!name.empty());
      CHECK(contains(told, name));
    } else {
      check_fact(t);
    }
    if (t.intent == "untold name")
      for (const Turn& turn : t.before) CHECK(turn.skill != "name");
  }
  CHECK(asked.size() == skills().size() * 2);
  for (const auto& entry : asked) {
    CAPTURE(entry.first.first);
    CHECK(entry.second.size() >= 25);
  }
}

TEST_CASE("dialogues: an examination can come late in a conversation") {
  for (const TestCase& t : held_out(4, 8, 5)) {
    CAPTURE(t.question);
    CHECK(t.before.size() >= 5);
    if (t.intent != "recall") continue;
    // The name was told before all of the last five.
    const auto told = std::find_if(t.before.begin(), t.before.end(),
                                   [](const Turn& turn) { return turn.skill == "name"; });
    CHECK(std::distance(told, t.before.end()) == 6);
  }
}

TEST_CASE("dialogues: enough phrasings, and reserved ones made of words met in training") {
  for (Language language : kLanguages) {
    std::map<std::string, std::set<std::string>> words;
    std::set<std::string> kept, trained;
    for (const Intent& intent : intents(language))
      for (const std::string& text : intent.phrasings) {
        words[intent.skill].merge(pieces(text));
        trained.insert(normalised(text));
      }
    for (const Intent& intent : intents(language)) {
      CAPTURE(intent.name);
      CHECK(intent.phrasings.size() >= 7);
      CHECK(intent.reserved.size() >= 4);
      for (const std::string& text : intent.reserved) {
        CAPTURE(text);
        CHECK(!trained.contains(normalised(text)));
        for (const std::string& word : pieces(text)) {
          CAPTURE(word);
          CHECK(words[intent.skill].contains(word));
        }
      }
    }
  }
}

TEST_CASE("dialogues: the tables have no double entries") {
  REQUIRE(elements().size() == 118);
  std::set<std::string> symbols, english, chinese;
  for (size_t i = 0; i < elements().size(); ++i) {
    const Element& e = elements()[i];
    CHECK(e.number == static_cast<int>(i) + 1);
    symbols.insert(e.symbol), english.insert(e.english), chinese.insert(e.chinese);
  }
  CHECK((symbols.size() == 118 && english.size() == 118 && chinese.size() == 118));
  std::set<std::string> places, orte;
  for (const Capital& c : capitals()) {
    places.insert(c.country), places.insert(c.city);
    orte.insert(c.country_chinese), orte.insert(c.city_chinese);
  }
  CHECK((places.size() == 2 * capitals().size() && orte.size() == 2 * capitals().size()));
  for (Language language : kLanguages) {
    std::set<std::string> words;
    for (const auto& [first, second] : opposites(language))
      words.insert(first), words.insert(second);
    CHECK(words.size() == 2 * opposites(language).size());
  }
}

TEST_CASE("dialogues: normalised forgets case, spaces and punctuation, but no sign") {
  CHECK(normalised("Hi, what is 3 - 2?") == "hiwhatis3-2");
  CHECK(normalised("你好，今天天气怎么样？") == "你好今天天气怎么样");
  CHECK(contains(what_to_ask(), "  capital: What is the capital of"));
}
