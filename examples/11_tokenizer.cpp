// 11: A tokenizer. A language model does not see letters: it sees numbers, and somebody has to
// choose them.
//
// A computer's text is bytes. UTF-8 writes "e" as one byte, "é" as two, "你" as three. Bytes would
// do as tokens: there are only 256, and no text is ever unknown. But a line of text is then a
// hundred steps for the model, and attention costs the square of that. Whole words would make texts
// short, but there are millions of words, and the next name is always missing. Byte pair encoding
// (nn/text/bpe.h) lies between the two. It begins with the bytes and repeats
//
//   (a, b) = argmax count(a b)     the most frequent pair of neighbours in the training text
//   vocabulary += ab               and every "a b" in the text becomes "ab"
//
// until the vocabulary is as large as we like. Frequent words end up as one token, rare ones as a
// few pieces, and bytes that never met stay bytes. To encode new text, apply the merges in the
// order in which they were learned. A merge never crosses the border of a word. A digit, or a
// Chinese character, is a word of its own (bpe.h says why).
//
// Look at:  the first merges: which letters does the language put together? The Chinese sample,
//           under a tokenizer trained without Chinese and under one trained with it. What English
//           pays for that.
// Try next: `--text examples/11_tokenizer.cpp`, the source of a program, and then a text in your
//           own language. `--vocab 300` and `--vocab 8000`. `--sample "your name"`. Where would you
//           cut "unhappiness", and where does it?
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "examples/support/chat/dialogues.h"
#include "examples/support/data/datasets.h"
#include "examples/support/run/text_option.h"
#include "examples/support/show/plot.h"
#include "nn/text/bpe.h"
#include "nn/text/utf8.h"

using namespace gradus;
using namespace gradus::support;

namespace {

constexpr const char* kChinese = "今天天气怎么样？我叫李明，你叫什么名字？";
constexpr const char* kSamples[] = {"In the beginning there were 12 unhappy tokenizers.", kChinese,
                                    "naïve café 😀"};

/// How UTF-8 works, in four examples.
void show_bytes() {
  fmt::print("\nCharacters and their bytes in UTF-8\n");
  for (const char* character : {"e", "é", "你", "😀"}) {
    fmt::print("  {}  ", character);
    for (const unsigned char byte : std::string_view(character))
      fmt::print(" {:3} = {:08b}", byte, byte);
    fmt::print("\n");
  }
}

void show_first_merges(const BytePairEncoder& bpe, size_t n) {
  n = std::min(n, bpe.merges().size());
  fmt::print("\nThe first {} merges\n", n);
  for (size_t k = 0; k < n; ++k) {
    const auto [a, b] = bpe.merges()[k];
    const auto id = static_cast<int64_t>(256 + k);
    fmt::print("  {} = {} + {} -> {}\n", id, visible(bpe.token(a)), visible(bpe.token(b)),
               visible(bpe.token(id)));
  }
}

/// The text, its tokens set apart by colour on a terminal, by brackets in a pipe.
std::string marked_tokens(const BytePairEncoder& bpe, std::string_view text, bool terminal) {
  constexpr int kBackgrounds[] = {153, 222, 157, 218, 189};  // pale, from the 256-colour palette
  std::string out;
  size_t i = 0;
  for (const int64_t id : bpe.encode(text)) {
    const std::string token = visible(bpe.token(id));
    out += terminal ? fmt::format("\033[30;48;5;{}m{}\033[0m", kBackgrounds[i++ % 5], token)
                    : fmt::format("[{}]", token);
  }
  return out;
}

double bytes_per_token(const BytePairEncoder& bpe, std::string_view text) {
  return static_cast<double>(text.size()) / static_cast<double>(bpe.encode(text).size());
}

/// The chatbot's generated conversations, one language or both, until they fill `bytes` bytes.
std::string conversations(uint64_t seed, size_t bytes, bool chinese_only) {
  const World world(data_file("world"));
  Talk talk(world, seed);
  std::string text;
  for (int turns = 0; text.size() < bytes; ++turns) {
    if (turns % 10 == 0) talk.restart();
    const Turn turn = talk.next();
    if (!chinese_only || turn.language == Language::Chinese)
      text += turn.user + "\n" + turn.bot + "\n";
  }
  return text;
}

void show_tokens(const BytePairEncoder& bpe, std::string_view text) {
  fmt::print("  {}\n  {} bytes, {:.2f} a token\n", marked_tokens(bpe, text, isatty(STDOUT_FILENO)),
             text.size(), bytes_per_token(bpe, text));
}

/// Bytes per token on text that no tokenizer was trained on, over the size of the vocabulary, for
/// tokenizers that were trained on `train` and on `both`: `train` and conversations.
void compare_sizes(Example& app, std::string_view train, std::string_view both,
                   std::string_view held_out, const std::vector<int64_t>& sizes) {
  const std::string chinese = conversations(app.seed() + 1, 20'000, true);
  std::vector<double> x, text_one, text_both, chinese_one, chinese_both;
  fmt::print(
      "\nBytes per token on held-out text, by what the tokenizer was trained on\n"
      "  vocabulary   text: by text   with conversations   Chinese: by text   with "
      "conversations\n");
  for (const int64_t size : sizes) {
    const auto one = BytePairEncoder::train(train, size), two = BytePairEncoder::train(both, size);
    x.push_back(static_cast<double>(size));
    text_one.push_back(bytes_per_token(one, held_out));
    text_both.push_back(bytes_per_token(two, held_out));
    chinese_one.push_back(bytes_per_token(one, chinese));
    chinese_both.push_back(bytes_per_token(two, chinese));
    fmt::print("  {:10} {:15.3f} {:20.3f} {:18.3f} {:20.3f}\n", size, text_one.back(),
               text_both.back(), chinese_one.back(), chinese_both.back());
  }
  const auto axes = [](const char* title) {
    return Axes{
        .title = title, .x = "tokens in the vocabulary", .y = "bytes per token", .log_x = true};
  };
  save_plot(app.out("bytes_per_token"), {Panel(axes("The text"))
                                             .line("trained on the text", x, text_one)
                                             .line("and conversations", x, text_both),
                                         Panel(axes("Chinese"))
                                             .line("trained on the text", x, chinese_one)
                                             .line("and conversations", x, chinese_both)});
}

/// FNV-1a of the merges: one number that changes if any of them does.
uint64_t fingerprint(const BytePairEncoder& bpe) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const auto& [a, b] : bpe.merges())
    for (const uint64_t value : {static_cast<uint64_t>(a), static_cast<uint64_t>(b)})
      hash = (hash ^ value) * 0x100000001B3u;
  return hash;
}

void check_everything(Example& app, const BytePairEncoder& bpe, std::string_view text) {
  app.verdict(bpe.decode(bpe.encode(text)) == text,
              fmt::format("{} bytes of text come back unchanged", text.size()));
  std::mt19937_64 random(app.seed());
  std::string bytes(100'000, '\0');
  for (char& c : bytes) c = static_cast<char>(random() & 0xFF);
  app.verdict(bpe.decode(bpe.encode(bytes)) == bytes,
              fmt::format("{} random bytes come back unchanged", bytes.size()));
  const auto golden = BytePairEncoder::train(generated_text().text, 1024);
  app.verdict(fingerprint(golden) == 0xBF50B7E734FCEEDDu,
              fmt::format("the merges of the built-in text are those of every machine: {:016x}",
                          fingerprint(golden)));
}

int lesson(Example& app) {
  std::string file, sample;
  int64_t vocab = 1024;
  app.option("--text", file,
             "a file to learn from, plain or gzipped (default: the Bible, if installed)");
  app.option("--sample", sample, "a text to cut into tokens");
  app.option("--vocab", vocab, "tokens in the vocabulary",
             {.fast = 512, .min = 256, .max = BytePairEncoder::kLargestVocabulary});
  app.parse();

  const Corpus corpus = text_to_learn(app, file);
  const auto [train, held_out] = split_corpus(corpus.text);

  show_bytes();
  const auto start = std::chrono::steady_clock::now();
  const auto bpe = BytePairEncoder::train(train, vocab);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print("\n{} merges learned from {} bytes in {:.2f} s\n", bpe.merges().size(), train.size(),
             seconds.count());
  show_first_merges(bpe, 20);

  fmt::print("\nTexts cut into tokens\n");
  std::vector<std::string> samples = {
      std::string(held_out.substr(0, std::min<size_t>(held_out.find('\n', 60), 300)))};
  samples.insert(samples.end(), std::begin(kSamples), std::end(kSamples));
  if (!sample.empty()) samples = {sample};
  for (const std::string& s : samples) show_tokens(bpe, s);
  const std::string both = std::string(train) + conversations(app.seed(), train.size() / 4, false);
  fmt::print("\nThe {}, by a tokenizer that was trained on Chinese conversations too\n",
             sample.empty() ? "Chinese one" : "same");
  show_tokens(BytePairEncoder::train(both, vocab), sample.empty() ? kChinese : sample);

  compare_sizes(app, train, both, held_out,
                app.fast() ? std::vector<int64_t>{256, 512, 1024}
                           : std::vector<int64_t>{256, 512, 1024, 2048, 4096, 8192});
  bpe.save(app.out("tokenizer.json"));
  fmt::print("the tokenizer is in {}\n", app.out("tokenizer.json").string());
  check_everything(app, bpe, corpus.text);
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "11_tokenizer", "bytes, UTF-8 and byte pair encoding", lesson);
}
