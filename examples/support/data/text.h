#pragma once
// Where the text that a language model reads comes from: any file, two free texts that Debian
// packages, or a small generated one that needs neither. A corpus is split once, by position: the
// last tenth is for validation. Shuffled sentences would leak: a text repeats itself most of all
// close by.
#include <cstdint>
#include <string>
#include <string_view>

namespace gradus::support {

struct Corpus {
  std::string name;  // for people: "the King James Bible (Debian's bible-kjv)"
  std::string text;  // UTF-8, if its source is
  std::string note;  // what else there is and how to get it; may be empty

  size_t bytes() const { return text.size(); }
};

/// The file at `path`, plain or gzipped, with LF at the end of its lines and without a byte order mark. Throws
/// IoError if it cannot be read, is empty, or is UTF-16.
Corpus load_text(const std::string& path);

/// The King James Bible, 4.1 MB, one verse a line, an empty line between chapters. Debian's package
/// bible-kjv stores it compressed; its program `bible` prints it. Throws IoError, naming the
/// package.
Corpus bible_text();

/// The Jargon File, 1.7 MB: the hackers' dictionary, from Debian's package jargon-text. Throws
/// IoError.
Corpus jargon_text();

/// About `bytes` bytes of simple English stories from a grammar of our own; the same bytes for the
/// same seed everywhere. Each story keeps its names, places and numbers and comes back to them at
/// its end, so that a model that looks far back can beat one that sees only the last three tokens.
Corpus generated_text(size_t bytes = 200'000, uint64_t seed = 1);

/// The best text of those that are installed: Bible, Jargon File, generated; `note` names what is
/// missing.
Corpus default_corpus();

/// What tells one text from another in a checkpoint: "4047392 bytes, CRC-32 1a2b3c4d".
std::string fingerprint(std::string_view text);

struct TrainValidation {
  std::string_view train, validation;
};
/// The first and the last part of `text`, the last about `fraction` of its bytes, cut after a
/// line's end or, in a text of few lines, between two characters. The views point into `text`.
/// Throws ValueError if `fraction` is not inside (0, 1) or the text is too short for two parts.
TrainValidation split_corpus(std::string_view text, double fraction = 0.1);

/// How `text` begins: its first words, in about a dozen bytes. To see what a model has learned, let
/// it continue them.
std::string first_words(std::string_view text);

}  // namespace gradus::support
