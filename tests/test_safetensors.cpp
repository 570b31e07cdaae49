// safetensors: a round trip for everything, and an IoError, never a crash, for every file that is
// not one: by hand for each rule of the format, and by ten thousand random mutations.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>

#include "autograd/ops.h"
#include "nn/layers.h"
#include "nn/safetensors.h"
#include "tests/child.h"

using namespace gradus;
namespace fs = std::filesystem;

namespace {

void write_bytes(const std::string& path, const std::string& bytes) {
  fs::remove(path);  // some file systems force a rewritten file to the disk, but not a new one
  std::ofstream(path, std::ios::binary) << bytes;
}
std::string read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
std::string with_length(const std::string& header, const std::string& data = "") {
  const uint64_t n = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &n, 8);
  return out + header + data;
}

std::string error_of(const std::string& path) {
  try {
    load_safetensors(path);
  } catch (const IoError& e) { return e.what(); }
  return "(loaded)";
}

/// The bits of every tensor, with its name, dtype and shape.
std::string fingerprint(const NamedTensors& tensors) {
  std::string out;
  for (const auto& [name, x] : tensors) {
    out += fmt::format("{} {} {}:", name, gradus::name(x.dtype()), x.shape());
    out.append(static_cast<const char*>(x.view().data),
               static_cast<size_t>(x.numel()) * size_of(x.dtype()));
  }
  return out;
}

NamedTensors sample() {
  return {{"weight", randn({3, 5})},
          {"deep.name.0", randn({2}, F64)},
          {"none", zeros({0, 7})},
          {"step", full({}, 41, I64)},
          {"ids", tensor<int64_t>({INT64_MIN, -1, INT64_MAX}, {3, 1})}};
}

}  // namespace

TEST_CASE("safetensors: a round trip keeps every bit, the order, and the metadata") {
  const Scratch scratch;
  const auto path = scratch / "a.safetensors";
  NamedTensors tensors = sample();
  tensors.emplace_back("special", tensor<float>({NAN, INFINITY, -0.0f, 1e-45f}));
  const Metadata metadata{{"format", "pt"}, {"note", "\"q\" \n ünïcode 中文"}};
  save_safetensors(path, tensors, metadata);
  const Safetensors got = load_safetensors(path);
  CHECK(fingerprint(got.tensors) == fingerprint(tensors));
  CHECK(got.metadata == metadata);
  uint64_t length = 0;
  std::memcpy(&length, read_bytes(path).data(), 8);
  CHECK(length % 8 == 0);

  save_safetensors(path, {}, {});
  CHECK(load_safetensors(path).tensors.empty());
  const Tensor x = randn({4, 6});
  save_safetensors(path, {{"t", raw::slice(raw::transpose(x, 0, 1), 0, 1, 5, 2)}});
  CHECK(fingerprint(load_safetensors(path).tensors) ==
        fingerprint({{"t", raw::clone(raw::slice(raw::transpose(x, 0, 1), 0, 1, 5, 2))}}));
  CHECK(std::distance(fs::directory_iterator(scratch.dir), {}) == 1);  // no temporary file
}

TEST_CASE("safetensors: halves, bfloats, small integers and booleans") {
  const Scratch scratch;
  const auto path = scratch / "a.safetensors";
  // 1, -2, 65504 (the largest), 2^-24 (the smallest), -0, inf, NaN, 1/3 rounded
  const std::vector<uint16_t> half{0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0x7e00, 0x3555};
  const std::vector<uint16_t> bfloat{0x3f80, 0xc000, 0x7f80, 0x0001};
  std::string data(reinterpret_cast<const char*>(half.data()), 16);
  data.append(reinterpret_cast<const char*>(bfloat.data()), 8);
  data += std::string("\xff\xff\xff\xff\x80\xff\x01", 7);
  write_bytes(path, with_length(R"({"h":{"dtype":"F16","shape":[8],"data_offsets":[0,16]},)"
                                R"("b":{"dtype":"BF16","shape":[2,2],"data_offsets":[16,24]},)"
                                R"("i":{"dtype":"I32","shape":[1],"data_offsets":[24,28]},)"
                                R"("c":{"dtype":"I8","shape":[1],"data_offsets":[28,29]},)"
                                R"("u":{"dtype":"U8","shape":[1],"data_offsets":[29,30]},)"
                                R"("m":{"dtype":"BOOL","shape":[1],"data_offsets":[30,31]}})",
                                data));
  const auto got = load_safetensors(path).tensors;
  const auto h = got[0].second.to_vector(), b = got[1].second.to_vector();
  CHECK(got[0].second.dtype() == F32);
  CHECK(std::vector<float>(h.begin(), h.begin() + 4) == std::vector<float>{1, -2, 65504, 0x1p-24f});
  CHECK(std::signbit(h[4]));
  CHECK(h[4] == 0);
  CHECK(h[5] == INFINITY);
  CHECK(std::isnan(h[6]));
  CHECK(h[7] == 0.333251953125f);
  CHECK(b == std::vector<float>{1, -2, INFINITY, 0x1p-133f});
  CHECK(got[2].second.item_int() == -1);
  CHECK(got[3].second.item_int() == -128);
  CHECK(got[4].second.item_int() == 255);
  CHECK(got[5].second.item_int() == 1);
  CHECK(got[5].second.dtype() == I64);
}

TEST_CASE("safetensors: each rule of the format has its error") {
  const Scratch scratch;
  const auto path = scratch / "bad.safetensors";
  const std::string four(4, 'x'), eight(8, 'x');
  const auto entry = [](const std::string& name, const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":{}}})", name, dtype, shape,
                       offsets);
  };
  const auto expect = [&](const std::string& bytes, const char* part) {
    write_bytes(path, bytes);
    const std::string what = error_of(path);
    CAPTURE(what);
    CAPTURE(part);
    CHECK(what.starts_with(path));
    CHECK(what.find(part) != std::string::npos);
  };
  const auto with = [&](const std::string& entries, const std::string& data) {
    return with_length(fmt::format("{{{}}}", entries), data);
  };
  const std::string good = entry("a", "F32", "[1]", "[0,4]");
  write_bytes(path, with(good, four));
  CHECK(error_of(path) == "(loaded)");
  write_bytes(path, with(good + " ", four));  // padding
  CHECK(error_of(path) == "(loaded)");

  CHECK(error_of(scratch / "absent").find("is not a file") != std::string::npos);
  CHECK(error_of(scratch.dir.string()).find("is not a file") != std::string::npos);
  expect("", "0 bytes cannot hold");
  expect("1234567", "7 bytes cannot hold");
  expect(eight, "cannot hold a safetensors header");
  expect(std::string(8, '\xff'), "cannot hold a safetensors header");
  expect(with(good, four).substr(0, 30), "cannot hold a safetensors header");
  expect(with_length("not json"), "not JSON");
  expect(with_length(""), "not JSON");
  expect(with_length("[]"), "not a JSON object");
  expect(with_length("{\"\xff\":1}"), "not JSON");
  expect(with_length("{\"a\":" + std::string(100000, '[') + "}"), "needs exactly");
  expect(with("\"a\":1", ""), "needs exactly");
  expect(with(R"("a":{"dtype":"F32","shape":[1]})", four), "needs exactly");
  expect(with(good + "," + good, four), "has \"a\" twice");
  expect(with(R"("a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]})", four),
         "has \"dtype\" twice");
  expect(with(entry("a", "F33", "[1]", "[0,4]"), four), "dtype \"F33\" is unknown");
  expect(with(R"("a":{"dtype":7,"shape":[1],"data_offsets":[0,4]})", four), "dtype 7 is unknown");
  for (const char* size : {"-1", "1.0", "\"1\"", "null", "[1]", "1e2", "18446744073709551615",
                           "9223372036854775807", "99999999999999999999999"})
    expect(with(entry("a", "F32", fmt::format("[{}]", size), "[0,4]"), four), "in its shape");
  expect(with(entry("a", "F32", "[4294967296,4294967296]", "[0,0]"), ""), "in its shape");
  expect(with(entry("a", "F32", "[0,4294967296,4294967296]", "[0,0]"), ""), "in its shape");
  expect(with(entry("a", "F32", "[1152921504606846976,0]", "[0,0]"), ""), "in its shape");
  expect(with(entry("a", "F32", "{}", "[0,4]"), four), "not a list");
  expect(with(entry("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), four), "not a list");
  for (const char* offsets : {"[4,0]", "[0]", "[0,4,8]", "[-4,0]", "[0,4.0]", "{}", "4", "null"})
    expect(with(entry("a", "F32", "[1]", offsets), four), "data_offsets");
  expect(with(entry("a", "F32", "[2]", "[0,4]"), four), "needs 8 bytes");
  expect(with(entry("a", "F64", "[1]", "[0,4]"), four), "needs 8 bytes");
  expect(with(entry("a", "F32", "[1]", "[9007199254740992,9007199254740996]"), four), "gap");
  expect(with(entry("a", "F32", "[268435456]", "[0,1073741824]"), four), "cut off");
  expect(with(good, four + "x"), "something extra");
  expect(with(good, "xxx"), "cut off");
  expect(with(good + "," + entry("b", "F32", "[1]", "[2,6]"), eight), "inside");
  expect(with(good + "," + entry("b", "F32", "[1]", "[0,4]"), four), "inside");
  expect(with(good + "," + entry("b", "F32", "[1]", "[5,9]"), eight + "x"), "gap");
  expect(with(R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1})", four), "exactly");
  expect(with(R"("a":{"dtype":"F32","shape":{"a":[1]},"data_offsets":[0,4]})", four), "not a list");
  expect(with(R"("a":{"dtype":["F32"],"shape":[1],"data_offsets":[0,4]})", four), "dtype");
  expect(with_length("{" + good + "}{}", four), "not JSON");
  expect(with(R"("__metadata__":{"k":"v","k":"v"},)" + good, four), "has \"k\" twice");
  expect(with(R"("__metadata__":{},"__metadata__":{},)" + good, four), "__metadata__\" twice");
  expect(with("\"__metadata__\":7," + good, four), "__metadata__");
  expect(with("\"__metadata__\":{\"k\":7}," + good, four), "__metadata__");
}

TEST_CASE("safetensors: ten thousand mutations give an IoError or a file that makes sense") {
  const Scratch scratch;
  const auto path = scratch / "fuzz.safetensors";
  Generator generator(5);
  save_safetensors(path, sample(), {{"key", "value"}, {"other", "text"}});
  const std::string original = read_bytes(path);
  uint64_t header = 0;
  std::memcpy(&header, original.data(), 8);

  std::mt19937_64 random(12345);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  int loaded = 0, refused = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string bytes = original;
    for (size_t edits = 1 + below(3); edits > 0; --edits) {
      // Three in four hit the length or the header, where the rules are.
      const size_t at = below(4) ? below(std::min(bytes.size(), size_t{8} + header) + 1)
                                 : below(bytes.size() + 1);
      switch (below(6)) {
        case 0: bytes.resize(at); break;
        case 1: bytes.insert(at, 1, static_cast<char>(below(256))); break;
        case 2: bytes.insert(at, std::string("0123456789,:[]{}\"-.e")[below(20)], 1); break;
        case 3: bytes.erase(at, 1 + below(20)); break;
        case 4: bytes.insert(at, bytes.substr(below(bytes.size() + 1), below(60))); break;
        default:
          if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
      }
    }
    write_bytes(path, bytes);
    try {
      const Safetensors got = load_safetensors(path);
      const std::string bits = fingerprint(got.tensors);  // reads every byte
      if (++loaded % 20) continue;  // changed data or names: some must survive a round trip
      save_safetensors(path, got.tensors, got.metadata);
      const Safetensors again = load_safetensors(path);
      REQUIRE(fingerprint(again.tensors) == bits);
      REQUIRE(again.metadata == got.metadata);
    } catch (const IoError& e) {
      ++refused;
      REQUIRE(std::string(e.what()).starts_with(path));
    }
  }
  CHECK(loaded > 100);
  CHECK(refused > 5000);
}

TEST_CASE("safetensors: what cannot be written, and what a failed write leaves") {
  const Scratch scratch;
  const auto path = scratch / "a.safetensors";
  save_safetensors(path, {{"x", ones({2})}});
  const std::string before = read_bytes(path);
  const Tensor x = zeros({3});
  CHECK_THROWS_AS(save_safetensors(path, {{"x", x}, {"x", x}}), IoError);
  CHECK_THROWS_AS(save_safetensors(path, {{"__metadata__", x}}), IoError);
  CHECK_THROWS_AS(save_safetensors(path, {{"\xff", x}}), IoError);
  CHECK_THROWS_AS(save_safetensors(path, {{"x", x}}, {{"\xff", "v"}}), IoError);
  CHECK_THROWS_AS(save_safetensors(path, {{"x", Tensor()}}), IoError);
  CHECK_THROWS_WITH_AS(save_safetensors(scratch / "no/such/place", {{"x", x}}),
                       doctest::Contains("cannot create"), IoError);
  fs::create_directory(scratch / "folder");
  CHECK_THROWS_WITH_AS(save_safetensors(scratch / "folder", {{"x", x}}),
                       doctest::Contains("is a folder, not an ordinary file"), IoError);
  CHECK(read_bytes(path) == before);
  CHECK(std::distance(fs::directory_iterator(scratch.dir), {}) == 2);
}

TEST_CASE("safetensors: through a link the file changes, not the link") {
  const Scratch scratch;
  save_safetensors(scratch / "a.safetensors", {{"x", ones({2})}});
  fs::create_symlink("a.safetensors", scratch / "link");
  save_safetensors(scratch / "link", {{"x", zeros({3})}});
  CHECK(fs::is_symlink(scratch / "link"));
  CHECK(load_safetensors(scratch / "a.safetensors").tensors[0].second.shape() == Shape{3});
}

TEST_CASE("safetensors: a hostile header takes memory in proportion to its length") {
  const Scratch scratch;
  const auto path = scratch / "bomb.safetensors";
  constexpr size_t kLength = 8 << 20;
  const auto repeat = [](const std::string& begin, const std::string& unit, const char* end) {
    std::string text = begin;
    while (text.size() < kLength) text += unit + ",";
    text.back() = ']';
    return with_length(text + end);
  };
  std::string names = "{\"__metadata__\":{";
  for (int i = 0; names.size() < kLength; ++i) names += fmt::format("\"{}\":\"\",", i);
  names.back() = '}';
  const std::string headers[] = {
      repeat("[", "{}", ""),
      repeat("{\"a\":[", "[]", "}"),
      repeat("{\"a\":[", "{}", "}"),
      repeat(R"({"a":{"dtype":"F32","shape":[)", "1", "}}"),
      repeat(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[)", "[]", "}}"),
      repeat("{\"__metadata__\":{\"a\":[", "[]", "}}"),
      with_length(names + "}"),
  };
  for (const std::string& header : headers) {
    CAPTURE(header.substr(8, 60));
    write_bytes(path, header);
    const bool refused = within_memory(4 * kLength, [&] {
      if (error_of(path) == "(loaded)") throw std::runtime_error("the bomb was loaded");
    });
    CHECK(refused);
  }
}

TEST_CASE("safetensors: eight times as many tensors take about eight times as long") {
  struct Many : Module {
    explicit Many(int n) {
      for (int i = 0; i < n; ++i) add<LayerNorm>(fmt::format("norm.{}", i), 1);
    }
  };
  const Scratch scratch;
  const auto path = scratch / "many.safetensors";
  const auto seconds = [&](int n) {  // of the processor, not of the clock
    const std::clock_t begin = std::clock();
    Many m(n);
    save_safetensors(path, m.state_dict());
    m.load_state_dict(load_safetensors(path).tensors);
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  const double few = std::max({seconds(2000), seconds(2000), seconds(2000)}), many = seconds(16000);
  CHECK(many < 32 * few);  // in square proportion: 64 times
}
