// The items of intents.h: facts turned into questions and answers, and invented names.
#include "examples/support/chat/intents.h"

#include <algorithm>

#include "tensor/error.h"

namespace gradus::support {
namespace {

// FNV-1a, then mixed, because the low bits of FNV alone depend on too little.
uint64_t hash(std::string_view text) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return mixed(h);
}

// The pieces that names are made of, separated by `|`.
struct Syllables {
  std::vector<std::string> onsets =
      phrasings("b|br|c|ch|d|dr|f|fr|g|gr|h|j|k|kl|l|m|n|p|pr|r|s|sh|st|t|th|tr|v|w|y|z");
  std::vector<std::string> vowels = phrasings("a|a|e|e|i|i|o|o|u|u|ai|ee|oa|y");
  std::vector<std::string> middles =
      phrasings("b|d|f|g|k|l|ll|m|n|nn|p|r|rr|s|ss|t|v|z|nd|lt|rk|st|ld|m|n|l|r");
  std::string stem(SplitMix64& rng) const {
    std::string s = rng.pick(onsets) + rng.pick(vowels) + rng.pick(middles);
    if (rng.percent(25)) s += rng.pick(vowels) + rng.pick(middles);
    return s;
  }
};

const Syllables& syllables() {
  static const Syllables parts;
  return parts;
}

std::string capitalised(std::string word) {
  if (word[0] >= 'a' && word[0] <= 'z') word[0] = static_cast<char>(word[0] - 'a' + 'A');
  return word;
}

// Two characters that transcribe foreign sounds.
std::string foreign_chinese(SplitMix64& rng) {
  static const std::vector<std::string> sounds = phrasings(
      "布|洛|维|卡|多|塔|米|萨|尼|拉|格|莫|德|科|纳|索|普|泽|赞|佛|基|丹|波|雷|古|兹|瓦|贡");
  return rng.pick(sounds) + rng.pick(sounds);
}

}  // namespace

std::vector<std::string> phrasings(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t bar = std::min(text.find('|'), text.size());
    const std::string_view part = text.substr(0, bar);
    const size_t first = part.find_first_not_of(" \n"), last = part.find_last_not_of(" \n");
    check<ValueError>(first != part.npos, "phrasings: an empty phrasing in \"{}\"", text);
    out.emplace_back(part.substr(first, last - first + 1));
    text.remove_prefix(std::min(bar + 1, text.size()));
  }
  return out;
}

const std::vector<Intent>& intents(Language language) {
  const auto joined = [](std::vector<Intent> list, std::vector<Intent> more) {
    std::move(more.begin(), more.end(), std::back_inserter(list));
    return list;
  };
  static const std::vector<Intent> english = joined(english_small_talk(), english_skills());
  static const std::vector<Intent> chinese = joined(chinese_small_talk(), chinese_skills());
  return language == Language::English ? english : chinese;
}

std::string fill(std::string text, const Item& item) {
  const auto replace = [&text](std::string_view blank, const std::string& word) {
    for (size_t at = 0; (at = text.find(blank, at)) != text.npos; at += word.size())
      text.replace(at, blank.size(), word);
  };
  replace("{a}", item.a);
  replace("{b}", item.b);
  replace("{c}", item.c);
  replace("s's ", "s' ");  // the Netherlands' capital
  return text;
}

bool is_held_out(const Intent& intent, std::string_view phrasing, const Item& item) {
  if (std::find(intent.reserved.begin(), intent.reserved.end(), phrasing) != intent.reserved.end())
    return true;
  switch (intent.split) {
    case Split::Phrasings: return false;
    case Split::Combinations: return hash(fill(std::string(phrasing), item)) % 8 == 0;
    case Split::Items: {
      // Sorted, so that 7 + 8 and 8 + 7 are held out together.
      const auto [low, high] = std::minmax(item.a, item.b);
      return hash(fmt::format("{}|{}", low, high)) % 8 == 0;
    }
  }
  return false;
}

std::vector<Item> capital_items(Language language, bool city_asked) {
  std::vector<Item> out;
  for (const Capital& c : capitals()) {
    Item item = language == Language::English ? Item{c.country, "", c.city}
                                              : Item{c.country_chinese, "", c.city_chinese};
    if (!city_asked) std::swap(item.a, item.c);
    out.push_back(item);
  }
  return out;
}

std::vector<Item> element_items(Language language, ElementQuestion asked) {
  std::vector<Item> out;
  for (int z : taught_elements()) {
    const Element& e = elements()[z - 1];
    const std::string& name = language == Language::English ? e.english : e.chinese;
    const std::string number = std::to_string(e.number);
    switch (asked) {
      case ElementQuestion::SymbolOf: out.push_back({name, "", e.symbol}); break;
      case ElementQuestion::NameOf: out.push_back({e.symbol, "", name}); break;
      case ElementQuestion::NumberOf: out.push_back({name, "", number}); break;
      case ElementQuestion::AtNumber: out.push_back({number, "", name}); break;
    }
  }
  return out;
}

std::vector<Item> opposite_items(Language language) {
  std::vector<Item> out;
  for (const auto& [first, second] : opposites(language)) {
    out.push_back({first, "", second});
    out.push_back({second, "", first});
  }
  return out;
}

namespace {

constexpr int kNumbers = 50;

// People ask for 2 + 3 more often than for 41 + 36.
size_t copies(int a, int b) { return a <= 20 && b <= 20 ? 3 : 1; }

// "47 + 38" -> "7 + 8 = 15, so 47 + 38 = 85"; a small sum is its own first step.
std::string worked(int a, char sign, int b, int result, Language language) {
  const int borrowed = sign == '-' && a % 10 < b % 10 ? 10 : 0;
  const int x = a % 10 + borrowed, y = b % 10, units = sign == '+' ? x + y : x - y;
  const std::string whole = fmt::format("{} {} {} = {}", a, sign, b, result);
  if (x == a && y == b) return whole;
  return fmt::format("{} {} {} = {}{}{}", x, sign, y, units,
                     language == Language::English ? ", so " : "，所以", whole);
}

}  // namespace

std::vector<Item> sum_items(Language language) {
  std::vector<Item> out;
  for (int a = 0; a < kNumbers; ++a)
    for (int b = 0; b < kNumbers; ++b)
      out.insert(out.end(), copies(a, b),
                 {std::to_string(a), std::to_string(b), worked(a, '+', b, a + b, language)});
  return out;
}

std::vector<Item> difference_items(Language language) {
  std::vector<Item> out;
  for (int a = 0; a < kNumbers; ++a)
    for (int b = 0; b <= a; ++b)
      out.insert(out.end(), copies(a, b),
                 {std::to_string(a), std::to_string(b), worked(a, '-', b, a - b, language)});
  return out;
}

std::vector<Item> neighbour_items(const std::vector<std::string>& cycle, int step) {
  std::vector<Item> out;
  const int n = static_cast<int>(cycle.size());
  for (int i = 0; i < n; ++i) out.push_back({cycle[i], "", cycle[(i + step + n) % n]});
  return out;
}

std::vector<Item> crossed_items(std::string_view a, std::string_view b) {
  std::vector<Item> out;
  for (const std::string& x : phrasings(a)) {
    if (b.empty()) out.push_back({x});
    if (b.empty()) continue;
    for (const std::string& y : phrasings(b)) out.push_back({x, y});
  }
  return out;
}

void add_unknown_twins(std::vector<Intent>& all, const std::string& answer,
                       const std::string& untold_name, Item (*country)(SplitMix64&),
                       Item (*element)(SplitMix64&)) {
  const auto twin = [&all](std::string_view of, const char* name, const std::string& reply) {
    Intent copy =
        *std::find_if(all.begin(), all.end(), [&](const Intent& i) { return i.name == of; });
    copy.skill = "unknown";
    copy.name = name;
    copy.answer = reply;
    return copy;
  };
  Intent nowhere = twin("capital of", "invented country", answer);
  Intent nothing = twin("symbol of", "invented element", answer);
  nowhere.draw = country;
  nothing.draw = element;
  for (Intent* intent : {&nowhere, &nothing}) {
    intent->split = Split::Items;
    intent->items.clear();
    intent->weight = 2;
  }
  Intent nobody = twin("recall", "untold name", untold_name);
  nobody.weight = 3;
  for (Intent& intent : {std::ref(nowhere), std::ref(nothing), std::ref(nobody)})
    all.push_back(std::move(intent));
}

Item draw_english_name(SplitMix64& rng) {
  static const std::vector<std::string> endings =
      phrasings("a|o|e|en|an|in|on|ar|er|is|us|el|y|ah|ie|ina|or|et");
  if (rng.percent(30)) return {rng.pick(english_names())};
  return {capitalised(syllables().stem(rng) + rng.pick(endings))};
}

Item draw_letters(SplitMix64& rng) {
  std::string word;
  for (size_t n = 3 + rng.below(5); n > 0; --n) word += static_cast<char>('a' + rng.below(26));
  return {capitalised(word)};
}

Item draw_chinese_name(SplitMix64& rng) {
  std::string name = rng.pick(chinese_family_names()) + rng.pick(chinese_given_characters());
  if (rng.percent(60)) name += rng.pick(chinese_given_characters());
  return {name};
}

Item draw_english_country(SplitMix64& rng) {
  static const std::vector<std::string> endings = phrasings("ia|land|stan|ovia|onia|aria|ea|istan");
  const std::string name = capitalised(syllables().stem(rng) + rng.pick(endings));
  for (const Capital& c : capitals())
    if (c.country == name) return draw_english_country(rng);
  return {name};
}

Item draw_chinese_country(SplitMix64& rng) {
  static const std::vector<std::string> endings = phrasings("国|亚|尼亚|兰|斯坦|维亚|里亚");
  const std::string name = foreign_chinese(rng) + rng.pick(endings);
  for (const Capital& c : capitals())
    if (c.country_chinese == name) return draw_chinese_country(rng);
  return {name};
}

Item draw_english_element(SplitMix64& rng) {
  static const std::vector<std::string> endings = phrasings("ium|onium|inium|orium|on|ine");
  const std::string name = syllables().stem(rng) + rng.pick(endings);
  for (const Element& e : elements())
    if (e.english == name) return draw_english_element(rng);
  return {name};
}

Item draw_chinese_element(SplitMix64& rng) { return {foreign_chinese(rng) + "素"}; }

}  // namespace gradus::support
