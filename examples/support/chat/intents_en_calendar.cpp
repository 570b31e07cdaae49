// English: which day or month comes after or before, its number, how many days a month has.
#include "examples/support/chat/intents.h"

namespace gradus::support {
namespace {

constexpr Language kEnglish = Language::English;

// "day" and "month" in the same sentences.
Intent neighbour(const std::string& unit, const std::string& side, const char* training,
                 const char* reserved) {
  const auto& cycle = unit == "day" ? days(kEnglish) : months(kEnglish);
  Intent intent{.skill = "calendar",
                .name = unit + " " + side,
                .split = Split::Combinations,
                .answer = (side == "after" ? "After" : "Before") + std::string(" {a} comes {c}."),
                .phrasings = phrasings(training),
                .reserved = phrasings(reserved),
                .items = neighbour_items(cycle, side == "after" ? 1 : -1),
                .lower_items = true};
  for (auto* list : {&intent.phrasings, &intent.reserved})
    for (std::string& text : *list)
      for (const auto& [blank, word] :
           {std::pair<std::string, std::string>{"UNIT", unit}, {"SIDE", side}})
        for (size_t at; (at = text.find(blank)) != text.npos;) text.replace(at, blank.size(), word);
  return intent;
}

}  // namespace

std::vector<Intent> english_calendar() {
  std::vector<Intent> all;
  const std::string shared = R"(
      what UNIT comes SIDE {a} | which UNIT comes SIDE {a} | what UNIT is SIDE {a} |
      which UNIT is SIDE {a} | what is the UNIT SIDE {a} | what comes SIDE {a} |
      what UNIT do we have SIDE {a} | tell me the UNIT SIDE {a}. | name the UNIT SIDE {a}. |
      SIDE {a} comes what UNIT | name the UNIT that comes SIDE {a}. | which is the UNIT SIDE {a} |
      do you know what UNIT comes SIDE {a})";
  const std::string kept = R"(
      which UNIT do we have SIDE {a} | tell me what UNIT comes SIDE {a}. |
      SIDE {a} comes which UNIT | do you know the UNIT SIDE {a})";
  for (const char* side : {"after", "before"}) {
    const bool after = side == std::string("after");
    all.push_back(neighbour("day", side,
                            (shared + (after ? "| if today is {a}, what day is tomorrow |"
                                               "today is {a}, so which day is tomorrow"
                                             : "| if today is {a}, what day was yesterday |"
                                               "today is {a}, so which day was yesterday"))
                                .c_str(),
                            (kept + (after ? "| if today is {a}, which day is tomorrow"
                                           : "| if today is {a}, which day was yesterday"))
                                .c_str()));
    all.push_back(neighbour("month", side, shared.c_str(), kept.c_str()));
  }
  std::vector<Item> at, number, length;
  for (int m = 1; m <= 12; ++m) {
    const std::string &month = months(kEnglish)[m - 1], digits = std::to_string(m);
    at.push_back({digits, ordinals()[m - 1], month});
    number.push_back({month, "", digits});
    length.push_back({month, "", days_in_month(m, kEnglish)});
  }
  all.push_back({.skill = "calendar",
                 .name = "month at",
                 .split = Split::Combinations,
                 .answer = "Month {a} is {c}.",
                 .phrasings = phrasings(R"(
      which month is number {a} | what is month {a} | what is the {b} month |
      what month is number {a} | which month is the {b} of the year |
      what is the {b} month of the year | name month {a}. | which is the {b} month |
      what is month number {a} | tell me the {b} month. | name the {b} month of the year. |
      which month has the number {a} | which is month {a})"),
                 .reserved = phrasings(R"(
      which is the {b} month of the year | what month has the number {a} | name the {b} month. |
      which is month number {a})"),
                 .items = at});
  all.push_back({.skill = "calendar",
                 .name = "month number",
                 .split = Split::Combinations,
                 .answer = "{a} is month {c}.",
                 .phrasings = phrasings(R"(
      which number does {a} have | what number is {a} | what number is the month {a} |
      which month of the year is {a} | what is the number of {a} | {a} is which month of the year |
      what number does {a} have | tell me the number of {a}. | what is the number of the month {a} |
      what month number is {a} | {a} is what number)"),
                 .reserved = phrasings(R"(
      which number is {a} | what month of the year is {a} | which number does the month {a} have |
      tell me the number of the month {a}.)"),
                 .items = number,
                 .lower_items = true});
  all.push_back({.skill = "calendar",
                 .name = "month length",
                 .split = Split::Combinations,
                 .answer = "{a} has {c} days.",
                 .phrasings = phrasings(R"(
      how many days does {a} have | how many days are in {a} | how many days has {a} |
      how long is {a} | how many days are there in {a} | tell me how many days {a} has. |
      {a} has how many days | how many days are in the month {a} | how many days long is {a} |
      how long is the month {a} | do you know how many days {a} has)"),
                 .reserved = phrasings(R"(
      how many days has the month {a} | do you know how long {a} is |
      tell me how many days are in {a}. | how many days does the month {a} have)"),
                 .items = length,
                 .lower_items = true});
  return all;
}

}  // namespace gradus::support
