#pragma once
// A short list of sizes or strides, stored in place: what every tensor carries should not allocate.
#include <algorithm>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "tensor/error.h"
#include "tensor/view.h"

namespace gradus {

class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  Shape(const std::vector<int64_t>& sizes) : Shape(std::span<const int64_t>(sizes)) {}
  Shape(std::span<const int64_t> sizes) {
    for (int64_t s : sizes) push_back(s);
  }
  static Shape filled(int ndim, int64_t value) {
    Shape s;
    for (int d = 0; d < ndim; ++d) s.push_back(value);
    return s;
  }

  int size() const { return ndim_; }
  bool empty() const { return ndim_ == 0; }
  int64_t& operator[](int d) { return sizes_[d]; }
  int64_t operator[](int d) const { return sizes_[d]; }
  int64_t back() const { return sizes_[ndim_ - 1]; }
  int64_t* begin() { return sizes_; }
  int64_t* end() { return sizes_ + ndim_; }
  const int64_t* begin() const { return sizes_; }
  const int64_t* end() const { return sizes_ + ndim_; }

  void push_back(int64_t s) {
    check<ShapeError>(ndim_ < kMaxDims, "shape: more than {} dimensions", kMaxDims);
    sizes_[ndim_++] = s;
  }
  void insert(int d, int64_t s) {
    push_back(s);
    std::rotate(begin() + d, end() - 1, end());
  }
  void erase(int d) {
    std::copy(begin() + d + 1, end(), begin() + d);
    --ndim_;
  }
  int64_t numel() const {
    int64_t n = 1;
    for (int64_t s : *this) n *= s;
    return n;
  }
  /// The same for sizes that come from outside: ShapeError if one is negative, or if there are more
  /// elements than any memory holds.
  int64_t checked_numel(const char* op) const;
  /// The strides, in elements, of a tensor of this shape laid out row after row.
  Shape contiguous_strides() const {
    Shape strides = *this;
    int64_t n = 1;
    for (int d = ndim_ - 1; d >= 0; --d) {
      strides[d] = n;
      n *= std::max<int64_t>(sizes_[d], 1);
    }
    return strides;
  }
  /// As Python prints a tuple: (), (3,), (2, 3).
  std::string str() const;
  friend bool operator==(const Shape& a, const Shape& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  int ndim_ = 0;
  int64_t sizes_[kMaxDims];
};

}  // namespace gradus

template <>
struct fmt::formatter<gradus::Shape> {
  constexpr auto parse(fmt::format_parse_context& ctx) { return ctx.begin(); }
  fmt::appender format(const gradus::Shape& s, fmt::format_context& ctx) const;  // as s.str()
};
