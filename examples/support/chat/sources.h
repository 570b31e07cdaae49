#pragma once
// What fills blanks without being written down in a table: numbers and what they add up to, and
// invented names, countries, elements and words. The lesson of numbers is a rule, and that of
// invented words is that only copying helps, or that nobody can know.
#include <string>
#include <string_view>

#include "examples/support/chat/world.h"

namespace gradus::support {

/// Rows of numbers by name. `sum` and `difference` have numbers from 0 to 99, `product` from 0 to
/// 12, with the columns `a` and `b` (digits), `a_words` and `b_words`, and `worked`: "40+30=70,
/// 7+8=15, so 47+38=85", where each step is a table of a hundred entries or a copy. `big sum`,
/// `big product` and `quotient` have `a` and `b` only, for what is not taught. ValueError: there is
/// no source of that name.
Draw row_source(const std::string& name, Language language);

/// Whether {blank} is filled by draw_blank() if nothing else does: name, country, element, word.
bool is_blank_source(std::string_view blank);
/// An invented one. Names are also taken from the lists `given names` and `family names`.
std::string draw_blank(const std::string& blank, const World& world, Language language,
                       SplitMix64& rng);

/// Whether a name, a pair of numbers or an invented word is kept out of training: one in eight, by
/// its letters.
bool is_kept(std::string_view thing);

}  // namespace gradus::support
