// Byte pair encoding: what goes in comes out, training finds the merges that counting everything
// again would find, and no file, however damaged, does worse than an IoError.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "nn/file.h"
#include "nn/text/bpe.h"
#include "tensor/error.h"
#include "tests/child.h"

using namespace gradus;

namespace {

const std::string kText =
    "the cat sat on the mat; the other cat ate the rat that sat there. 12 + 7 = 19, 120 - 7 = "
    "113.\n"
    "你好，我叫李明。你叫什么名字？我叫王芳。\naaaa aaaaa aaa aaaaaaa ababab abab bababa\n";

std::string random_bytes(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(n, '\0');
  for (char& c : bytes) c = static_cast<char>(random() & 0xFF);
  return bytes;
}

/// The definition of BPE: count every pair again before each merge.
std::vector<BytePairEncoder::Pair> merges_by_recounting(std::string_view text, size_t n) {
  std::vector<std::vector<std::int32_t>> words;
  for (const std::string_view word : BytePairEncoder().split(text)) {
    words.emplace_back();
    for (const char c : word) words.back().push_back(static_cast<uint8_t>(c));
  }
  std::vector<BytePairEncoder::Pair> merges;
  while (merges.size() < n) {
    std::map<BytePairEncoder::Pair, int> counts;
    for (const auto& word : words)
      for (size_t i = 0; i + 1 < word.size(); ++i) ++counts[{word[i], word[i + 1]}];
    // max_element returns the first of equals, and a map is in order: the smaller pair.
    const auto best = std::max_element(counts.begin(), counts.end(),
                                       [](auto& x, auto& y) { return x.second < y.second; });
    if (best == counts.end() || best->second < 2) break;
    const auto [a, b] = best->first;
    const auto id = static_cast<std::int32_t>(256 + merges.size());
    for (auto& word : words) {
      std::vector<std::int32_t> merged;
      for (size_t i = 0; i < word.size(); ++i) {
        const bool here = i + 1 < word.size() && word[i] == a && word[i + 1] == b;
        merged.push_back(here ? id : word[i]);
        i += here ? 1 : 0;
      }
      word = merged;
    }
    merges.emplace_back(a, b);
  }
  return merges;
}

}  // namespace

TEST_CASE("bpe: any bytes come back unchanged") {
  const BytePairEncoder none;
  const auto trained = BytePairEncoder::train(kText, 400, {"<|user|>"});
  const auto gpt2 = BytePairEncoder::train(kText, 400, {}, WordSplit::Gpt2);
  std::vector<std::string> texts = {
      "",
      "a",
      " ",
      "\n",
      std::string(1, '\0'),
      "\xFF",
      kText,
      "half a character: \xE4\xBD",
      "\xF0\x9F\x98\x80 emoji",
      "overlong \xC0\xAF, surrogate \xED\xA0\x80, too large \xF5\x80\x80\x80",
      "  spaces   and\t\ttabs \r\n\r\n",
      "１２ 〇 ⼀ 々",
      "e\u0301\u200d\u3000x"};
  for (uint64_t seed = 0; seed < 50; ++seed) texts.push_back(random_bytes(seed * 7, seed));
  for (const std::string& text : texts) {
    for (const BytePairEncoder* bpe : {&none, &trained, &gpt2}) {
      const auto ids = bpe->encode(text);
      CHECK(bpe->decode(ids) == text);
      CHECK(std::none_of(ids.begin(), ids.end(), [&](auto id) { return bpe->is_special(id); }));
      std::string joined;
      for (const auto word : bpe->split(text)) {
        CHECK(!word.empty());
        joined += word;
      }
      CHECK(joined == text);
    }
  }
  CHECK(none.encode("az") == std::vector<int64_t>{'a', 'z'});
  CHECK(none.size() == 256);
}

TEST_CASE("bpe: training finds what recounting finds") {
  for (const size_t n : {1, 10, 50, 1000}) {
    const auto expected = merges_by_recounting(kText, n);
    CHECK(BytePairEncoder::train(kText, 256 + static_cast<int64_t>(n)).merges() == expected);
  }
  for (uint64_t seed = 0; seed < 30; ++seed) {  // few letters: pairs overlap, and counts tie
    std::string text = random_bytes(600, seed);
    for (char& c : text) c = "aab b\n"[static_cast<uint8_t>(c) % 6];
    CHECK(BytePairEncoder::train(text, 300).merges() == merges_by_recounting(text, 44));
  }
}

TEST_CASE("bpe: encoding applies the merges in the order learned") {
  const auto bpe = BytePairEncoder::train(kText, 350);
  for (uint64_t seed = 0; seed < 100; ++seed) {
    std::string word = random_bytes(1 + seed % 12, seed);
    for (char& c : word) c = "abcthe"[static_cast<uint8_t>(c) % 6];
    std::vector<int64_t> expected(word.begin(), word.end());
    for (size_t k = 0; k < bpe.merges().size(); ++k)
      for (size_t i = 0; i + 1 < expected.size(); ++i)
        if (expected[i] == bpe.merges()[k].first && expected[i + 1] == bpe.merges()[k].second) {
          expected[i] = 256 + static_cast<int64_t>(k);
          expected.erase(expected.begin() + static_cast<ptrdiff_t>(i) + 1);
        }
    CHECK(bpe.encode(word) == expected);
  }
}

TEST_CASE("bpe: a long word is not quadratic") {
  const auto bpe = BytePairEncoder::train(kText, 350);
  const std::string word(300000, 'a');  // a quadratic encoder would need some 10^10 steps
  CHECK(bpe.decode(bpe.encode(word)) == word);
}

TEST_CASE("bpe: words") {
  const BytePairEncoder bpe;
  const auto words = [&](std::string_view text) {
    std::vector<std::string> out;
    for (const auto word : bpe.split(text)) out.emplace_back(word);
    return out;
  };
  using Words = std::vector<std::string>;
  CHECK(words("What is 12 + 7?") == Words{"What", " is", " ", "1", "2", " +", " ", "7", "?"});
  CHECK(words("I'm 我叫李明。") == Words{"I", "'m", " ", "我", "叫", "李", "明", "。"});
  CHECK(words("a  b\n\nc") == Words{"a", " ", " b", "\n", "\n", "c"});
  CHECK(words("\xE4\xBD x") == Words{"\xE4", "\xBD", " x"});
}

TEST_CASE("bpe: special tokens are never made from text") {
  const auto bpe =
      BytePairEncoder::train("<|user|> hi <|user|> hi <|user|>", 300, {"<|user|>", "<|bot|>"});
  CHECK(bpe.special("<|bot|>") == bpe.size() - 1);
  CHECK(bpe.special("<|user|>") == bpe.size() - 2);
  CHECK(bpe.is_special(bpe.size() - 1));
  CHECK(!bpe.is_special(bpe.size() - 3));
  CHECK(!bpe.is_special(bpe.size()));
  const auto ids = bpe.encode("<|user|>");
  CHECK(std::none_of(ids.begin(), ids.end(), [&](auto id) { return bpe.is_special(id); }));
  CHECK(bpe.decode(std::array{bpe.special("<|user|>")}) == "<|user|>");
  CHECK_THROWS_AS(bpe.special("<|none|>"), ValueError);
  CHECK_THROWS_AS(BytePairEncoder::train("x", 300, {"a", "a"}), ValueError);
  CHECK_THROWS_AS(BytePairEncoder::train("x", 300, {""}), ValueError);
  CHECK_THROWS_AS(BytePairEncoder::train("x", 300, {"\xFF"}), ValueError);
}

TEST_CASE("bpe: sizes at the edge") {
  CHECK_THROWS_AS(BytePairEncoder::train(kText, 255), ValueError);
  CHECK_THROWS_AS(BytePairEncoder::train(kText, 257, {"a", "b"}), ValueError);
  CHECK_THROWS_AS(BytePairEncoder::train(kText, int64_t{1} << 40), ValueError);
  CHECK(BytePairEncoder::train(kText, 256).merges().empty());
  CHECK(BytePairEncoder::train("", 300).size() == 256);
  CHECK(BytePairEncoder::train("x", 300, {"<|end|>"}).size() == 257);
  // Tokens stay below the limit that load() enforces, also where one byte repeats without end.
  const auto bpe = BytePairEncoder::train(std::string(100000, 'a'), 300);
  for (int64_t id = 0; id < bpe.size(); ++id)
    CHECK(bpe.token(id).size() <= BytePairEncoder::kLongestToken);
}

TEST_CASE("bpe: ids out of range") {
  const BytePairEncoder bpe;
  CHECK_THROWS_AS(bpe.decode(std::array<int64_t, 1>{256}), IndexError);
  CHECK_THROWS_AS(bpe.decode(std::array<int64_t, 1>{-1}), IndexError);
  CHECK_THROWS_AS(bpe.token(int64_t{1} << 60), IndexError);
}

TEST_CASE("bpe: save and load") {
  const Scratch folder;
  const std::string path = folder / "tokenizer.json";
  const auto bpe = BytePairEncoder::train(kText, 400, {"<|user|>", "<|用户|>"});
  bpe.save(path);
  const auto again = BytePairEncoder::load(path);
  CHECK(again.merges() == bpe.merges());
  CHECK(again.special_tokens() == bpe.special_tokens());
  CHECK(again.encode(kText) == bpe.encode(kText));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.dir), {}) ==
        1);  // nothing left over
  CHECK_THROWS_AS(bpe.save(folder / "tokenizer.json/no/folder.json"), IoError);
  CHECK_THROWS_AS(BytePairEncoder::load(folder / "absent.json"), IoError);
  CHECK_THROWS_AS(BytePairEncoder::load(folder.dir), IoError);
}

TEST_CASE("bpe: hostile files") {
  const Scratch folder;
  const std::string path = folder / "tokenizer.json";
  BytePairEncoder::train(kText, 300, {"<|end|>"}).save(path);
  const std::string good = read_file(path);
  const nlohmann::json json = nlohmann::json::parse(good);

  const auto rejects = [&](auto change) {
    nlohmann::json copy = json;
    change(copy);
    write_file(path, copy.dump());
    CHECK_THROWS_AS(BytePairEncoder::load(path), IoError);
  };
  rejects([](auto& j) { j = nlohmann::json::array(); });
  rejects([](auto& j) { j["version"] = 2; });
  rejects([](auto& j) { j["split"] = "((a+)+)+$"; });
  rejects([](auto& j) { j.erase("merges"); });
  rejects([](auto& j) { j["merges"][0] = {256, 1}; });  // itself
  rejects([](auto& j) { j["merges"][0] = {-1, 1}; });
  rejects([](auto& j) { j["merges"][0] = {1e300, 1}; });
  rejects([](auto& j) { j["merges"][0] = {4294967297, 1}; });
  rejects([](auto& j) { j["merges"][0] = {1, 2, 3}; });
  rejects([](auto& j) { j["merges"][0] = "ab"; });
  rejects([](auto& j) { j["merges"][1] = j["merges"][0]; });
  rejects([](auto& j) { j["bytes"][0] = 1; });
  rejects([](auto& j) { j["bytes"][0] = 256; });
  rejects([](auto& j) { j["bytes"].push_back(0); });
  rejects([](auto& j) { j["special"] = {"a", "a"}; });
  rejects([](auto& j) { j["special"] = {1}; });
  rejects([](auto& j) {  // each token twice as long as the one before: 2^40 bytes
    j["merges"] = nlohmann::json::array({{65, 65}});
    for (int k = 256; k < 296; ++k) j["merges"].push_back({k, k});
  });
  write_file(path, std::string(1 << 20, '['));
  CHECK_THROWS_AS(BytePairEncoder::load(path), IoError);

  const auto replaced = [&](const std::string& from, const std::string& to, const char* part) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    write_file(path, bad);
    CHECK_THROWS_WITH_AS(BytePairEncoder::load(path), doctest::Contains(part), IoError);
    CHECK_THROWS_WITH_AS(BytePairEncoder::load(path), doctest::Contains(path.c_str()), IoError);
  };
  for (const char* number : {"1e22", "1.0", "1e0", "true", "99999999999999999999"}) {
    replaced("\"merges\":[[", fmt::format("\"merges\":[[{},1],[", number), "not a whole number");
    replaced("\"version\":1", fmt::format("\"version\":{}", number), "not a whole number");
    replaced("\"bytes\":[0", fmt::format("\"bytes\":[{}", number), "not a whole number");
  }
  replaced("\"merges\":[[", "\"merges\":[[9223372036854775808,1],[", "too large a number");
  replaced("\"version\":1", "\"version\":1,\"version\":1", "\"version\" occurs twice");
  replaced("\"version\":1", "\"version\":{\"version\":1}", "nests deeper");
  replaced("\"version\":1", "\"version\":1,", "not JSON from byte");

  std::string bomb = "[";
  while (bomb.size() < 16 << 20) bomb += "[],";
  bomb.back() = ']';
  write_file(path, bomb);
  const bool refused = within_memory(128 << 20, [&] {
    std::string said;
    try {
      BytePairEncoder::load(path);
    } catch (const IoError& e) { said = e.what(); }
    if (said.find("more than") == std::string::npos) throw std::runtime_error("said: " + said);
  });
  CHECK(refused);

  std::mt19937_64 random(1);
  for (int i = 0; i < 500; ++i) {  // a mutated file loads as a valid tokenizer or is an IoError
    std::string bad = good;
    if (i % 2 == 0) bad.resize(random() % bad.size());
    for (int k = 0; k < 3 && !bad.empty(); ++k)
      bad[random() % bad.size()] = static_cast<char>(random() & 0xFF);
    write_file(path, bad);
    try {
      const auto bpe = BytePairEncoder::load(path);
      CHECK(bpe.decode(bpe.encode(kText)) == kText);
    } catch (const IoError&) {}
  }
}

TEST_CASE("bpe: GPT-2's pair of files") {
  const Scratch folder;
  const std::string vocab_path = folder / "vocab.json", merges_path = folder / "merges.txt";
  // The published order: the 188 visible bytes, the 68 others, the merges, then <|endoftext|>.
  nlohmann::json vocab;
  const auto add = [&](const std::string& name) { vocab[name] = vocab.size(); };
  const auto utf8 = [](int code) {
    return code < 0x80 ? std::string{static_cast<char>(code)}
                       : std::string{static_cast<char>(0xC0 | code >> 6),
                                     static_cast<char>(0x80 | (code & 63))};
  };
  for (int b = '!'; b <= '~'; ++b) add(utf8(b));
  for (int b = 0xA1; b <= 0xFF; ++b)
    if (b != 0xAD) add(utf8(b));
  for (int k = 0; k < 68; ++k) add(utf8(256 + k));
  add("Ġt");
  add("he");
  add("Ġthe");
  add("<|endoftext|>");
  const std::string merges = "#version: 0.2\nĠ t\nh e\nĠt he\n";
  write_file(vocab_path, vocab.dump());
  write_file(merges_path, merges);

  const auto bpe = BytePairEncoder::load_gpt2(vocab_path, merges_path);
  CHECK(bpe.size() == 260);
  CHECK(bpe.encode("!\"") == std::vector<int64_t>{0, 1});
  CHECK(bpe.encode(" the he") == std::vector<int64_t>{258, 220, 257});  // 220 is GPT-2's space
  CHECK(bpe.special("<|endoftext|>") == 259);
  const std::string bytes = random_bytes(2000, 3);
  CHECK(bpe.decode(bpe.encode(bytes)) == bytes);
  bpe.save(folder / "ours.json");
  CHECK(BytePairEncoder::load(folder / "ours.json").encode(bytes) == bpe.encode(bytes));

  for (const char* bad :
       {"Ġ t\nh  e\n", "Ġ t\nhe\n", "h e\n", "Ġ t\nh e\nĠt he\nĠ t\n", "x unknown\n"}) {
    write_file(merges_path, bad);
    CHECK_THROWS_AS(BytePairEncoder::load_gpt2(vocab_path, merges_path), IoError);
  }
  write_file(merges_path, merges);
  for (const char* bad :
       {"{}", "[1]", "{\"a\": \"b\"}", "{\"a\": -1}", "\xFF", "{\"a\": 0, \"b\": 0}"}) {
    write_file(vocab_path, bad);
    CHECK_THROWS_AS(BytePairEncoder::load_gpt2(vocab_path, merges_path), IoError);
  }
  const std::string names = vocab.dump();
  for (const std::string bad : {"\"!\":0,\"!\":0,", "\"!\":0.0,"}) {
    std::string changed = names;
    changed.replace(changed.find("\"!\":0,"), 6, bad);
    write_file(vocab_path, changed);
    CHECK_THROWS_WITH_AS(BytePairEncoder::load_gpt2(vocab_path, merges_path),
                         doctest::Contains(bad.size() > 8 ? "occurs twice" : "not a whole number"),
                         IoError);
  }
}
