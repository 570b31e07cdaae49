#pragma once
// Texts for a language model to read: any file, two free texts that Debian packages, or a small
// generated one that is always there. A corpus is split once, by position: the last tenth is for
// validation. Shuffling the sentences first would leak, because a text mostly repeats what is close
// by.
#include <cstdint>
#include <string>
#include <string_view>

namespace gradus::support {

struct Corpus {
  std::string name;  // for people: "the King James Bible (Debian's bible-kjv)"
  std::string text;  // UTF-8 if its source is
  std::string note;  // what was changed, or which texts are missing; may be empty

  size_t bytes() const { return text.size(); }
};

/// The file at `path`, plain or gzipped. A byte order mark is left out, and line ends become LF.
/// Throws IoError if the file cannot be read, is empty, or is UTF-16.
Corpus load_text(const std::string& path);

/// The King James Bible: 4.1 MB, one verse a line, an empty line between chapters. Debian's package
/// bible-kjv has a program, `bible`, that prints it. Throws IoError, which names the package, if it
/// is not installed.
Corpus bible_text();

/// The Jargon File, the hackers' dictionary: 1.7 MB, from Debian's package jargon-text. Throws
/// IoError, which names the package, if it is not installed.
Corpus jargon_text();

/// About `bytes` bytes of simple English stories from a grammar of our own. The same seed gives the
/// same bytes everywhere. Each story keeps its names, places and numbers and returns to them at the
/// end, so that a model that looks far back can beat one that sees only the last three tokens.
Corpus generated_text(size_t bytes = 200'000, uint64_t seed = 1);

/// The first of these that is available: the Bible, the Jargon File, the generated text. The note
/// says what is missing.
Corpus default_corpus();

/// Identifies a text in a checkpoint: "4047392 bytes, CRC-32 1a2b3c4d".
std::string fingerprint(std::string_view text);

struct TrainValidation {
  std::string_view train, validation;
};
/// Cuts `text` in two. The second part has about `fraction` of the bytes. The cut is at the end of
/// a line or, in a text with few lines, between two characters. The views point into `text`. Throws
/// ValueError if `fraction` is not inside (0, 1) or the text is too short for two parts.
TrainValidation split_corpus(std::string_view text, double fraction = 0.1);

/// How `text` begins: its first words, in about a dozen bytes. To see what a model has learned, let
/// it continue them.
std::string first_words(std::string_view text);

}  // namespace gradus::support
