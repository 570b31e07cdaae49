#pragma once
// What the chatbot can be asked, as data: an intent is a list of phrasings with blanks, the list of
// things that fill the blanks, and one answer. "what is the capital of {a}" × (France, Paris) gives
// a question, "The capital of {a} is {c}." its answer. Adding a skill means adding intents here.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "examples/support/chat/facts.h"
#include "examples/support/data/splitmix.h"

namespace gradus::support {

/// What fills the blanks: {a} and {b} of a question, {a}, {b} and {c} of its answer.
struct Item {
  std::string a = {}, b = {}, c = {};
};

/// Which words may stand before and after a phrasing.
enum class Frame {
  Bare,       // "thank you": nothing before it
  Statement,  // "my name is …": a greeting may come first
  Chat,       // "how are you": likewise, with a question mark
  Question,   // "what is the capital of …": also "tell me: …", and a "please" after it
};

/// What is kept out of training, besides the reserved phrasings.
enum class Split {
  Phrasings,     // nothing more
  Combinations,  // one in eight pairs (phrasing, item): the fact is taught in other words
  Items,         // one in eight items, in every phrasing: names, number pairs, invented countries
};

struct Intent {
  std::string skill, name;
  Frame frame = Frame::Question;
  Split split = Split::Phrasings;
  std::string answer;
  std::vector<std::string> phrasings;  // trained on; a final '.' marks a request ("tell me …")
  std::vector<std::string> reserved;   // for tests only
  std::vector<Item> items = {Item{}};
  std::function<Item(SplitMix64&)> draw = nullptr;  // instead of `items`, if there are too many
  int weight = 1;            // how often it comes up, next to the other intents of its skill
  bool lower_items = false;  // whether {a} and {b} may lose their capitals with the rest
};

const std::vector<Intent>& intents(Language language);
std::vector<Intent> english_small_talk();
std::vector<Intent> english_skills();
std::vector<Intent> english_calendar();
std::vector<Intent> chinese_small_talk();
std::vector<Intent> chinese_skills();

/// Replaces {a}, {b} and {c}.
std::string fill(std::string text, const Item& item);

/// True where this phrasing of this item belongs to the test set: a pure function of its arguments.
bool is_held_out(const Intent& intent, std::string_view phrasing, const Item& item);

// What the files with the phrasings have in common.

/// Splits at '|' and trims: "what is {a} | tell me {a}." gives two phrasings.
std::vector<std::string> phrasings(std::string_view text);
/// Appends one item per capital, element and so on; `c` is the answer.
std::vector<Item> capital_items(Language language, bool city_asked);
enum class ElementQuestion { SymbolOf, NameOf, NumberOf, AtNumber };
std::vector<Item> element_items(Language language, ElementQuestion asked);
std::vector<Item> opposite_items(Language language);
/// Pairs of numbers below 50; differences are never negative. The answer shows the units first, as
/// one does on paper: "7 + 8 = 15, so 47 + 38 = 85". Each step is then a table of a hundred entries
/// or a copy. Without it a small model learns the pairs by heart: after 24,000 examples of 0 … 20 a
/// test model knew 87 % of the sums it had trained on and 46 % of the others; with it, of sums up
/// to 99, 99 % and 97 %.
std::vector<Item> sum_items(Language language);
std::vector<Item> difference_items(Language language);
/// For each name in a cycle (days, months) the one `step` places further.
std::vector<Item> neighbour_items(const std::vector<std::string>& cycle, int step);
/// Every a with every b.
std::vector<Item> crossed_items(std::string_view a, std::string_view b = "");

/// Adds questions that look like the others but have no answer: capitals of invented countries,
/// symbols of invented elements, and a name that was not told. Their phrasings are those of the
/// skills in `all`.
void add_unknown_twins(std::vector<Intent>& all, const std::string& answer,
                       const std::string& untold_name, Item (*country)(SplitMix64&),
                       Item (*element)(SplitMix64&));

Item draw_english_name(SplitMix64& rng);
/// Three to seven random letters as a name: only copying helps here.
Item draw_letters(SplitMix64& rng);
Item draw_chinese_name(SplitMix64& rng);
Item draw_english_country(SplitMix64& rng);
Item draw_chinese_country(SplitMix64& rng);
Item draw_english_element(SplitMix64& rng);
Item draw_chinese_element(SplitMix64& rng);

}  // namespace gradus::support
