// What a language model is trained and measured with, on models whose answers are known.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "examples/support/data/text.h"
#include "examples/support/run/loss_curve.h"
#include "nn/models/language_model.h"
#include "nn/text/utf8.h"
#include "tensor/raw.h"
#include "tests/scratch.h"

using namespace gradus;
using namespace gradus::support;

namespace {

constexpr int64_t kVocabulary = 11, kContext = 8;

Gpt untrained() {
  manual_seed(3);
  return Gpt({kVocabulary, kContext, 2, 2, 16});
}
TokenStream stream(int64_t n) {
  TokenStream text{{}, static_cast<size_t>(3 * n)};
  for (int64_t i = 0; i < n; ++i) text.ids.push_back((i * i + 3 * i) % kVocabulary);
  return text;
}

}  // namespace

TEST_CASE("language model: a window's targets are its tokens, one place on") {
  const TokenStream text = stream(40);
  const auto [x, y] = random_windows(text, 64, kContext, 5, 9);
  REQUIRE(x.shape() == Shape{64, kContext});
  REQUIRE(y.shape() == x.shape());
  const std::vector<int64_t> a = x.to_vector<int64_t>(), b = y.to_vector<int64_t>();
  for (int64_t row = 0; row < 64; ++row)
    for (int64_t t = 0; t + 1 < kContext; ++t)
      CHECK(b[row * kContext + t] == a[row * kContext + t + 1]);
  CHECK(random_windows(text, 64, kContext, 5, 9).first.to_vector<int64_t>() == a);
  CHECK(random_windows(text, 64, kContext, 5, 10).first.to_vector<int64_t>() != a);
  CHECK(random_windows(text, 64, kContext, 6, 9).first.to_vector<int64_t>() != a);
}

TEST_CASE("language model: the shortest text has one window; a shorter one is refused") {
  const TokenStream text = stream(kContext + 1);
  const auto [x, y] = random_windows(text, 3, kContext, 1, 1);
  CHECK(y.to_vector<int64_t>().back() == text.ids.back());
  CHECK_THROWS_AS(random_windows(stream(kContext), 3, kContext, 1, 1), ValueError);
}

TEST_CASE("language model: a model that knows nothing pays log2 V bits for each token") {
  const Gpt model = untrained();
  raw::fill_(model.wte.weight, 0);  // every logit is 0
  for (const int64_t n : {2, 7, 8, 9, 10, 13, 33, 40}) {
    CAPTURE(n);
    const TokenStream text = stream(n);
    const double bits = static_cast<double>(n) * std::log2(static_cast<double>(kVocabulary));
    CHECK(bits_per_byte(model, text) ==
          doctest::Approx(bits / static_cast<double>(text.bytes)).epsilon(1e-6));
  }
}

TEST_CASE("language model: each token is priced once, from at least half a context before it") {
  const Gpt model = untrained();
  const TokenStream text = stream(30);
  double nats = std::log(static_cast<double>(kVocabulary));
  NoGrad guard;
  for (int64_t i = 1; i < 30; ++i) {
    // The windows begin at 0, and then at every fourth token: the one at 0 prices tokens 1 to 8,
    // the one at 4 prices 9 to 12, and so on.
    const int64_t start = i <= kContext ? 0 : (i - 1) / 4 * 4 - 4;
    const std::vector<int64_t> past(text.ids.begin() + start, text.ids.begin() + i);
    const Tensor logits = model(tensor(past, {1, i - start}));
    const Tensor last = select(select(logits, 0, 0), 0, -1);
    nats -= select(log_softmax(last), 0, text.ids[i]).item();
  }
  CHECK(bits_per_byte(model, text) ==
        doctest::Approx(nats / std::log(2.0) / static_cast<double>(text.bytes)).epsilon(1e-5));
}

TEST_CASE("language model: the first words of a text are whole words, or whole characters") {
  CHECK(first_words("In the beginning God created") == "In the");
  CHECK(first_words("\n\n  Short\nlines") == "Short");
  CHECK(first_words("起初神创造天地") == "起初神创");
  CHECK(first_words("supercalifragilistic") == "supercalifra");
  CHECK(first_words(" \n\n") == " ");
}

TEST_CASE("language model: a loss curve comes back from its text") {
  LossCurve curve{.steps = {10, 20}, .training = {3.25, 1 / 3.0}, .validation = {3.5, 2}};
  for (const double loss : {1.0, 1 / 3.0}) curve.add(loss);
  const LossCurve back = LossCurve::from_text(curve.text());
  CHECK(back.steps == curve.steps);
  CHECK(back.training == curve.training);
  CHECK(back.validation == curve.validation);
  CHECK(back.recent() == curve.recent());
  curve.add_point(30, 1);
  CHECK(curve.training.back() == back.recent());
  CHECK(curve.added == 0);
  CHECK(LossCurve::from_text("0 0\n1 2 3\n4 five 6\n7 8 9").steps == std::vector<double>{1});
}

TEST_CASE("language model: validation that rises while training falls is overfitting") {
  LossCurve curve{.steps = {1, 2, 3, 4}, .training = {9, 5, 4, 3}, .validation = {9, 6, 7, 6.5}};
  CHECK(curve.best() == 1);
  CHECK(curve.overfits(1));
  CHECK(curve.overfits(2));
  CHECK_FALSE(curve.overfits(3));  // it may still get better
  CHECK_FALSE(curve.overfits(0));  // nobody asked
  curve.training.back() = 5.5;     // a step gone wrong: both losses rose
  CHECK_FALSE(curve.overfits(2));
  curve.validation.back() = 5;
  CHECK(curve.best() == 3);
  CHECK_FALSE(curve.overfits(1));
  CHECK_FALSE(LossCurve().overfits(1));
}

TEST_CASE("language model: excerpts come from all over a text, and know their bytes") {
  const BytePairEncoder tokenizer = BytePairEncoder::train("", 256);
  std::string text;
  for (int i = 0; i < 3200; ++i) text += static_cast<char>('!' + i / 100);  // 32 letters
  const TokenStream whole = tokenize(tokenizer, text);
  const TokenStream sample = excerpts(tokenizer, whole, 64);
  CHECK(sample.bytes == 64);
  for (int64_t i = 0; i < 32; ++i)
    CHECK(tokenizer.token(sample.ids[2 * i]) == std::string(1, static_cast<char>('!' + i)));
  CHECK(excerpts(tokenizer, whole, 3200).ids == whole.ids);
  CHECK(excerpts(tokenizer, whole, 3201).bytes == 3200);
}

namespace {

LanguageModel small_writer() {
  const BytePairEncoder tokenizer = BytePairEncoder::train("how are you? 你好", 256);
  manual_seed(4);
  LanguageModel model{tokenizer, Gpt({tokenizer.size(), 24, 1, 2, 16})};
  model.gpt.eval();
  return model;
}

}  // namespace

TEST_CASE("language model: it continues the prompt, also past the end of its context") {
  const LanguageModel model = small_writer();
  const auto written = [&](const std::string& prompt, int64_t length, uint64_t seed) {
    Generator generator(seed);
    return model.generate(prompt, length, {}, generator);
  };
  const std::string text = written("how ", 6, 1);
  CHECK(text.starts_with("how "));
  CHECK(is_utf8(text));
  CHECK(text == written("how ", 6, 1));
  CHECK(text != written("how ", 6, 2));
  CHECK(written("how ", 0, 1) == "how ");
  for (const int64_t length : {1, 20, 24, 100}) {
    CAPTURE(length);
    const std::string prompt(50, 'x');  // twice the context
    Generator generator(1);
    const std::vector<int64_t> ids =
        model.gpt.generate(model.tokenizer.encode(prompt), length, {}, generator);
    CHECK(std::ssize(ids) == length);
    CHECK(written(prompt, length, 1).starts_with(prompt));
  }
  CHECK_THROWS_WITH_AS(written("", 3, 1), doctest::Contains("the prompt is empty"), ValueError);
  CHECK_THROWS_AS(model.gpt.generate({}, 3), ValueError);
}

TEST_CASE("gpt: generate writes what whole forwards write, from the last half context if need be") {
  const Gpt gpt = untrained();
  const NoGrad guard;
  std::vector<int64_t> text = {3, 1, 4}, window = text;
  const SamplingOptions greedy{.temperature = 0, .repetition_penalty = 1.5};
  for (int i = 0; i < 20; ++i) {
    if (std::ssize(window) > kContext) window.assign(text.end() - kContext / 2, text.end());
    const Tensor logits = gpt(tensor(window, {1, std::ssize(window)}));
    text.push_back(sample(select(logits, 1, -1), greedy, text));
    window.push_back(text.back());
  }
  std::vector<int64_t> heard;
  CHECK(gpt.generate({3, 1, 4}, 20, greedy) == std::vector(text.begin() + 3, text.end()));
  const auto stop_at_five = [&](int64_t id) {
    heard.push_back(id);
    return heard.size() < 5;
  };
  CHECK(gpt.generate({3, 1, 4}, 20, greedy, default_generator(), stop_at_five) == heard);
  CHECK(heard == std::vector(text.begin() + 3, text.begin() + 8));
}

TEST_CASE("language model: a file holds model and tokenizer; two that differ are refused") {
  const Scratch folder;
  const std::string path = folder / "model.safetensors";
  const LanguageModel model = small_writer();
  save_checkpoint(path, {.model = model.gpt.state_dict(), .metadata = to_metadata(model)});
  const LanguageModel again = load_language_model(path);
  CHECK_FALSE(again.gpt.training());
  Generator first(1), second(1);
  CHECK(again.generate("how ", 20, {}, first) == model.generate("how ", 20, {}, second));

  Metadata other = to_metadata(model);
  other["tokenizer"] = BytePairEncoder::train("how are you? how are you?", 258).to_json();
  save_checkpoint(path, {.model = model.gpt.state_dict(), .metadata = other});
  CHECK_THROWS_WITH_AS(load_language_model(path), doctest::Contains("258 tokens"), IoError);
  other.erase("tokenizer");
  save_checkpoint(path, {.model = model.gpt.state_dict(), .metadata = other});
  CHECK_THROWS_WITH_AS(load_language_model(path), doctest::Contains("\"tokenizer\""), IoError);
}

TEST_CASE("language model: a model trains on with another dropout") {
  const LanguageModel model = small_writer();
  const Checkpoint kept{.model = model.gpt.state_dict(), .metadata = to_metadata(model)};
  const LanguageModel again = load_language_model(kept, "here", 0.25);
  CHECK(again.gpt.training());
  CHECK(again.gpt.drop.p == 0.25);
  CHECK(again.gpt.blocks[0]->drop.p == 0.25);
}
