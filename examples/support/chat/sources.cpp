#include "examples/support/chat/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nn/text/utf8.h"
#include "tensor/error.h"

namespace gradus::support {

namespace {

// ---- Numbers ------------------------------------------------------------------------------------

constexpr int kBelow = 100;  // sums and differences have numbers below it
constexpr int kLargestFactor = 12;

std::vector<std::string> number_words(int n, Language language) {
  static constexpr std::array kSmall{"zero",    "one",     "two",       "three",    "four",
                                     "five",    "six",     "seven",     "eight",    "nine",
                                     "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                     "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
  static constexpr std::array kTens{"twenty", "thirty",  "forty",  "fifty",
                                    "sixty",  "seventy", "eighty", "ninety"};
  static constexpr std::array kChinese{"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
  if (language == Language::English) {
    if (n < 20) return {kSmall[n]};
    const std::string tens = kTens[n / 10 - 2];
    if (n % 10 == 0) return {tens};
    return {tens + "-" + kSmall[n % 10], tens + " " + kSmall[n % 10]};
  }
  std::string text = n >= 20 ? kChinese[n / 10] : "";
  if (n >= 10) text += "十";
  if (n < 10 || n % 10 != 0) text += kChinese[n % 10];
  if (n == 2) return {text, "两"};
  return {text};
}

/// As one does it in the head, tens and units on their own: "47+38" is "40+30=70, 7+8=15, so
/// 47+38=85". What can be done in one step is. A model learns three small tables much sooner than
/// all pairs of numbers (Nye et al., Show Your Work, 2021).
std::string worked(int a, char sign, int b, Language language) {
  const auto equation = [sign](int x, int y) {
    return fmt::format("{}{}{}={}", x, sign, y, sign == '+' ? x + y : x - y);
  };
  const int a_units = a % 10, b_units = b % 10, a_tens = a - a_units, b_tens = b - b_units;
  if ((a_units == 0 && b_units == 0) || (a_tens == 0 && b_tens == 0)) return equation(a, b);
  const auto& [comma, so] =
      language == Language::English ? std::pair{", ", ", so "} : std::pair{"，", "，所以"};
  const std::string units = equation(a_units, b_units) + so + equation(a, b);
  return a_tens == 0 || b_tens == 0 ? units : equation(a_tens, b_tens) + comma + units;
}

Values numbers(int a, int b, std::string answer, Language language) {
  return {{"a", {std::to_string(a)}},
          {"b", {std::to_string(b)}},
          {"a_words", number_words(a, language)},
          {"b_words", number_words(b, language)},
          {"worked", {std::move(answer)}}};
}

// People ask for 2 + 3 and for 20 + 30 more often than for 41 + 36.
std::pair<int, int> two_numbers(SplitMix64& rng) {
  const auto below = [&](int n) { return static_cast<int>(rng.below(static_cast<size_t>(n))); };
  const int kind = below(100);
  if (kind < 25) return {below(11), below(11)};
  if (kind < 40) return {below(21), below(21)};
  if (kind < 45) return {10 * below(10), 10 * below(10)};
  return {below(kBelow), below(kBelow)};
}

Draw sums(char sign, Language language) {
  return [=](SplitMix64& rng) {
    auto [a, b] = two_numbers(rng);
    if (sign == '-' && a < b && rng.percent(85)) std::swap(a, b);
    return numbers(a, b, worked(a, sign, b, language), language);
  };
}

Draw products(Language language) {
  return [=](SplitMix64& rng) {
    const int a = static_cast<int>(rng.below(kLargestFactor + 1)),
              b = static_cast<int>(rng.below(kLargestFactor + 1));
    return numbers(a, b, fmt::format("{}×{}={}", a, b, a * b), language);
  };
}

/// Two whole numbers: `a` from the range, `b` from its own, in either order if `either`.
Draw pairs(size_t a_from, size_t a_to, size_t b_from, size_t b_to, bool either) {
  return [=](SplitMix64& rng) {
    std::string a = std::to_string(a_from + rng.below(a_to - a_from)),
                b = std::to_string(b_from + rng.below(b_to - b_from));
    if (either && rng.percent(50)) std::swap(a, b);
    return Values{{"a", {a}}, {"b", {b}}};
  };
}

// ---- Invented words -----------------------------------------------------------------------------

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string capitalised(std::string word) {
  if (word[0] >= 'a' && word[0] <= 'z') word[0] = static_cast<char>(word[0] - 'a' + 'A');
  return word;
}

std::string stem(SplitMix64& rng) {
  static const auto onsets =
      split_words("b br c ch d dr f fr g gr h j k kl l m n p pr r s sh st t th tr v w y z qu x");
  static const auto vowels = split_words("a a e e i i o o u u ai ee oa y ou ie");
  static const auto middles =
      split_words("b d f g k l ll m n nn p r rr s ss t v z nd lt rk st ld m n l r ng ck x");
  std::string s = rng.pick(onsets) + rng.pick(vowels) + rng.pick(middles);
  if (rng.percent(30)) s += rng.pick(vowels) + rng.pick(middles);
  return s;
}

/// Any letters; or of few different ones, which teaches to look at more than the last one.
std::string letters(SplitMix64& rng) {
  static const std::string all = "abcdefghijklmnopqrstuvwxyz";
  std::string word, alphabet = all;
  if (rng.percent(40)) {
    alphabet.clear();
    for (int i = 0; i < 4; ++i) alphabet += rng.pick(all);
  }
  for (size_t n = 2 + rng.below(9); n > 0; --n) word += rng.pick(alphabet);
  return word;
}

std::string any_of(const std::vector<std::string>& list, SplitMix64& rng) {
  return list.empty() ? capitalised(stem(rng)) : rng.pick(list);
}

std::string utf8(uint32_t code) {
  return {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
          static_cast<char>(0x80 | (code & 0x3F))};
}

std::string english_name(const World& world, SplitMix64& rng) {
  static const auto endings =
      split_words("a o e en an in on ar er is us el y ah ie ina or et ette wyn ska ov ez i");
  static const auto accents = split_words(
      "é è ü ö ä ñ ç á í ó å ø ê ú ā ō ū ś ą ę ł ż ć ń č ř š ž ý ů ő ğ ş ı ă â î ô õ ë ï æ ß");
  const auto& given = world.list(Language::English, "given names");
  const auto simple = [&] {
    const size_t kind = rng.below(100);
    if (kind < 45) return any_of(given, rng);
    if (kind < 70) return capitalised(stem(rng) + rng.pick(endings));
    return capitalised(letters(rng));
  };
  std::string name = simple();
  const size_t kind = rng.below(100);
  if (kind < 8)
    for (size_t i = 1 + rng.below(2); i > 0; --i) {
      size_t at = 1 + rng.below(name.size());
      while (at < name.size() && (name[at] & 0xC0) == 0x80) ++at;  // not within a character
      name.insert(at, rng.pick(accents));
    }
  if (kind >= 5 && kind < 10) name = fmt::format("{}-{}", name, simple());
  if (kind >= 10 && kind < 20) name = fmt::format("{} {}", name, simple());
  if (kind >= 10 && kind < 13) name = fmt::format("{} {}", name, simple());
  if (kind == 20) name = fmt::format("O'{}", name);
  if (kind >= 21 && kind < 25)
    name = any_of(world.list(Language::English, "titles"), rng) + " " + name;
  return name;
}

/// A character of any Chinese sentence: what a name is made of may mean something else elsewhere.
std::string everyday_character(const World& world, SplitMix64& rng) {
  std::vector<std::string> characters;
  const Intent& intent = rng.pick(world[Language::Chinese].intents);
  for (const Pattern::Piece& piece : rng.pick(intent.sentences).pattern.first())
    for (std::string_view text = piece.text; !piece.blank && !text.empty();) {
      const auto length = static_cast<size_t>(std::max(1, utf8_length(text)));
      if (length == 3 && text >= "\xE4\xB8\x80" && text < "\xEA")
        characters.emplace_back(text.substr(0, length));
      text.remove_prefix(length);
    }
  return characters.empty() ? "王" : rng.pick(characters);
}

std::string chinese_name(const World& world, SplitMix64& rng) {
  const auto& families = world.list(Language::Chinese, "family names");
  const auto& given = world.list(Language::Chinese, "given characters");
  const auto character = [&] {
    // Any of the common block, where most are rare, or one that names really have.
    const size_t kind = rng.below(100);
    if (kind < 15) return utf8(0x4E00 + static_cast<uint32_t>(rng.below(0x9FA5 - 0x4E00)));
    return kind < 45 ? everyday_character(world, rng) : any_of(given, rng);
  };
  const size_t kind = rng.below(100);
  if (kind < 5) return "小" + character();
  if (kind < 8) return "阿" + character();
  if (kind < 11) return "老" + any_of(families, rng);
  if (kind < 18) return character() + character();
  if (kind < 23)
    return any_of(families, rng) + any_of(world.list(Language::Chinese, "titles"), rng);
  std::string name = any_of(families, rng) + character();
  if (rng.percent(10)) return name + name.substr(name.size() - 3);
  if (rng.percent(65)) name += character();
  return name;
}

std::string english_invented(const std::string& blank, SplitMix64& rng) {
  static const auto countries =
      split_words("ia land stan ovia onia aria ea istan a o burg onesia mark any");
  static const auto elements = split_words("ium onium inium orium on ine ite um ogen");
  if (blank == "country") return capitalised(stem(rng) + rng.pick(countries));
  if (blank == "element") return stem(rng) + rng.pick(elements);
  return rng.percent(50) ? stem(rng) : letters(rng);
}

// Two or three characters that transcribe foreign sounds.
std::string chinese_invented(const std::string& blank, SplitMix64& rng) {
  static const auto sounds = split_words(
      "布 洛 维 卡 多 塔 米 萨 尼 拉 格 莫 德 科 纳 索 普 泽 赞 佛 基 丹 波 雷 古 兹 瓦 贡 "
      "斯 罗 利 亚 图 奥 林 特 曼 哈 贝 伦");
  static const auto countries = split_words("国 亚 尼亚 兰 斯坦 维亚 里亚 王国 达 拉");
  static const auto elements = split_words("素 金 石 气 元素");
  std::string word = rng.pick(sounds) + rng.pick(sounds);
  if (rng.percent(30)) word += rng.pick(sounds);
  if (blank == "country") return word + rng.pick(countries);
  if (blank == "element") return word + rng.pick(elements);
  return word;
}

}  // namespace

// ---- By name ------------------------------------------------------------------------------------

Draw row_source(const std::string& name, Language language) {
  if (name == "sum") return sums('+', language);
  if (name == "difference") return sums('-', language);
  if (name == "product") return products(language);
  if (name == "big sum") return pairs(kBelow, 10'000, 0, 2000, true);
  if (name == "big product") return pairs(kLargestFactor + 1, 1000, 3, 100, true);
  if (name == "quotient") return pairs(1, 1000, 1, 100, false);
  throw ValueError(
      fmt::format("rows {}: neither a file that ends in .csv nor one of the sources "
                  "sum, difference, product, big sum, big product, quotient",
                  name));
}

bool is_blank_source(std::string_view blank) {
  return blank == "name" || blank == "country" || blank == "element" || blank == "word";
}

std::string draw_blank(const std::string& blank, const World& world, Language language,
                       SplitMix64& rng) {
  if (blank == "name") {
    const bool english = (language == Language::English) != rng.percent(7);
    return english ? english_name(world, rng) : chinese_name(world, rng);
  }
  return language == Language::English ? english_invented(blank, rng)
                                       : chinese_invented(blank, rng);
}

bool is_kept(std::string_view thing) { return hash(thing) % 8 == 0; }

}  // namespace gradus::support
