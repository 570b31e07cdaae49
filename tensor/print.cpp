// Printing as NumPy does: nested brackets, aligned columns, dimensions over 1,000 elements elided.
// The two fmt::formatters are defined here and not in the headers: each instantiates so much of fmt
// that every file which includes them took three seconds longer to compile.
#include <cmath>
#include <ostream>

#include "tensor/raw.h"

namespace gradus {

namespace {

constexpr int64_t kEdge = 3;        // elements kept at each end of a long dimension
constexpr int64_t kSummary = 1000;  // elements above which dimensions are elided

/// One format for all numbers of a tensor: whole numbers as "3.", a wide range as "1.5000e-08".
struct NumberFormat {
  DType dtype;
  int precision;
  bool whole = true, exponent = false;
  size_t width = 0;

  NumberFormat(const Tensor& x, int digits) : dtype(x.dtype()), precision(digits) {
    double smallest = 1e300, largest = 0;
    const std::vector<double> values = x.to_vector<double>();
    for (double v : values) {
      if (!std::isfinite(v)) continue;
      whole &= v == std::floor(v);
      if (v != 0) smallest = std::min(smallest, std::abs(v));
      largest = std::max(largest, std::abs(v));
    }
    exponent = dtype != I64 && largest > 0 &&
               (largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1e6) &&
               !(whole && largest < 1e8);
    for (double v : values) width = std::max(width, (*this)(v).size());
  }
  std::string operator()(double v) const {
    if (dtype == I64) return fmt::format("{}", static_cast<int64_t>(v));
    if (!std::isfinite(v)) return std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf";
    if (exponent) return fmt::format("{:.{}e}", v, precision);
    return whole ? fmt::format("{:.0f}.", v) : fmt::format("{:.{}f}", v, precision);
  }
};

void print(std::string& out, const Tensor& x, const NumberFormat& format, bool elide, int depth) {
  if (x.dim() == 0) {
    const std::string s = x.dtype() == I64 ? fmt::format("{}", x.item_int()) : format(x.item());
    out += fmt::format("{:>{}}", s, format.width);
    return;
  }
  const int64_t n = x.shape()[0];
  out += '[';
  for (int64_t i = 0; i < n; ++i) {
    if (i > 0) {
      out += x.dim() == 1 ? ", " : ",";
      if (x.dim() > 1) {
        out.append(static_cast<size_t>(x.dim() - 1), '\n');
        out.append(static_cast<size_t>(depth + 1), ' ');
      }
    }
    if (elide && n > 2 * kEdge && i == kEdge) {
      out += "...";
      i = n - kEdge - 1;
      continue;
    }
    print(out, raw::select(x, 0, i), format, elide, depth + 1);
  }
  out += ']';
}

/// What printing will show, as one flat tensor, so that the columns fit it and nothing else.
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
