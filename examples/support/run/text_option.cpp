#include "examples/support/run/text_option.h"

#include <fmt/format.h>

#include "nn/text/utf8.h"

namespace gradus::support {

static Corpus chosen(const Example& app, const std::string& file) {
  if (!file.empty()) return load_text(file);
  return app.fast() ? generated_text() : default_corpus();
}

Corpus text_to_learn(const Example& app, const std::string& file) {
  Corpus corpus = chosen(app, file);
  fmt::print("text: {}, {} bytes\n", printable(corpus.name), corpus.bytes());
  if (!corpus.note.empty()) fmt::print("{}\n", corpus.note);
  return corpus;
}

}  // namespace gradus::support
