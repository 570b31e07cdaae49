#include "examples/support/data/text.h"

#include <sys/wait.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "examples/support/data/gzip.h"
#include "tensor/error.h"

namespace gradus::support {
namespace {

constexpr const char* kJargonPath = "/usr/share/doc/jargon-text/jargon.txt.gz";
constexpr int64_t kBibleVerses = 31102;

/// What a command prints, and its exit status. Never called with text from outside.
std::pair<std::string, int> output_and_status(const char* command) {
  std::string output;
  FILE* pipe = popen(command, "r");
  check<IoError>(pipe != nullptr, "cannot start '{}'", command);
  std::array<char, 1 << 16> buffer;
  while (const size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), n);
  const int status = pclose(pipe);
  return {output, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

/// Turns "Ge1:31 And God saw …\nGe2:1 Thus the heavens …" into the bare verses, with an empty line
/// between chapters.
std::string without_references(std::string_view listing, int64_t& verses) {
  std::string text, chapter;
  verses = 0;
  for (size_t start = 0, end = 0; start < listing.size(); start = end + 1) {
    end = std::min(listing.find('\n', start), listing.size());
    const std::string_view line = listing.substr(start, end - start);
    const size_t colon = line.find(':'), space = line.find(' ');
    if (space == std::string_view::npos || colon > space) continue;
    if (chapter != line.substr(0, colon)) {
      if (!text.empty()) text += '\n';
      chapter = line.substr(0, colon);
    }
    text += line.substr(space + 1);
    text += '\n';
    ++verses;
  }
  return text;
}

/// Removes a byte order mark and ends every line in LF. The note says what was changed.
void normalise(Corpus& corpus, const std::string& path) {
  std::string& text = corpus.text;
  check<IoError>(!text.starts_with("\xFF\xFE") && !text.starts_with("\xFE\xFF"),
                 "load_text: '{}' is UTF-16, not UTF-8; convert it: iconv -f UTF-16 -t UTF-8",
                 path);
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.erase(0, 3);
    corpus.note = "left out: a byte order mark";
  }
  if (text.find('\r') == text.npos) return;
  size_t end = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool before_lf = i + 1 < text.size() && text[i + 1] == '\n';
    if (text[i] != '\r')
      text[end++] = text[i];
    else if (!before_lf)
      text[end++] = '\n';
  }
  text.resize(end);
  corpus.note += corpus.note.empty() ? "" : "; ";
  corpus.note += "its CR or CR LF line ends were read as LF";
}

}  // namespace

Corpus load_text(const std::string& path) {
  Corpus corpus{fmt::format("the file {}", path), read_unpacked(path), ""};
  normalise(corpus, path);
  check<IoError>(!corpus.text.empty(), "load_text: '{}' is empty; a model needs some text", path);
  return corpus;
}

Corpus bible_text() {
  const auto [listing, status] =
      output_and_status("bible -f gen1:1-rev22:21 </dev/null 2>/dev/null");
  int64_t verses = 0;
  Corpus corpus{"the King James Bible (Debian's bible-kjv)", without_references(listing, verses),
                ""};
  check<IoError>(
      status == 0 && verses == kBibleVerses,
      "bible_text: the program `bible` exited with status {} and printed {} of {} verses; install "
      "it with: apt install bible-kjv",
      status, verses, kBibleVerses);
  return corpus;
}

Corpus jargon_text() {
  try {
    return {"the Jargon File (Debian's jargon-text)", load_text(kJargonPath).text, ""};
  } catch (const IoError& e) {
    throw IoError(
        fmt::format("jargon_text: {}; install it with: apt install jargon-text", e.what()));
  }
}

Corpus default_corpus() {
  std::string missing;
  for (const auto source : {bible_text, jargon_text}) {
    try {
      Corpus corpus = source();
      corpus.note = missing;
      return corpus;
    } catch (const IoError& e) {
      missing += missing.empty() ? "" : "\n";
      missing += e.what();
    }
  }
  Corpus corpus = generated_text();
  corpus.note = missing;
  return corpus;
}

std::string fingerprint(std::string_view text) {
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size());
  return fmt::format("{} bytes, CRC-32 {:08x}", text.size(), crc);
}

TrainValidation split_corpus(std::string_view text, double fraction) {
  check<ValueError>(fraction > 0 && fraction < 1,
                    "split_corpus: the fraction {} is not between 0 and 1; try 0.1", fraction);
  const auto size = static_cast<double>(text.size());
  auto cut = static_cast<size_t>(size * (1 - fraction));
  const size_t farthest_cut = cut + static_cast<size_t>(size * fraction / 10);
  const size_t newline = text.find('\n', cut);
  if (newline <= farthest_cut && newline + 1 < text.size()) {
    cut = newline + 1;
  } else {
    const auto inside_character = [&] {
      return (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80;
    };
    while (cut < text.size() && inside_character()) ++cut;
  }
  check<ValueError>(
      cut > 0 && cut < text.size(),
      "split_corpus: {} bytes are too few for a training and a validation part; give more "
      "text",
      text.size());
  return {text.substr(0, cut), text.substr(cut)};
}

std::string first_words(std::string_view text) {
  constexpr size_t kBytes = 12;
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == text.npos) return std::string(text.substr(0, 1));
  text.remove_prefix(start);
  size_t end = std::min(text.find_first_of("\r\n"), text.size());
  if (end > kBytes) {
    const size_t space = text.rfind(' ', kBytes);
    end = space != text.npos && space > 0 ? space : kBytes;
    while (end > 1 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end;  // a whole character
  }
  return std::string(text.substr(0, end));
}

}  // namespace gradus::support
