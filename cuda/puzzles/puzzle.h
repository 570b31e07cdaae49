// The vocabulary in which the tests of a puzzle are written:
//
//   const puzzle::Array a = t.numbers("a", {n}), out = t.result("out", {n});   on host and device
//   launch<map>({1, n}, a.device(), out.device());
//   t.expect(out, [&](int i) { return a[i] * a[i]; });         what out[i] should be
//
// `expect` ends a test: it waits for the kernel and compares. If something is wrong, it says what.
// For small arrays it also draws them and lists what each thread read and wrote. Then the program
// ends, so a puzzle's tests go from small to large.
#pragma once
#include <string>
#include <type_traits>
#include <vector>

#include "cuda/gpu.h"

namespace puzzle {

/// One dimension, {n}, or two, {rows, columns}, row after row.
struct Shape {
  int rows, columns;
  bool flat;
  Shape(int n) : rows(1), columns(n), flat(true) {}
  Shape(int rows_, int columns_) : rows(rows_), columns(columns_), flat(false) {}
  int size() const { return rows * columns; }
};

/// Floats with a name: their values on the host, and memory of the same size on the device.
class Array {
 public:
  Array(const char* name, Shape shape, const std::vector<float>& values);
  ~Array();
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  float operator[](int i) const { return values_[i]; }
  float operator()(int row, int column) const { return values_[row * shape_.columns + column]; }
  float* device() const { return device_; }
  int size() const { return shape_.size(); }
  const char* name() const { return name_; }
  const Shape& shape() const { return shape_; }
  std::vector<float> fetch() const;  ///< what is on the device now

 private:
  const char* name_;
  Shape shape_;
  std::vector<float> values_;
  float* device_ = nullptr;
};

enum class Memory { global, shared };

class Tests {
 public:
  /// Whole numbers from `low` to 9, the same in every run.
  Array numbers(const char* name, Shape shape, int low = -9);
  /// Numbers around `centre`, at most `spread` away.
  Array reals(const char* name, Shape shape, float centre, float spread);
  /// An array for the kernel to fill.
  Array result(const char* name, Shape shape);

  /// In this test, all threads together may load at most `loads` numbers of `array` from global
  /// memory. Only the emulator counts them.
  void limit_loads(const Array& array, int loads);
  /// In this test, each thread may load at most `loads` numbers from this kind of memory.
  void limit_loads_per_thread(Memory memory, int loads);

  /// Ends a test: `wanted(i)`, or `wanted(row, column)`, is what should be in `result`, up to
  /// tolerance * (1 + |wanted|). Throws Failed, which ends the program, if it is not.
  template <class Wanted>
  void expect(const Array& result, Wanted wanted, float tolerance = 1e-5f) {
    std::vector<float> values;
    for (int i = 0; i < result.size(); ++i) {
      if constexpr (std::is_invocable_v<Wanted, int, int>) {
        values.push_back(wanted(i / result.shape().columns, i % result.shape().columns));
      } else {
        values.push_back(wanted(i));
      }
    }
    compare(result, values, tolerance);
  }

 private:
  struct Limit {
    const Array* array;  ///< null: the limit is for each thread, for all arrays together
    Memory memory;
    int loads;
  };
  void compare(const Array& result, const std::vector<float>& wanted, float tolerance);
  void enforce(const Limit& limit, const std::string& test) const;

  int test_ = 1;
  std::vector<Limit> limits_;
};

/// A test failed, and the reason has been printed.
struct Failed {};

}  // namespace puzzle

/// Every puzzle defines its own.
void tests(puzzle::Tests& t);
