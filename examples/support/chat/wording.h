#pragma once
// How people type a sentence: with "please" or "hi" around it, in small letters or in CAPITALS,
// without a question mark, with a typing mistake, quotes or a smiley. The rules are the same for
// all intents, so that every intent is met in every form.
#include "examples/support/chat/world.h"

namespace gradus::support {

/// The pieces of a sentence, blanks filled, as somebody might type them.
std::string typed(std::vector<Pattern::Piece> pieces, Frame frame, const World& world,
                  Language language, SplitMix64& rng);

/// The same without any of that: capital letter, the usual mark at the end.
std::string plain(const std::vector<Pattern::Piece>& pieces, Frame frame, Language language);

}  // namespace gradus::support
