#pragma once
// Data sets as tensors: x, one row per thing, and y, its class. Two come with the repository
// (examples/data), one from a Debian package, two are generated. A model is judged on rows that it
// never saw: split_by_class() makes that promise, and a Standardizer keeps it, as even a mean over all
// rows would carry knowledge of the held-out ones into the training.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/random.h"
#include "tensor/tensor.h"

namespace gradus::support {

struct Dataset {
  Tensor x;                           // (N, …) F32
  Tensor y;                           // (N,) I64, the index into `classes`
  std::vector<std::string> classes;   // what y means
  std::vector<std::string> features;  // what the columns of x mean; empty for pictures
  int64_t size() const { return x.size(0); }
};

/// A seed for one purpose. Two generators that begin with the same seed draw the same numbers: a
/// split drawn like the noise of the data would hold out the rows with the most noise.
uint64_t seed_for(std::string_view purpose, uint64_t seed);

/// The rows of `data` with these indices, a copy.
Dataset take_rows(const Dataset& data, const Tensor& index);
/// Rows `from` to `to`, without the last, as a view.
Dataset rows(const Dataset& data, int64_t from, int64_t to);

struct Split {
  Dataset train, test;
};
/// `test_fraction` of every class (rounded) is held out, drawn by `seed`: both parts have the
/// classes in the same proportion. Both keep the order of `data`. ValueError unless each part of
/// each class gets a row.
Split split_by_class(const Dataset& data, double test_fraction, uint64_t seed);

/// (x - mean) / std per column, both measured on the rows given at construction. A column that
/// never changes becomes 0.
class Standardizer {
 public:
  explicit Standardizer(const Tensor& x);  // (N, C)
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor mean_, scale_;  // (C,)
};

/// Wisconsin breast cancer, 569 × 30: 0 benign, 1 malignant. See examples/data/README.md.
Dataset breast_cancer();
/// 1797 pictures of digits, x (N, 1, 8, 8) with pixels from 0 to 1.
Dataset digits();
/// 60,000 and 10,000 pictures of clothes, x (N, 1, 28, 28) with pixels from 0 to 1, from Debian's
/// dataset-fashion-mnist. IoError, naming the package, where it is not installed. Xiao, Rasul &
/// Vollgraf (2017).
Split fashion_mnist();
/// fashion_mnist(); where that is not installed, says so and gives digits(), a fifth of it held
/// out.
Split pictures(uint64_t seed);

/// Two Gaussian clouds in the plane, n rows each, their centres `distance` standard deviations
/// apart.
Dataset blobs(int64_t n, double distance, uint64_t seed);
/// `arms` spirals wound into each other, n rows each: radius r from 0.1 to 1, angle turns · 2πr +
/// arm, and normal noise. No straight line separates them.
Dataset spirals(int64_t n, int64_t arms, double turns, double noise, uint64_t seed);

/// PyTorch's first ten steps on Rosenbrock's function with an optimizer: x₁, y₁, x₂, y₂, …
std::vector<double> pytorch_steps(std::string_view optimizer);

/// A file of the folder that $GRADUS_DATA names; or of examples/data above the program, so that a tree may be
/// moved; or of examples/data where it was built. IoError, naming them, where none has it.
std::filesystem::path data_file(const std::string& name);

/// Mini-batches. Each epoch() passes over all rows once, in a new order if `shuffle`; the last
/// batch may be smaller.
///   Batches batches(train, 64, true, seed);
///   for (int64_t epoch = 0; epoch < epochs; ++epoch)
///     for (const auto& [x, y] : batches.epoch()) …
class Batches {
 public:
  /// ValueError for a batch of no rows or a data set of none.
  Batches(const Dataset& data, int64_t batch_size, bool shuffle, uint64_t seed = 0);

  /// Batches per epoch.
  int64_t size() const;

  struct Batch {
    Tensor x, y;
  };
  struct Iterator {
    const Dataset* data;
    Tensor order;  // undefined: as they stand
    int64_t batch_size, from;
    Batch operator*() const;
    Iterator& operator++() { return from += batch_size, *this; }
    bool operator!=(const Iterator& other) const { return from < other.from; }
  };
  struct Epoch {
    Iterator first, last;
    Iterator begin() const { return first; }
    Iterator end() const { return last; }
  };
  Epoch epoch();

 private:
  Dataset data_;  // handles: the numbers are shared
  int64_t batch_size_;
  bool shuffle_;
  Generator generator_;
};

}  // namespace gradus::support
