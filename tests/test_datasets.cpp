// Data sets: IDX files, whole and damaged; the tables of the repository; splits, batches and
// generated data.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "examples/support/data/datasets.h"
#include "examples/support/data/idx.h"
#include "nn/file.h"
#include "tensor/raw.h"
#include "tests/scratch.h"

using namespace gradus;
using namespace gradus::support;
namespace fs = std::filesystem;

namespace {

std::string idx_bytes(const std::vector<uint32_t>& shape, size_t content) {
  std::string s = {0, 0, 8, static_cast<char>(shape.size())};
  for (uint32_t n : shape)
    for (int shift = 24; shift >= 0; shift -= 8) s += static_cast<char>(n >> shift & 0xFF);
  for (size_t i = 0; i < content; ++i) s += static_cast<char>(i * 11);
  return s;
}

std::vector<int64_t> labels(const Dataset& data) { return data.y.to_vector<int64_t>(); }

}  // namespace

TEST_CASE("datasets: IDX reads sizes and bytes") {
  Scratch folder;
  const fs::path path = folder.dir / "x";
  write_file(path, idx_bytes({2, 3, 5}, 30));
  const Idx idx = read_idx(path, 3);
  CHECK(idx.shape == std::vector<int64_t>{2, 3, 5});
  REQUIRE(idx.bytes.size() == 30);
  CHECK(static_cast<uint8_t>(idx.bytes[29]) == (29 * 11) % 256);
}

TEST_CASE("datasets: IDX that is truncated, too long or lies about its size is an IoError") {
  Scratch folder;
  const fs::path path = folder.dir / "x";
  const std::string good = idx_bytes({2, 3, 5}, 30);
  for (size_t n = 0; n < good.size(); ++n) {
    write_file(path, good.substr(0, n));
    CHECK_THROWS_AS(read_idx(path, 3), IoError);
  }
  write_file(path, good + "x");
  CHECK_THROWS_AS(read_idx(path, 3), IoError);
  for (size_t i = 0; i < 16; ++i) {  // every bit of the header matters
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = good;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      write_file(path, damaged);
      CHECK_THROWS_AS(read_idx(path, 3), IoError);
    }
  }
  // Products that overflow 64 bits: 2^32 - 1 in every dimension, and one that wraps around to 0.
  write_file(path, idx_bytes({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, 30));
  CHECK_THROWS_AS(read_idx(path, 3), IoError);
  write_file(path, idx_bytes({0x80000000, 0x80000000, 4}, 0));
  CHECK_THROWS_AS(read_idx(path, 3), IoError);
  write_file(path, idx_bytes({0, 3, 5}, 0));
  CHECK_THROWS_AS(read_idx(path, 3), IoError);
  write_file(path, good);
  CHECK_THROWS_AS(read_idx(path, 1), IoError);
}

TEST_CASE("datasets: the tables of the repository are what their README says") {
  const Dataset cancer = breast_cancer();
  CHECK(cancer.x.shape() == Shape{569, 30});
  CHECK(cancer.features.size() == 30);
  CHECK(cancer.features[0] == "radius_mean");
  const auto y = labels(cancer);
  CHECK(std::count(y.begin(), y.end(), 0) == 357);
  CHECK(std::count(y.begin(), y.end(), 1) == 212);
  CHECK(cancer.x.data<float>()[0] == 17.99f);

  const Dataset d = digits();
  CHECK(d.x.shape() == Shape{1797, 1, 8, 8});
  const auto pixels = d.x.to_vector();
  CHECK(*std::min_element(pixels.begin(), pixels.end()) == 0);
  CHECK(*std::max_element(pixels.begin(), pixels.end()) == 1);
  CHECK(labels(d)[3] == 3);
}

TEST_CASE("datasets: a split takes the same share of each class, loses no row and repeats none") {
  const Dataset data = breast_cancer();
  const Split s = split_by_class(data, 0.3, 5);
  const auto test = labels(s.test);
  CHECK(std::count(test.begin(), test.end(), 0) == 107);
  CHECK(std::count(test.begin(), test.end(), 1) == 64);
  CHECK(s.train.size() + s.test.size() == data.size());
  std::vector<float> before = data.x.to_vector(), after = s.train.x.to_vector();
  for (float v : s.test.x.to_vector()) after.push_back(v);
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  CHECK(before == after);
  CHECK(labels(split_by_class(data, 0.3, 5).test) == test);
  CHECK(split_by_class(data, 0.3, 6).test.x.to_vector() != s.test.x.to_vector());
  CHECK_THROWS_AS(split_by_class(data, 0, 1), ValueError);
  CHECK_THROWS_AS(split_by_class(data, 1, 1), ValueError);
}

TEST_CASE("datasets: a split does not depend on the numbers that made the data") {
  // The rows of a class differ only in their noise, and a split that depended on it would separate
  // small from large. The difference of two means of 500 normal numbers has a standard deviation of
  // 0.063.
  const Dataset data = blobs(1000, 0, 11);
  const Split s = split_by_class(data, 0.5, 11);
  const auto mean = [](const Dataset& d) {
    const auto x = raw::select(d.x, 1, 0).to_vector<double>();
    return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  };
  CHECK(std::abs(mean(s.train) - mean(s.test)) < 0.2);
  for (const int64_t column : {0, 1}) {
    const auto x = raw::select(s.test.x, 1, column).to_vector<double>();
    double squares = 0;
    for (double v : x) squares += v * v;
    CHECK(squares / static_cast<double>(x.size()) == doctest::Approx(1).epsilon(0.15));
  }
}

TEST_CASE("datasets: a standardizer gives mean 0 and variance 1, and uses only what it was given") {
  const Tensor x = tensor<float>({1, 7, 3, 7, 5, 7}, {3, 2});
  const Standardizer standardize(x);
  const auto z = standardize(x).to_vector();
  const double s = std::sqrt(8.0 / 3);
  CHECK(z[0] == doctest::Approx(-2 / s));
  CHECK(z[2] == doctest::Approx(0));
  CHECK(z[4] == doctest::Approx(2 / s));
  CHECK(z[1] == 0);  // a column that never changes
  CHECK(standardize(tensor<float>({9, 0}, {1, 2})).to_vector()[0] == doctest::Approx(6 / s));
}

TEST_CASE("datasets: batches cover each epoch once; the order follows the seed") {
  Dataset data{arange(0, 10, 1, F32), arange(10), {}, {}};
  const auto read_epoch = [](Batches& batches) {
    std::vector<int64_t> seen, sizes;
    for (const auto& [x, y] : batches.epoch()) {
      sizes.push_back(x.size(0));
      const auto ys = y.to_vector<int64_t>();
      const auto xs = x.to_vector<double>();
      for (size_t i = 0; i < ys.size(); ++i) {
        CHECK(xs[i] == static_cast<double>(ys[i]));
        seen.push_back(ys[i]);
      }
    }
    CHECK(sizes == std::vector<int64_t>{4, 4, 2});
    return seen;
  };
  std::vector<int64_t> all(10);
  std::iota(all.begin(), all.end(), 0);
  Batches plain(data, 4, false);
  CHECK(plain.size() == 3);
  CHECK(read_epoch(plain) == all);
  Batches a(data, 4, true, 7), b(data, 4, true, 7), c(data, 4, true, 8);
  const auto first = read_epoch(a), second = read_epoch(a);
  CHECK(first != second);
  CHECK(read_epoch(b) == first);
  CHECK(read_epoch(b) == second);
  CHECK(read_epoch(c) != first);
  CHECK(std::is_permutation(first.begin(), first.end(), all.begin()));
  CHECK_THROWS_AS(Batches(data, 0, true), ValueError);
}

TEST_CASE("datasets: blobs and spirals lie where they should") {
  const Dataset b = blobs(2000, 4, 3);
  const auto x = b.x.to_vector();
  double mean[2] = {0, 0};
  for (int64_t i = 0; i < b.size(); ++i) mean[i / 2000] += (x[2 * i] + x[2 * i + 1]) / 2000;
  // The centres are ±2 along the diagonal, so x + y is ±2 sqrt 2, with a spread of sqrt 2 / sqrt n.
  CHECK(mean[0] == doctest::Approx(-2 * std::sqrt(2)).epsilon(0.05));
  CHECK(mean[1] == doctest::Approx(2 * std::sqrt(2)).epsilon(0.05));

  const Dataset s = spirals(50, 3, 1, 0, 1);
  CHECK(s.size() == 150);
  CHECK(s.classes.size() == 3);
  const auto p = s.x.to_vector<double>();
  for (int64_t i = 0; i < 50; ++i)
    CHECK(std::hypot(p[2 * i], p[2 * i + 1]) ==
          doctest::Approx(0.1 + 0.9 * (double(i) + 0.5) / 50));
  // Each arm is the one before it, turned by a third of a circle, so they add up to the centre.
  for (int64_t i = 0; i < 50; ++i)
    for (int64_t d = 0; d < 2; ++d)
      CHECK(std::abs(p[2 * i + d] + p[2 * (i + 50) + d] + p[2 * (i + 100) + d]) < 1e-5);
}

TEST_CASE("datasets: GRADUS_DATA comes first, file by file; an error names the folders") {
  Scratch folder;
  REQUIRE(setenv("GRADUS_DATA", folder.dir.c_str(), 1) == 0);
  CHECK(breast_cancer().size() == 569);  // the folder is still empty
  write_file(folder.dir / "breast_cancer.csv", "a,class\n1,benign\n2,malignant\n");
  CHECK(breast_cancer().size() == 2);
  CHECK(digits().size() == 1797);
  write_file(folder.dir / "rosenbrock.csv", "optimizer,step,x,y\nSGD,1,0.5,0.25\n");
  CHECK_THROWS_AS(pytorch_steps("SGD"), IoError);  // one step instead of ten
  std::string message;
  try {
    data_file("absent.csv");
  } catch (const IoError& e) { message = e.what(); }
  CHECK(message.find("GRADUS_DATA") != std::string::npos);
  CHECK(message.find(folder.dir.string()) != std::string::npos);
  CHECK(message.find("examples/data") != std::string::npos);
  unsetenv("GRADUS_DATA");
  CHECK(pytorch_steps("SGD").size() == 20);
  CHECK(pytorch_steps("SGD")[0] == -1.4225);
}

TEST_CASE("datasets: Fashion-MNIST, and files of it that disagree") {
  Scratch folder;
  fs::create_directory(folder.dir / "fashion-mnist");
  REQUIRE(setenv("GRADUS_DATA", folder.dir.c_str(), 1) == 0);
  const auto write = [&](const char* name, const std::string& bytes) {
    write_file(folder.dir / "fashion-mnist" / name, bytes);
  };
  for (const char* part : {"train", "t10k"}) {
    write((std::string(part) + "-images-idx3-ubyte.gz").c_str(), idx_bytes({4, 2, 3}, 24));
    std::string y = idx_bytes({4}, 0);
    y += {1, 0, 9, 3};
    write((std::string(part) + "-labels-idx1-ubyte.gz").c_str(), y);
  }
  const Split s = fashion_mnist();
  CHECK(s.train.x.shape() == Shape{4, 1, 2, 3});
  CHECK(labels(s.test) == std::vector<int64_t>{1, 0, 9, 3});
  CHECK(s.train.x.data<float>()[1] == 11.0f / 255);

  std::string y = idx_bytes({4}, 0);
  y += {1, 0, 10, 3};
  write("train-labels-idx1-ubyte.gz", y);
  CHECK_THROWS_AS(fashion_mnist(), IoError);  // label 10 of 10 classes
  write("train-labels-idx1-ubyte.gz", idx_bytes({3}, 3));
  CHECK_THROWS_AS(fashion_mnist(), IoError);  // 3 labels for 4 pictures
  fs::remove(folder.dir / "fashion-mnist" / "train-labels-idx1-ubyte.gz");
  CHECK_THROWS_AS(fashion_mnist(), IoError);
  unsetenv("GRADUS_DATA");
}
