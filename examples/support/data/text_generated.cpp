// A grammar of short village stories. A story draws its hero, trade, place, animal, weather and
// numbers once. It tells them in a few sentences, whose form and order vary, and returns to them at
// the end.
#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "examples/support/data/splitmix.h"
#include "examples/support/data/text.h"

namespace gradus::support {
namespace {

struct Hero {
  const char *name, *he, *him, *his;
};
struct Trade {
  const char *name, *makes, *thing, *things;
};

constexpr std::array kHeroes = std::to_array<Hero>(
    {{"Anna", "she", "her", "her"},  {"Ben", "he", "him", "his"},   {"Clara", "she", "her", "her"},
     {"Daniel", "he", "him", "his"}, {"Elsa", "she", "her", "her"}, {"Felix", "he", "him", "his"},
     {"Grace", "she", "her", "her"}, {"Henry", "he", "him", "his"}, {"Ida", "she", "her", "her"},
     {"Jonas", "he", "him", "his"},  {"Kate", "she", "her", "her"}, {"Leo", "he", "him", "his"},
     {"Maria", "she", "her", "her"}, {"Noah", "he", "him", "his"},  {"Olive", "she", "her", "her"},
     {"Peter", "he", "him", "his"},  {"Rosa", "she", "her", "her"}, {"Simon", "he", "him", "his"},
     {"Tilda", "she", "her", "her"}, {"Victor", "he", "him", "his"}});
constexpr std::array kTrades = std::to_array<Trade>({{"baker", "bakes", "loaf", "loaves"},
                                                     {"potter", "turns", "bowl", "bowls"},
                                                     {"weaver", "weaves", "blanket", "blankets"},
                                                     {"carpenter", "builds", "chair", "chairs"},
                                                     {"smith", "forges", "knife", "knives"},
                                                     {"gardener", "grows", "melon", "melons"},
                                                     {"fisher", "catches", "trout", "trout"},
                                                     {"tailor", "sews", "coat", "coats"},
                                                     {"painter", "paints", "picture", "pictures"},
                                                     {"clockmaker", "repairs", "clock", "clocks"}});
constexpr std::array kPlaces = std::to_array<const char*>(
    {"by the river", "on the hill", "near the old mill", "behind the church",
     "at the edge of the forest", "beside the harbour", "across the bridge", "under the castle",
     "next to the school", "on the island"});
constexpr std::array kAnimals =
    std::to_array<const char*>({"grey cat", "brown dog", "white goat", "black horse", "red hen",
                                "lame donkey", "little owl", "wild goose"});
constexpr std::array kWeather =
    std::to_array<const char*>({"it rained", "the sun shone", "snow fell", "a cold wind blew",
                                "fog lay over the fields", "it was very hot"});
constexpr std::array kDays = std::to_array<const char*>(
    {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"});
constexpr std::array kNumbers = std::to_array<const char*>(
    {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
     "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"});

std::string capital(std::string text) {
  if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string counted(size_t n, const Trade& trade) {
  return fmt::format("{} {}", kNumbers[n], n == 1 ? trade.thing : trade.things);
}

/// What stays the same throughout a story.
struct Story {
  Hero hero, guest;
  Trade trade;
  const char *place, *animal, *weather;
  size_t day, made, sold;

  explicit Story(SplitMix64& random) {
    const size_t first = random.below(kHeroes.size());
    hero = kHeroes[first];
    guest = kHeroes[(first + 1 + random.below(kHeroes.size() - 1)) % kHeroes.size()];
    trade = random.pick(kTrades);
    place = random.pick(kPlaces);
    animal = random.pick(kAnimals);
    weather = random.pick(kWeather);
    day = random.below(kDays.size());
    made = 3 + random.below(14);
    sold = 2 + random.below(made - 2);  // so that at least one is left
  }

  std::string who(bool second_form) const {
    return second_form
               ? fmt::format("In a house {} lives a {} named {}.", place, trade.name, hero.name)
               : fmt::format("{} is a {} and lives {}.", hero.name, trade.name, place);
  }
  std::string pet() const {
    return fmt::format("{} has a {} that follows {} everywhere.", capital(hero.he), animal,
                       hero.him);
  }
  std::string work(bool second_form) const {
    return fmt::format("{} {} {} {}.", second_form ? "Every morning" : "On a good day", hero.he,
                       trade.makes, counted(made, trade));
  }
  std::string friendship(bool second_form) const {
    return second_form ? fmt::format("{} is the best friend of {}.", guest.name, hero.name)
                       : fmt::format("{} best friend is {}.", capital(hero.his), guest.name);
  }
  std::string visit(bool second_form) const {
    return fmt::format("On {} {}, and {} came to the house {}. ", kDays[day], weather, guest.name,
                       place) +
           (second_form
                ? fmt::format("\"How many {} can you sell me?\" asked {}. ", trade.things,
                              guest.name)
                : fmt::format("{} asked: \"May I buy {}?\" ", guest.name, counted(sold, trade))) +
           fmt::format("{} gave {} {} of {} {} and kept {}.", hero.name, guest.name, kNumbers[sold],
                       hero.his, counted(made, trade), kNumbers[made - sold]);
  }
  std::string end(bool second_form) const {
    return fmt::format("On {} {} went home with {}. ", kDays[(day + 1) % kDays.size()], guest.name,
                       counted(sold, trade)) +
           (second_form
                ? fmt::format("{} and the {} waved from the house {}.", hero.name, animal, place)
                : fmt::format("The {} slept, and {} the {} was happy.", animal, hero.name,
                              trade.name));
  }
};

std::string tell(SplitMix64& random) {
  const Story story(random);
  const auto coin = [&] { return random.below(2) == 1; };
  std::string text = story.who(coin());
  std::array middle = {story.pet(), story.work(coin()), story.friendship(coin())};
  for (size_t i = middle.size() - 1; i > 0; --i) std::swap(middle[i], middle[random.below(i + 1)]);
  for (const std::string& sentence : middle) text += fmt::format(" {}", sentence);
  text += fmt::format("\n{}", story.visit(coin()));
  text += fmt::format("\n{}\n\n", story.end(coin()));
  return text;
}

}  // namespace

Corpus generated_text(size_t bytes, uint64_t seed) {
  SplitMix64 random(seed);
  Corpus corpus{"generated stories (built in)", "", ""};
  while (corpus.text.size() < bytes) corpus.text += tell(random);
  return corpus;
}

}  // namespace gradus::support
