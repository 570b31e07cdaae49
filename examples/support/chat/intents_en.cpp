// English: names, elements, capitals, sums, opposites, and what nobody can know.
#include "examples/support/chat/intents.h"

namespace gradus::support {
namespace {

constexpr Language kEnglish = Language::English;

void add_names(std::vector<Intent>& all) {
  all.push_back({.skill = "name",
                 .name = "tell",
                 .frame = Frame::Statement,
                 .split = Split::Items,
                 .answer = "Nice to meet you, {a}.",
                 .phrasings = phrasings(R"(
      my name is {a} | I am {a} | I'm {a} | call me {a} | you can call me {a} | people call me {a} |
      my friends call me {a} | the name is {a} | this is {a} | I am called {a} | {a} is my name |
      please call me {a} | {a} is what you can call me)"),
                 .reserved = phrasings(R"(
      my friends can call me {a} | people can call me {a} | this is my name: {a} |
      {a} is what people call me)"),
                 .draw = draw_english_name});
  all.push_back({.skill = "name",
                 .name = "recall",
                 .frame = Frame::Chat,
                 .answer = "Your name is {a}.",
                 .phrasings = phrasings(R"(
      what is my name | what's my name | who am I | do you know my name | do you remember my name |
      what am I called | tell me my name. | say my name. | what was my name | can you say my name |
      do you still know my name | can you remember my name | can you tell me who I am |
      what did I say my name was | what name did I tell you | do you remember who I am)"),
                 .reserved = phrasings(R"(
      do you still remember my name | can you tell me my name | do you know who I am |
      can you remember who I am | tell me who I am.)")});
}

Intent element(const char* name, ElementQuestion asked, const char* answer, const char* training,
               const char* reserved) {
  return {.skill = "element",
          .name = name,
          .split = Split::Combinations,
          .answer = answer,
          .phrasings = phrasings(training),
          .reserved = phrasings(reserved),
          .items = element_items(kEnglish, asked)};
}

void add_elements(std::vector<Intent>& all) {
  all.push_back(element("symbol of", ElementQuestion::SymbolOf, "The symbol of {a} is {c}.", R"(
      what is the symbol of {a} | what is the symbol for {a} | what is the chemical symbol of {a} |
      what is the chemical symbol for {a} | which symbol does {a} have | what symbol does {a} have |
      what's the symbol of {a} | which symbol stands for {a} | give me the symbol of {a}. |
      tell me the chemical symbol of {a}. | do you know the symbol of {a} | symbol of {a} |
      do you know the chemical symbol of {a} | tell me the symbol for {a}.)",
                        R"(which chemical symbol does {a} have | what symbol stands for {a} |
      give me the chemical symbol for {a}. | do you know the symbol for {a})"));
  all.push_back(element("name of", ElementQuestion::NameOf, "{a} is the symbol of {c}.", R"(
      which element has the symbol {a} | which element is {a} | what element is {a} |
      what does {a} stand for | what does the symbol {a} mean |
      name the element with the symbol {a}. | what element has the symbol {a} |
      which chemical element has the symbol {a} | {a} is the symbol of which element |
      what does the chemical symbol {a} stand for | tell me which element has the symbol {a}. |
      {a} is which element | {a} stands for which element | tell me what {a} stands for.)",
                        R"(what does the symbol {a} stand for | which chemical element is {a} |
      {a} is the chemical symbol of which element | tell me which element {a} is.)"));
  all.push_back(
      element("number of", ElementQuestion::NumberOf, "The atomic number of {a} is {c}.", R"(
      what is the atomic number of {a} | what's the atomic number of {a} |
      how many protons has {a} | how many protons does {a} have |
      what atomic number does {a} have | atomic number of {a} |
      what number is {a} in the periodic table | how many protons are in {a} |
      give me the atomic number of {a}. | tell me the atomic number of {a}. |
      do you know the atomic number of {a} | what number does {a} have in the periodic table |
      what number is the element {a} | tell me how many protons {a} has.)",
              R"(which atomic number does {a} have | how many protons has the element {a} |
      do you know how many protons {a} has | tell me how many protons are in {a}.)"));
  all.push_back(element("at number", ElementQuestion::AtNumber, "Element {a} is {c}.", R"(
      which element has the atomic number {a} | what is element {a} | which element has number {a} |
      which element has {a} protons | what element has atomic number {a} |
      what is element number {a} | which element is number {a} in the periodic table |
      name element {a}. | name the element with {a} protons. | what element has {a} protons |
      name the element with the atomic number {a}. | which is element number {a} |
      tell me what element {a} is. | which element is at number {a})",
                        R"(what is the element with {a} protons | which element has the number {a} |
      what element is number {a} in the periodic table | name element number {a}.)"));
}

void add_capitals(std::vector<Intent>& all) {
  all.push_back({.skill = "capital",
                 .name = "capital of",
                 .split = Split::Combinations,
                 .answer = "The capital of {a} is {c}.",
                 .phrasings = phrasings(R"(
      what is the capital of {a} | what's the capital of {a} | which city is the capital of {a} |
      what is {a}'s capital | what is the capital city of {a} | tell me the capital of {a}. |
      name the capital of {a}. | do you know the capital of {a} | give me {a}'s capital. |
      what is the name of the capital of {a} | what city is the capital of {a} | capital of {a} |
      which capital does {a} have | do you know what the capital of {a} is)"),
                 .reserved = phrasings(R"(
      which city is {a}'s capital | name the capital city of {a}. | which is the capital of {a} |
      do you know {a}'s capital | what capital does {a} have)"),
                 .items = capital_items(kEnglish, true),
                 .lower_items = true});
  all.push_back({.skill = "capital",
                 .name = "country of",
                 .split = Split::Combinations,
                 .answer = "{a} is the capital of {c}.",
                 .phrasings = phrasings(R"(
      which country has the capital {a} | {a} is the capital of which country |
      what country is {a} the capital of | of which country is {a} the capital |
      which country is {a} the capital of | which country's capital is {a} |
      {a} is the capital of what country | name the country whose capital is {a}. |
      tell me which country has the capital {a}. | what country has {a} as its capital |
      do you know which country {a} is the capital of | {a} is which country's capital)"),
                 .reserved = phrasings(R"(
      what country has the capital {a} | which country has {a} as its capital |
      of what country is {a} the capital | tell me which country {a} is the capital of. |
      what country's capital is {a})"),
                 .items = capital_items(kEnglish, false),
                 .lower_items = true});
}

void add_sums(std::vector<Intent>& all) {
  all.push_back({.skill = "sum",
                 .name = "sum",
                 .split = Split::Items,
                 .answer = "{c}.",
                 .phrasings = phrasings(R"(
      what is {a} plus {b} | what is {a} + {b} | {a} + {b} | {a} plus {b} |
      how much is {a} plus {b} | how much is {a} + {b} | what is the sum of {a} and {b} |
      add {a} and {b}. | what do {a} and {b} make | calculate {a} + {b}. | can you add {a} and {b} |
      what do you get if you add {a} and {b} | what's {a} plus {b} | compute {a} plus {b}. |
      tell me the sum of {a} and {b}. | can you calculate {a} + {b})"),
                 .reserved = phrasings(R"(
      how much is the sum of {a} and {b} | calculate {a} plus {b}. | what's {a} + {b} |
      can you calculate {a} plus {b} | compute the sum of {a} and {b}.)"),
                 .items = sum_items(kEnglish)});
  all.push_back({.skill = "difference",
                 .name = "difference",
                 .split = Split::Items,
                 .answer = "{c}.",
                 .phrasings = phrasings(R"(
      what is {a} minus {b} | what is {a} - {b} | {a} - {b} | {a} minus {b} |
      how much is {a} minus {b} | how much is {a} - {b} | subtract {b} from {a}. |
      take {b} from {a}. | what is left if you take {b} from {a} | calculate {a} - {b}. |
      compute {a} minus {b}. | what's {a} minus {b} | can you subtract {b} from {a} |
      can you calculate {a} - {b} | what do you get if you take {b} from {a})"),
                 .reserved = phrasings(R"(
      calculate {a} minus {b}. | what's {a} - {b} | can you take {b} from {a} |
      what do you get if you subtract {b} from {a} | can you calculate {a} minus {b})"),
                 .items = difference_items(kEnglish)});
}

void add_opposites(std::vector<Intent>& all) {
  all.push_back({.skill = "opposite",
                 .name = "opposite",
                 .split = Split::Combinations,
                 .answer = "The opposite of {a} is {c}.",
                 .phrasings = phrasings(R"(
      what is the opposite of {a} | what's the opposite of {a} | which word is the opposite of {a} |
      what word means the opposite of {a} | tell me the opposite of {a}. | opposite of {a} |
      give me the opposite of {a}. | the opposite of {a} is what | name the opposite of {a}. |
      do you know the opposite of {a} | which word means the opposite of {a} |
      find the opposite of {a}. | can you give me the opposite of {a} |
      find a word that means the opposite of {a}. |
      do you know which word is the opposite of {a})"),
                 .reserved = phrasings(R"(
      what word is the opposite of {a} | can you tell me the opposite of {a} |
      do you know a word that means the opposite of {a} |
      give me a word that means the opposite of {a}. | can you find the opposite of {a})"),
                 .items = opposite_items(kEnglish)});
}

Intent unknown(const char* name, std::vector<Item> items, const char* training,
               const char* reserved) {
  return {.skill = "unknown",
          .name = name,
          .split = Split::Combinations,
          .answer = "I don't know.",
          .phrasings = phrasings(training),
          .reserved = phrasings(reserved),
          .items = std::move(items)};
}

void add_unknown(std::vector<Intent>& all) {
  add_unknown_twins(all, "I don't know.", "I don't know your name yet.", draw_english_country,
                    draw_english_element);
  all.push_back(unknown("lost things",
                        crossed_items("keys|glasses|shoes|gloves|books|socks|tickets|pens|letters"),
                        R"(
      where are my {a} | do you know where my {a} are | where did I put my {a} |
      where did I leave my {a} | can you tell me where my {a} are | do you know where I put my {a} |
      can you find my {a} | tell me where my {a} are. |
      where have I left my {a})",
                        R"(can you tell me where I put my {a} | do you know where I left my {a} |
      can you tell me where I left my {a} | tell me where I put my {a}.)"));
  all.push_back(unknown("private",
                        crossed_items("phone number|address|password|lucky number|shoe size|"
                                      "house number|bank account|secret|birthday"),
                        R"(
      what is my {a} | what's my {a} | do you know my {a} | tell me my {a}. | can you guess my {a} |
      can you tell me my {a} | do you know what my {a} is | guess my {a}. |
      do you remember my {a})",
                        R"(can you tell me what my {a} is | can you guess what my {a} is |
      tell me what my {a} is. | guess what my {a} is.)"));
  constexpr const char* kTimes =
      "tomorrow|tonight|next week|next month|next year|on Sunday|on Monday|this weekend";
  all.push_back(unknown("winner", crossed_items("match|race|election|game|lottery|final", kTimes),
                        R"(
      who will win the {a} {b} | who wins the {a} {b} | do you know who will win the {a} {b} |
      tell me who will win the {a} {b}. | who is going to win the {a} {b} |
      can you tell me who will win the {a} {b} | guess who will win the {a} {b}.)",
                        R"(do you know who wins the {a} {b} | tell me who wins the {a} {b}. |
      do you know who is going to win the {a} {b} | can you tell me who wins the {a} {b})"));
  all.push_back(
      unknown("lottery numbers", crossed_items(kTimes), R"(
      what are the lottery numbers {a} | which numbers will win the lottery {a} |
      tell me the lottery numbers for the draw {a}. | what numbers will win {a} |
      do you know the lottery numbers {a} | which numbers will be drawn {a} |
      what will the lottery numbers be {a})",
              R"(what numbers will win the lottery {a} | which lottery numbers will win {a} |
      do you know which numbers will win {a} | tell me which numbers will win the lottery {a}.)"));
  all.push_back(unknown("past",
                        crossed_items("eat|buy|read|drink|dream|write|see|cook",
                                      "yesterday|last night|this morning|last week|on Monday|"
                                      "on Sunday|last year"),
                        R"(
      what did I {a} {b} | do you know what I did {b} | can you guess what I did {b} |
      what did I do {b} | {b}, what did I {a} | guess what I did {b}. |
      can you tell me what I did {b})",
                        R"(tell me what I did {b}. | {b}, what did I do |
      do you remember what I did {b} | can you remember what I did {b})"));
}

}  // namespace

std::vector<Intent> english_skills() {
  std::vector<Intent> all;
  add_names(all);
  add_elements(all);
  add_capitals(all);
  add_sums(all);
  add_opposites(all);
  for (Intent& intent : english_calendar()) all.push_back(std::move(intent));
  add_unknown(all);
  return all;
}

}  // namespace gradus::support
