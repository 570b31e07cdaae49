// Puts the intents together: pick a skill, an intent, a thing and a phrasing; dress the phrasing
// with words before and after it; string turns together. Training draws again as long as a choice
// is held out, the examination as long as it is not.
#include "examples/support/chat/dialogues.h"

#include <algorithm>
#include <optional>
#include <set>

#include "tensor/error.h"

namespace gradus::support {
namespace {

enum class Part { Training, Test };

// Percent of the turns in ordinary dialogues: a skill of many facts needs more repeating.
struct Share {
  const char* skill;
  int percent;
};
constexpr Share kShares[] = {{"greeting", 4}, {"small talk", 12}, {"element", 20},
                             {"capital", 18}, {"sum", 12},        {"difference", 13},
                             {"opposite", 7}, {"calendar", 8},    {"unknown", 6}};

// Words before and after a phrasing; the first is the plain one. No phrasing begins with the words
// of a `before`, so that a question can be put together in one way only.
struct Dressing {
  std::vector<std::string> before, after;
};

const Dressing& dressing(Frame frame, bool request, Language language) {
  // clang-format off
  static const Dressing english[] = {
      {{""}, {"!", ".", ""}},
      {{"", "hi, ", "hello, ", "hey, ", "well, ", "oh, ", "by the way, "}, {".", "!", ""}},
      {{"", "hi, ", "hello, ", "hey, ", "well, ", "so, ", "ok, ", "and ", "by the way, "},
       {"?", "", "??"}},
      {{"", "hi, ", "hello, ", "hey, ", "well, ", "so, ", "ok, ", "and ", "please, ",
        "quick question: ", "one question: ", "I wonder, "},
       {"?", "", ", please?", " please", "? Thanks."}},
      {{"", "please ", "hey, ", "ok, ", "now ", "hi, ", "hey, please ", "hello, please "},
       {".", "", "!", ", please.", " please"}}};
  static const Dressing chinese[] = {
      {{""}, {"！", "。", ""}},
      {{"", "嗨，", "您好，", "对了，", "嘿，", "哎，"}, {"。", "！", ""}},
      {{"", "嗨，", "您好，", "对了，", "那么，", "嘿，", "请问，", "请问"}, {"？", "", "?"}},
      {{"", "嗨，", "您好，", "对了，", "那么，", "嘿，", "请问，", "请问", "我想问一下，", "我想知道，", "有个问题，"},
       {"？", "", "?", "？谢谢。", "，谢谢"}},
      {{"", "请", "那么，", "嗨，请", "嘿，", "好，", "现在", "麻烦你"}, {"。", "", "！", "吧。", "，谢谢。"}}};
  // clang-format on
  const size_t row = request ? 4 : static_cast<size_t>(frame);
  return language == Language::English ? english[row] : chinese[row];
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// "what is the capital of {a}" -> "Hi, what is the capital of France?"
std::string worded(const Intent& intent, std::string phrasing, Item item, Language language,
                   SplitMix64& rng) {
  const bool request = phrasing.ends_with('.') || phrasing.ends_with("。");
  if (request) phrasing.resize(phrasing.size() - (phrasing.back() == '.' ? 1 : 3));
  const auto& [before, after] = dressing(intent.frame, request, language);
  const std::string& opening = rng.percent(50) ? before[0] : rng.pick(before);
  const bool asked_nicely = opening.find("please") != opening.npos;  // once is enough
  const std::string& close = asked_nicely || rng.percent(50) ? after[0] : rng.pick(after);
  std::string text = opening + phrasing + close;
  if (language == Language::Chinese) return fill(text, item);
  const size_t style = rng.below(10);  // 0: all small letters; 1: a small first letter
  if (style == 0) {
    text = lower(text);
    if (intent.lower_items) {
      item.a = lower(item.a);
      item.b = lower(item.b);
    }
  }
  text = fill(text, item);
  if (style > 1 && phrasing.front() != '{' && text[0] >= 'a')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  if (style > 1 && intent.lower_items && text[0] >= 'a')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

struct Drawn {
  Turn turn;
  Item item;
};

Item draw_item(const Intent& intent, SplitMix64& rng) {
  return intent.draw ? intent.draw(rng) : rng.pick(intent.items);
}

Drawn draw(const Intent& intent, Part part, Language language, SplitMix64& rng,
           const std::optional<Item>& given = {}) {
  const bool only_reserved = intent.split == Split::Phrasings;
  while (true) {
    const Item item = given ? *given : draw_item(intent, rng);
    const bool from_reserved = part == Part::Test && (only_reserved || rng.percent(50));
    const std::string& phrasing = rng.pick(from_reserved ? intent.reserved : intent.phrasings);
    // In the examination names and numbers must be new, whatever the phrasing.
    const bool held = part == Part::Test && intent.split == Split::Items
                          ? is_held_out(intent, "", item)
                          : is_held_out(intent, phrasing, item);
    if (held != (part == Part::Test)) continue;
    return {{worded(intent, phrasing, item, language, rng), fill(intent.answer, item), intent.skill,
             language},
            item};
  }
}

const Intent& intent_named(Language language, std::string_view name) {
  const auto& all = intents(language);
  return *std::find_if(all.begin(), all.end(), [&](const Intent& i) { return i.name == name; });
}

std::vector<const Intent*> intents_of(Language language, std::string_view skill) {
  std::vector<const Intent*> out;
  for (const Intent& intent : intents(language))
    if (intent.skill == skill) out.push_back(&intent);
  return out;
}

// A turn about anything but the user's name. `named`: the name has been told.
Turn ordinary_turn(Language language, bool named, SplitMix64& rng) {
  while (true) {
    int at = static_cast<int>(rng.below(100));
    const Share* share = kShares;
    while (at >= share->percent) at -= (share++)->percent;
    std::vector<const Intent*> bag;
    for (const Intent* intent : intents_of(language, share->skill))
      bag.insert(bag.end(), static_cast<size_t>(intent->weight), intent);
    const Intent& intent = *rng.pick(bag);
    if (!named || intent.name != "untold name")
      return draw(intent, Part::Training, language, rng).turn;
  }
}

// A name is told; then comes something else; then the name is asked for, in the last question.
struct NameDialogue {
  Dialogue before;
  Turn question;
};
NameDialogue name_dialogue(Language language, Part part, size_t between, SplitMix64& rng) {
  Dialogue turns;
  if (rng.percent(20))
    turns.push_back(
        draw(intent_named(language, "untold name"), Part::Training, language, rng).turn);
  else if (rng.percent(30))
    turns.push_back(ordinary_turn(language, false, rng));
  const Intent& tell = intent_named(language, "tell");
  std::optional<Item> letters;  // copying must not rely on what names look like
  while (part == Part::Training && language == Language::English &&
         (letters ? is_held_out(tell, "", *letters) : rng.percent(50)))
    letters = draw_letters(rng);
  const Drawn told = draw(tell, part, language, rng, letters);
  turns.push_back(told.turn);
  for (; between > 0; --between) turns.push_back(ordinary_turn(language, true, rng));
  return {turns, draw(intent_named(language, "recall"), part, language, rng, told.item).turn};
}

Language either(SplitMix64& rng) { return rng.percent(50) ? Language::English : Language::Chinese; }

TestCase test_case(const Intent& intent, Language language, size_t earlier, SplitMix64& rng) {
  if (intent.name == "recall") {
    const size_t between = earlier > 0 ? earlier : rng.below(3);
    auto [before, last] = name_dialogue(language, Part::Test, between, rng);
    return {before, last.user, last.bot, intent.skill, intent.name, language};
  }
  Dialogue before;
  if (earlier == 0 && rng.percent(40)) earlier = 1 + rng.below(2);
  while (earlier-- > 0) before.push_back(ordinary_turn(language, false, rng));
  const Turn last = draw(intent, Part::Test, language, rng).turn;
  return {before, last.user, last.bot, intent.skill, intent.name, language};
}

}  // namespace

Dialogue DialogueGenerator::training() {
  if (rng_.percent(30)) {
    // English names are harder: letters to copy one by one, not two or three characters.
    const Language language = rng_.percent(65) ? Language::English : Language::Chinese;
    const size_t between = rng_.percent(25) ? 3 + rng_.below(4) : rng_.below(3);
    auto [turns, question] = name_dialogue(language, Part::Training, between, rng_);
    turns.push_back(question);
    return turns;
  }
  const Language language = either(rng_);
  Dialogue turns;
  for (size_t n = rng_.percent(20) ? 5 + rng_.below(4) : 1 + rng_.below(4); n > 0; --n)
    turns.push_back(ordinary_turn(rng_.percent(5) ? either(rng_) : language, false, rng_));
  return turns;
}

namespace {

/// The tokenizer must not know names. A name that is one token in training, when new ones are
/// several, would not teach the model to copy. An English name that is told or asked back is the
/// last word of the answer; it is removed everywhere.
std::string without_name(const Turn& turn) {
  std::string text = turn.user + "\n" + turn.bot + "\n";
  if (turn.skill != "name" || turn.language != Language::English) return text;
  const size_t start = turn.bot.rfind(' ') + 1;
  const std::string name = turn.bot.substr(start, turn.bot.size() - 1 - start);
  for (size_t at; !name.empty() && (at = text.find(name)) != std::string::npos;)
    text.erase(at, name.size());
  return text;
}

}  // namespace

std::string tokenizer_text(uint64_t seed, int dialogues) {
  std::string text;
  DialogueGenerator generator(seed);
  for (int i = 0; i < dialogues; ++i)
    for (const Turn& turn : generator.training()) text += without_name(turn);
  return text;
}

std::vector<TestCase> held_out(uint64_t seed, int per_skill, size_t earlier) {
  check<ValueError>(per_skill >= 1, "held_out: per_skill is {}; ask for at least 1", per_skill);
  SplitMix64 rng(seed);
  std::vector<TestCase> out;
  std::set<std::string> asked;
  for (const std::string& skill : skills()) {
    for (Language language : {Language::English, Language::Chinese}) {
      const auto choices = intents_of(language, skill);
      for (int i = 0; i < per_skill; ++i) {
        const Intent& intent = *choices[static_cast<size_t>(i) % choices.size()];
        TestCase test = test_case(intent, language, earlier, rng);
        // A reserved greeting can be said in few ways: prefer a new one, but do not insist.
        for (int tries = 0; tries < 50 && asked.contains(test.question); ++tries)
          test = test_case(intent, language, earlier, rng);
        asked.insert(test.question);
        out.push_back(std::move(test));
      }
    }
  }
  return out;
}

const std::vector<std::string>& skills() {
  static const std::vector<std::string> names{"greeting", "small talk", "name",       "element",
                                              "capital",  "sum",        "difference", "opposite",
                                              "calendar", "unknown"};
  return names;
}

std::string readable(const Dialogue& dialogue) {
  std::string out;
  for (const Turn& turn : dialogue)
    out += fmt::format("You: {}\nGradus: {}\n", turn.user, turn.bot);
  return out;
}

std::string what_to_ask() {
  std::string out;
  for (const std::string& skill : skills()) {
    out += fmt::format("  {}:", skill);
    SplitMix64 rng(7);
    for (Language language : {Language::English, Language::Chinese}) {
      const auto choices = intents_of(language, skill);
      const size_t shown = std::min<size_t>(choices.size(), 4);
      for (size_t i = 0; i < shown; ++i) {
        const Intent& intent = *choices[i * choices.size() / shown];
        const Item item = intent.draw ? intent.draw(rng) : intent.items[intent.items.size() / 3];
        std::string text = fill(intent.phrasings[0], item);
        if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
        const bool asks = intent.frame == Frame::Chat || intent.frame == Frame::Question;
        const char* const ends[] = {".", "?", "。", "？"};
        out += fmt::format(" {}{}", text, ends[2 * (language == Language::Chinese) + asks]);
      }
    }
    out += "\n";
  }
  return out;
}

const char* const kLimits =
    R"(Outside of this it answers fluently and wrongly, or says that it does not know. Of arithmetic
it has seen sums and differences of two numbers below 50, nothing else; it knows no facts but
those above; and of a conversation it remembers what fits into its context, the last eight
exchanges or so.
)";

std::string normalised(std::string_view text) {
  static const std::vector<std::string> wide = phrasings("，|。|！|？|：|、|《|》");
  std::string out = lower(std::string(text));
  for (const std::string& mark : wide)
    for (size_t at; (at = out.find(mark)) != out.npos;) out.erase(at, mark.size());
  std::erase_if(
      out, [](char c) { return std::string_view(" .,!?:;'\"").find(c) != std::string_view::npos; });
  return out;
}

}  // namespace gradus::support
