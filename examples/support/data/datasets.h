#pragma once
// Data sets as tensors: x has one row per example, and y holds its class. Two data sets come with
// the repository (examples/data), one is a Debian package, two are generated.
//
// A model is judged on rows that it never saw. split_by_class() holds them out. A Standardizer
// measures the training rows only, because even a mean over all rows would leak something about the
// held-out rows into the training.
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

/// A seed for one purpose. Two generators with the same seed draw the same numbers. If a split used
/// the numbers that made the noise in the data, it could hold out the noisiest rows.
uint64_t seed_for(std::string_view purpose, uint64_t seed);

/// The rows of `data` with these indices, as a copy.
Dataset select_rows(const Dataset& data, const Tensor& index);
/// The rows from `start` up to, but not including, `stop`, as a view.
Dataset slice_rows(const Dataset& data, int64_t start, int64_t stop);

struct Split {
  Dataset train, test;
};
/// Holds out `test_fraction` of every class (rounded), drawn by `seed`, so that both parts have the
/// classes in the same proportion. Both keep the order of `data`. Throws ValueError if either part
/// would get no row of some class.
Split split_by_class(const Dataset& data, double test_fraction, uint64_t seed);

/// (x - mean) / std of each column, both measured on the rows given to the constructor. A column
/// that never changes becomes 0.
class Standardizer {
 public:
  explicit Standardizer(const Tensor& x);  // (N, C)
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor mean_, scale_;  // (C,)
};

/// Wisconsin breast cancer, 569 × 30: 0 benign, 1 malignant. See examples/data/README.md.
Dataset breast_cancer();
/// 1797 pictures of digits, x (N, 1, 8, 8) with pixels from 0 to 1. See examples/data/README.md.
Dataset digits();
/// 60,000 and 10,000 pictures of clothes, x (N, 1, 28, 28) with pixels from 0 to 1 (Xiao, Rasul &
/// Vollgraf, 2017). They come from Debian's package dataset-fashion-mnist. Throws IoError, which
/// names the package, if it is not installed.
Split fashion_mnist();
/// fashion_mnist() if it is installed. Otherwise says so and returns digits() with a fifth held
/// out.
Split pictures(uint64_t seed);

/// Two Gaussian clouds in the plane with n rows each. Their centres are `distance` standard
/// deviations apart.
Dataset blobs(int64_t n, double distance, uint64_t seed);
/// `arms` spirals wound into each other, with n rows each, radii r from 0.1 to 1, and normal noise.
/// The angle is 2π (turns · r + arm / arms). No straight line separates the spirals.
Dataset spirals(int64_t n, int64_t arms, double turns, double noise, uint64_t seed);

/// PyTorch's first ten steps on Rosenbrock's function with this optimizer: x₁, y₁, x₂, y₂, …
std::vector<double> pytorch_steps(std::string_view optimizer);

/// The path of a data file. Looks in the folder that $GRADUS_DATA names; then in examples/data
/// above the program, so that the tree can be moved; then in examples/data where the program was
/// built. Throws IoError, which names all three, if none has it.
std::filesystem::path data_file(const std::string& name);

/// Mini-batches. Each epoch() visits every row once, in a new order if `shuffle`. The last batch
/// may be smaller.
///   Batches batches(train, 64, true, seed);
///   for (int64_t epoch = 0; epoch < epochs; ++epoch)
///     for (const auto& [x, y] : batches.epoch()) …
class Batches {
 public:
  /// Throws ValueError if the batches or the data set have no rows.
  Batches(const Dataset& data, int64_t batch_size, bool shuffle, uint64_t seed = 0);

  /// Batches per epoch.
  int64_t size() const;

  struct Batch {
    Tensor x, y;
  };
  struct Iterator {
    const Dataset* data;
    Tensor order;  // undefined if the rows keep their order
    int64_t batch_size, start;
    Batch operator*() const;
    Iterator& operator++() {
      start += batch_size;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return start < other.start; }
  };
  struct Epoch {
    Iterator first, last;
    Iterator begin() const { return first; }
    Iterator end() const { return last; }
  };
  Epoch epoch();

 private:
  Dataset data_;  // a copy that shares its numbers
  int64_t batch_size_;
  bool shuffle_;
  Generator generator_;
};

}  // namespace gradus::support
