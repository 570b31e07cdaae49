#include "examples/support/chat/dialogues.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "examples/support/chat/sources.h"
#include "examples/support/chat/wording.h"
#include "tensor/error.h"

namespace gradus::support {

namespace {

Language other(Language language) {
  return language == Language::English ? Language::Chinese : Language::English;
}

std::string fill(std::string_view answer, const Values& values) {
  std::string out;
  for (const Pattern::Piece& piece : Pattern(answer).first())
    out += piece.blank ? values.at(piece.text).front() : piece.text;
  for (size_t at; (at = out.find("s's ")) != out.npos;) out.erase(at + 2, 1);  // the Netherlands'
  return out;
}

bool has_numbers(const Intent& intent) {
  return intent.source == "sum" || intent.source == "difference" || intent.source == "big sum";
}

// Whether the sentence asks for a pair of numbers that is kept: 7 + 8 and 8 + 7 are kept together.
// Products are learned by heart, like capitals: none of them is kept, only words are.
bool keeps_numbers(const Intent& intent, const Values& values) {
  if (!has_numbers(intent)) return false;
  const auto [low, high] = std::minmax(values.at("a").front(), values.at("b").front());
  return is_kept(low + "|" + high);
}

bool is_naming(const Intent& intent) { return intent.name == "tell" || intent.name == "rename"; }

}  // namespace

void Talk::restart() {
  language_ = kLanguages[rng_.below(2)];
  restless_ = rng_.percent(25) ? 35 : 2;
  name_.clear();
  last_ = nullptr;
}

Turn Talk::say(const Intent& intent, Language language, Part part, bool follow) {
  const Tongue& tongue = world_[language];
  std::vector<const Sentence*> choices;
  for (const Sentence& s : intent.sentences)
    if (s.follow == follow && (part == Part::Test || !s.held)) choices.push_back(&s);
  const bool has_held = std::ranges::any_of(choices, [](const Sentence* s) { return s->held; });
  if (part == Part::Test && has_held && rng_.percent(60))
    std::erase_if(choices, [](const Sentence* s) { return !s->held; });
  while (true) {
    const Sentence& sentence = *rng_.pick(choices);
    std::vector<Pattern::Piece> pieces = sentence.pattern.draw(rng_);
    Values values = intent.rows ? intent.rows(rng_) : Values{};
    if (intent.name == "recall") values["name"] = {name_};
    bool kept_item = keeps_numbers(intent, values), filled = false;
    std::string words, said;
    for (Pattern::Piece& piece : pieces) {
      words += piece.blank ? fmt::format("{{{}}}", piece.text) : piece.text;
      if (piece.blank) {
        auto value = values.find(piece.text);
        if (value == values.end()) {
          const auto list = tongue.lists.find(piece.text);
          const std::string drawn = list != tongue.lists.end()
                                        ? rng_.pick(list->second)
                                        : draw_blank(piece.text, world_, language, rng_);
          if (list == tongue.lists.end()) kept_item = kept_item || is_kept(drawn);
          value = values.emplace(piece.text, std::vector{drawn}).first;
        }
        filled = true;
        piece.text = rng_.percent(70) ? value->second.front() : rng_.pick(value->second);
      }
      said += piece.text;
    }
    const bool kept = intent.holds_back(normalised(words)) || (filled && is_kept(normalised(said)));
    const bool wanted = part == Part::Training                     ? !kept && !kept_item
                        : has_numbers(intent) || is_naming(intent) ? kept_item
                                                                   : kept || kept_item;
    // An intent with neither blanks nor held-back sentences cannot be asked anew.
    const bool hopeless = part == Part::Test && !has_held && intent.sentences.size() == 1;
    if (!wanted && !hopeless) continue;
    if (is_naming(intent)) name_ = values.at("name").front();
    last_ = &intent;
    last_language_ = language;
    return {typed(std::move(pieces), sentence.frame, world_, language, rng_),
            fill(intent.answer, values), intent.skill, intent.name, language};
  }
}

const Intent& Talk::draw_intent() {
  int total = 0;
  for (const std::string& skill : world_.skills())
    if (skill != "name") total += world_.share(skill);
  while (true) {
    int at = static_cast<int>(rng_.below(static_cast<size_t>(total)));
    const std::string* chosen = nullptr;
    for (const std::string& skill : world_.skills()) {
      if (skill == "name") continue;
      chosen = &skill;
      if ((at -= world_.share(skill)) < 0) break;
    }
    std::vector<const Intent*> bag;
    for (const Intent& intent : world_[language_].intents)
      if (intent.skill == *chosen && intent.name != "untold")
        bag.insert(bag.end(), static_cast<size_t>(intent.weight), &intent);
    if (!bag.empty()) return *rng_.pick(bag);
  }
}

/// A turn about anything but the user's name.
Turn Talk::ordinary() {
  if (last_ && rng_.percent(25) &&
      std::ranges::any_of(last_->sentences, [](const Sentence& s) { return s.follow && !s.held; }))
    return say(*last_, last_language_, Part::Training, true);
  if (rng_.percent(static_cast<int>(restless_))) language_ = other(language_);
  return say(draw_intent(), language_, Part::Training, false);
}

Turn Talk::next() {
  const size_t dice = rng_.below(100);
  const auto about_name = [&](const char* intent) {
    return say(world_.intent(language_, intent), language_, Part::Training, false);
  };
  if (name_.empty() && dice < 18) return about_name("tell");
  if (name_.empty() && dice < 24) return about_name("untold");
  if (!name_.empty() && dice < 15) return about_name("recall");
  if (!name_.empty() && dice < 19) return about_name(rng_.percent(50) ? "rename" : "tell");
  return ordinary();
}

Talk::TestCase Talk::test(const Intent& intent, Language language, size_t earlier) {
  restart();
  language_ = language;
  TestCase out;
  const auto ordinary_turns = [&] {
    for (; earlier > 0; --earlier) out.before.push_back(ordinary());
  };
  if (intent.name == "recall" || intent.name == "rename") {
    out.before.push_back(say(world_.intent(language, "tell"), language, Part::Test, false));
    ordinary_turns();
  } else {
    ordinary_turns();
  }
  const auto held_follow = [](const Sentence& s) { return s.follow && s.held; };
  const bool follow = std::ranges::any_of(intent.sentences, held_follow) && rng_.percent(15);
  if (follow) out.before.push_back(say(intent, language, Part::Training, false));
  out.asked = say(intent, language, Part::Test, follow);
  return out;
}

std::vector<Talk::TestCase> held_out(const World& world, uint64_t seed, int per_skill,
                                     int earlier) {
  check<ValueError>(per_skill >= 1, "held_out: per_skill is {}; ask for at least 1", per_skill);
  SplitMix64 rng(seed);
  Talk talk(world, rng.next());
  std::vector<Talk::TestCase> out;
  std::set<std::string> asked;
  for (const std::string& skill : world.skills())
    for (const Language language : kLanguages) {
      std::vector<const Intent*> choices;
      for (const Intent& intent : world[language].intents)
        if (intent.skill == skill) choices.push_back(&intent);
      for (int i = 0; !choices.empty() && i < per_skill; ++i) {
        const Intent& intent = *choices[static_cast<size_t>(i) % choices.size()];
        Talk::TestCase test;
        // A greeting can be said in few ways: prefer a new one, but do not insist.
        for (int tries = 0; tries < 50; ++tries) {
          test = talk.test(intent, language,
                           earlier >= 0 ? static_cast<size_t>(earlier) : rng.below(4));
          if (!asked.contains(test.asked.user)) break;
        }
        asked.insert(test.asked.user);
        out.push_back(std::move(test));
      }
    }
  return out;
}

std::string readable(const Dialogue& dialogue) {
  std::string out;
  for (const Turn& turn : dialogue)
    out += fmt::format("You: {}\nGradus: {}\n", turn.user, turn.bot);
  return out;
}

std::string what_to_ask(const World& world) {
  std::string out;
  for (const std::string& skill : world.skills()) {
    out += fmt::format("  {}:", skill);
    SplitMix64 rng(7);
    for (const Language language : kLanguages) {
      std::vector<const Intent*> choices;
      for (const Intent& intent : world[language].intents)
        if (intent.skill == skill) choices.push_back(&intent);
      const size_t shown = std::min<size_t>(choices.size(), 4);
      for (size_t i = 0; i < shown; ++i) {
        const Intent& intent = *choices[i * choices.size() / shown];
        const Sentence& sentence = intent.sentences.front();
        std::vector<Pattern::Piece> pieces = sentence.pattern.first();
        const Values values = intent.rows ? intent.rows(rng) : Values{};
        for (Pattern::Piece& piece : pieces)
          if (piece.blank) {
            const auto value = values.find(piece.text);
            const auto& list = world.list(language, piece.text);
            piece.text = value != values.end() ? value->second.front()
                         : !list.empty()       ? rng.pick(list)
                                               : draw_blank(piece.text, world, language, rng);
          }
        out += fmt::format(" {}", plain(pieces, sentence.frame, language));
      }
    }
    out += "\n";
  }
  return out +
         "Of what is outside this world it says that it does not know. Of arithmetic it has seen\n"
         "sums and differences of numbers below 100 and products up to 12 × 12, and of a\n"
         "conversation it remembers what fits into its context, some forty exchanges.\n";
}

}  // namespace gradus::support
