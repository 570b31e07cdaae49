// Printing as NumPy does: nested brackets, aligned columns, lines of at most 75 columns, an
// ellipsis in tensors of more than 1,000 elements. Only the precision is four digits, not eight.
// The two fmt::formatters are defined here, not in the headers: each instantiates so much of fmt
// that every file including it would take three seconds longer to compile.
#include <cmath>
#include <ostream>

#include "tensor/raw.h"

namespace gradus {

namespace {

constexpr int64_t kEdge = 3;        // elements kept at each end of a long dimension
constexpr int64_t kSummary = 1000;  // tensors of more elements are elided
constexpr size_t kLine = 75;        // columns

/// One format for all numbers of a tensor. No number gets more digits than the longest needs, and
/// the points are aligned: "[1.  , 0.25]". If their sizes are far apart, all get an exponent:
/// "[1.5e-08, 2.0e+00]".
class NumberFormat {
 public:
  NumberFormat(const Tensor& x, int precision) {
    if (x.dtype() == I64) {
      for (int64_t v : x.to_vector<int64_t>()) width_ = std::max(width_, std::to_string(v).size());
      return;
    }
    double smallest = 1e300, largest = 0;
    const std::vector<double> values = x.to_vector<double>();
    for (double v : values) {
      if (!std::isfinite(v) || v == 0) continue;
      smallest = std::min(smallest, std::abs(v));
      largest = std::max(largest, std::abs(v));
    }
    const double least = x.dtype() == F32 ? 1e-4F : 1e-4;
    exponent_ = largest >= 1e8 || smallest < least || largest > 1e3 * smallest;
    for (double v : values)
      if (std::isfinite(v)) digits_ = std::max(digits_, digits_needed(v, precision));
    for (double v : values) width_ = std::max(width_, text(v).size());
  }
  /// `x` is 0-d.
  std::string operator()(const Tensor& x) const {
    const std::string s = x.dtype() == I64 ? std::to_string(x.item_int()) : text(x.item());
    return std::string(width_ - s.size(), ' ') + s;
  }
  size_t width() const { return width_; }

 private:
  /// v with `digits` digits after the point, which is there even without digits: "3.", "3.e+08".
  std::string fixed(double v, int digits) const {
    return exponent_ ? fmt::format("{:#.{}e}", v, digits) : fmt::format("{:#.{}f}", v, digits);
  }
  /// How many of `precision` digits remain when zeros at the end are dropped.
  int digits_needed(double v, int precision) const {
    const std::string s = fixed(v, precision);
    const size_t point = s.find('.'), end = std::min(s.find('e'), s.size());
    const size_t last = s.find_last_not_of('0', end - 1);
    return static_cast<int>(last > point ? last - point : 0);
  }
  std::string text(double v) const {
    if (!std::isfinite(v)) return std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf";
    std::string s = fixed(v, digits_);
    if (exponent_) return s;
    const size_t used = s.find_last_not_of('0') + 1;
    return s.replace(used, s.npos, s.size() - used, ' ');
  }

  bool exponent_ = false;
  int digits_ = 0;
  size_t width_ = 0;
};

/// A row of numbers, `depth` brackets deep, broken where the line would be too long.
void print_row(std::string& out, const std::vector<std::string>& words, int depth) {
  const size_t indent = static_cast<size_t>(depth),
               end = std::max<size_t>(indent, 1);  // "]]" or ","
  size_t column = indent;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && column + 2 + words[i].size() + end > kLine) {
      out += ",\n";
      out.append(indent, ' ');
      column = indent;
    } else if (i > 0) {
      out += ", ";
      column += 2;
    }
    out += words[i];
    column += words[i].size();
  }
}

void print(std::string& out, const Tensor& x, const NumberFormat& format, bool elide, int depth) {
  if (x.dim() == 0) {
    out += format(x);
    return;
  }
  const int64_t n = x.shape()[0];
  const bool gap = elide && n > 2 * kEdge;
  std::vector<std::string> parts;
  for (int64_t i = 0; i < n; ++i) {
    if (gap && i == kEdge) {
      parts.emplace_back("...");
      i = n - kEdge;
    }
    print(parts.emplace_back(), raw::select(x, 0, i), format, elide, depth + 1);
  }
  out += '[';
  if (x.dim() == 1) print_row(out, parts, depth + 1);
  for (size_t i = 0; x.dim() > 1 && i < parts.size(); ++i) {
    if (i > 0) {
      out += ',';
      out.append(static_cast<size_t>(x.dim() - 1), '\n');
      out.append(static_cast<size_t>(depth + 1), ' ');
    }
    out += parts[i];
  }
  out += ']';
}

/// The elements that printing shows, so that the columns fit these and no others.
Tensor shown(const Tensor& x, bool elide) {
  Tensor part = x;
  for (int d = 0; elide && d < x.dim(); ++d)
    if (x.shape()[d] > 2 * kEdge)
      part =
          raw::cat({raw::slice(part, d, 0, kEdge), raw::slice(part, d, -kEdge, x.shape()[d])}, d);
  return part;
}

}  // namespace

std::string Shape::str() const {
  std::string s = "(";
  for (int d = 0; d < ndim_; ++d) s += (d ? ", " : "") + std::to_string(sizes_[d]);
  return s + (ndim_ == 1 ? ",)" : ")");
}

std::string to_string(const Tensor& x, int precision) {
  if (!x.defined()) return "tensor(undefined)";
  if (x.numel() == 0) return "[]";
  const Tensor host = raw::to(x, Device::CPU);
  const bool elide = x.numel() > kSummary;
  std::string out;
  print(out, host, NumberFormat(shown(host, elide), precision), elide, 0);
  return out;
}
std::ostream& operator<<(std::ostream& out, const Tensor& x) { return out << to_string(x); }

}  // namespace gradus

fmt::appender fmt::formatter<gradus::Shape>::format(const gradus::Shape& s,
                                                    fmt::format_context& ctx) const {
  return fmt::format_to(ctx.out(), "{}", s.str());
}
fmt::appender fmt::formatter<gradus::Tensor>::format(const gradus::Tensor& x,
                                                     fmt::format_context& ctx) const {
  return fmt::format_to(ctx.out(), "{}", gradus::to_string(x));
}
