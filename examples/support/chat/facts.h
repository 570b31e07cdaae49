#pragma once
// Facts that the chatbot is taught: chemical elements, capitals, opposites, days and months, in
// English and Chinese. Each table is a function in the mathematical sense: a country has one
// capital here, and a word one opposite. So every question has exactly one right answer, and
// answers can be scored by comparing strings.
#include <string>
#include <vector>

namespace gradus::support {

enum class Language { English, Chinese };

struct Element {
  int number;  // of protons
  std::string symbol, english, chinese;
};
/// All 118, in order: elements()[z - 1].number == z.
const std::vector<Element>& elements();
/// The atomic numbers of those that appear in dialogues.
const std::vector<int>& taught_elements();

struct Capital {
  std::string country, city;                  // "France", "Paris"; articles belong to the name
  std::string country_chinese, city_chinese;  // "法国", "巴黎"
};
const std::vector<Capital>& capitals();

struct WordPair {
  std::string first, second;
};
/// Each word stands in one pair only; either is the other's opposite.
const std::vector<WordPair>& opposites(Language language);

/// Monday … Sunday, 星期一 … 星期日.
const std::vector<std::string>& days(Language language);
/// January … December, 一月 … 十二月.
const std::vector<std::string>& months(Language language);
/// first … twelfth.
const std::vector<std::string>& ordinals();
/// "31", … and for February "28 or 29", "28天或29".
std::string days_in_month(int month, Language language);

/// Given names that people really have: written out in English, put together from family and given
/// name in Chinese.
const std::vector<std::string>& english_names();
const std::vector<std::string>& chinese_family_names();
const std::vector<std::string>& chinese_given_characters();

}  // namespace gradus::support
