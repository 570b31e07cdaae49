#pragma once
// The mathematics of every elementwise function, written once for both g++ and nvcc. To add one,
// write a functor here, its name in the variant at the end, the op with its derivative in
// autograd/, and a row in the op table of tests/. `name` is what errors call it; `integers` says
// whether it makes sense for I64.
#include <variant>

#include "tensor/scalar_math.h"

namespace gradus::scalar {

#define GRADUS_UNARY(text, ints)            \
  static constexpr const char* name = text; \
  static constexpr bool integers = ints;    \
  template <class T>                        \
  GRADUS_HD T operator()(T x) const

// clang-format off
struct Neg        { GRADUS_UNARY("neg", true) { return -x; } };
struct Abs        { GRADUS_UNARY("abs", true) { return x < T(0) ? -x : x + T(0); } };
struct Sign       { GRADUS_UNARY("sign", true) {
  return x > T(0) ? T(1) : x < T(0) ? T(-1) : x == x ? T(0) : x; } };
struct Square     { GRADUS_UNARY("square", true) { return x * x; } };
struct Exp        { GRADUS_UNARY("exp", false) { return scalar::exp(x); } };
struct Log        { GRADUS_UNARY("log", false) { return std::log(x); } };
struct Sqrt       { GRADUS_UNARY("sqrt", false) { return std::sqrt(x); } };
struct Rsqrt      { GRADUS_UNARY("rsqrt", false) { return T(1) / std::sqrt(x); } };
struct Reciprocal { GRADUS_UNARY("reciprocal", false) { return T(1) / x; } };
struct Sin        { GRADUS_UNARY("sin", false) { return std::sin(x); } };
struct Cos        { GRADUS_UNARY("cos", false) { return std::cos(x); } };
struct Tanh       { GRADUS_UNARY("tanh", false) { return scalar::tanh(x); } };
struct Erf        { GRADUS_UNARY("erf", false) { return std::erf(x); } };
struct Sigmoid    { GRADUS_UNARY("sigmoid", false) { return scalar::sigmoid(x); } };
struct Relu       { GRADUS_UNARY("relu", true) { return x > T(0) ? x : x == x ? T(0) : x; } };
struct Silu       { GRADUS_UNARY("silu", false) {
  return x == -std::numeric_limits<T>::infinity() ? T(0) : x * scalar::sigmoid(x); } };
// log(1 + e^x), without overflow: max(x, 0) + log1p(e^-|x|)
struct Softplus   { GRADUS_UNARY("softplus", false) {
  return (x > T(0) ? x : T(0)) + std::log1p(scalar::exp(x > T(0) ? -x : x)); } };
struct Gelu       { GRADUS_UNARY("gelu", false) {
  return T(0.5) * x * (T(1) + std::erf(x * T(0.70710678118654752440))); } };
struct LeakyRelu  { double slope; GRADUS_UNARY("leaky_relu", false) {
  return x > T(0) ? x : x * static_cast<T>(slope); } };
struct AddScalar  { double c; GRADUS_UNARY("add", true) { return x + static_cast<T>(c); } };
struct MulScalar  { double c; GRADUS_UNARY("mul", true) { return x * static_cast<T>(c); } };
struct PowScalar  { double p; GRADUS_UNARY("pow", false) {
  return static_cast<T>(std::pow(x, static_cast<T>(p))); } };
struct Clamp      { double lo, hi; GRADUS_UNARY("clamp", false) {
  const T raised = x < static_cast<T>(lo) ? static_cast<T>(lo) : x;
  return raised > static_cast<T>(hi) ? static_cast<T>(hi) : raised; } };
// clang-format on

/// The tanh form of gelu: 0.5 x (1 + tanh u) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3).
struct GeluTanh {
  template <class T>
  static GRADUS_HD T two_u(T x) {
    return T(1.5957691216057308) * (x + T(0.044715) * x * x * x);
  }
  GRADUS_UNARY("gelu", false) {
    const T s = scalar::sigmoid(two_u(x));
    return s == T(0) ? T(0) : x * s;
  }
};

#undef GRADUS_UNARY

#define GRADUS_BINARY(text, ints)           \
  static constexpr const char* name = text; \
  static constexpr bool integers = ints;    \
  template <class T>                        \
  GRADUS_HD T operator()(T a, T b) const

// clang-format off
struct Add      { GRADUS_BINARY("add", true) { return a + b; } };
struct Sub      { GRADUS_BINARY("sub", true) { return a - b; } };
struct Mul      { GRADUS_BINARY("mul", true) { return a * b; } };
struct Div      { GRADUS_BINARY("div", false) { return a / b; } };
struct Pow      { GRADUS_BINARY("pow", false) { return std::pow(a, b); } };
// If a or b is NaN, so is the result.
struct Maximum  { GRADUS_BINARY("maximum", true) { return a > b ? a : a == a ? b : a; } };
struct Minimum  { GRADUS_BINARY("minimum", true) { return a < b ? a : a == a ? b : a; } };
// Backward kernels: (upstream gradient g, input x) -> gradient of x, in one pass over memory.
struct ReluBackward { GRADUS_BINARY("relu_backward", false) {
  return b > T(0) ? a : b == b ? T(0) : b; } };
struct LeakyReluBackward { double slope; GRADUS_BINARY("leaky_relu_backward", false) {
  return b > T(0) ? a : a * static_cast<T>(slope); } };
struct SiluBackward { GRADUS_BINARY("silu_backward", false) {
  const T s = scalar::sigmoid(b); return s == T(0) ? T(0) : a * (s + b * s * (T(1) - s)); } };
struct GeluBackward { GRADUS_BINARY("gelu_backward", false) {
  const T cdf = T(0.5) * (T(1) + std::erf(b * T(0.70710678118654752440)));
  return a * (cdf + b * T(0.39894228040143267794) * scalar::exp(T(-0.5) * b * b)); } };
struct GeluTanhBackward { GRADUS_BINARY("gelu_tanh_backward", false) {
  const T s = scalar::sigmoid(GeluTanh::two_u(b)), slope = s * (T(1) - s);
  const T du = b * T(1.5957691216057308) * (T(1) + T(0.134145) * b * b);
  return a * (s + (slope == T(0) ? T(0) : slope * du)); } };
// clang-format on

#undef GRADUS_BINARY

#define GRADUS_COMPARE(text, relation)           \
  static constexpr const char* name = text;      \
  template <class T>                             \
  GRADUS_HD int64_t operator()(T a, T b) const { \
    return a relation b ? 1 : 0;                 \
  }

// clang-format off
struct Eq { GRADUS_COMPARE("eq", ==) };
struct Ne { GRADUS_COMPARE("ne", !=) };
struct Lt { GRADUS_COMPARE("lt", <) };
struct Le { GRADUS_COMPARE("le", <=) };
struct Gt { GRADUS_COMPARE("gt", >) };
struct Ge { GRADUS_COMPARE("ge", >=) };
// clang-format on
#undef GRADUS_COMPARE

/// The least and the greatest value of a T: infinite, if T has infinities.
template <class T>
constexpr T least() {
  using Limits = std::numeric_limits<T>;
  return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
}
template <class T>
constexpr T greatest() {
  using Limits = std::numeric_limits<T>;
  return Limits::has_infinity ? Limits::infinity() : Limits::max();
}

// Reductions: how to combine two numbers, and `start`, which changes nothing when it is combined. A
// comparison with NaN is false; the test b != b lets a NaN in, and then it stays.
#define GRADUS_REDUCE(text, start_value)    \
  static constexpr const char* name = text; \
  template <class T>                        \
  static constexpr T start() {              \
    return start_value;                     \
  }                                         \
  template <class T>                        \
  GRADUS_HD T operator()(T a, T b) const

// clang-format off
struct Sum { GRADUS_REDUCE("sum", T(0)) { return a + b; } };
struct Max { GRADUS_REDUCE("max", least<T>()) { return b > a || b != b ? b : a; } };
struct Min { GRADUS_REDUCE("min", greatest<T>()) { return b < a || b != b ? b : a; } };
// clang-format on
#undef GRADUS_REDUCE

}  // namespace gradus::scalar

namespace gradus {

using UnaryOp =
    std::variant<scalar::Neg, scalar::Abs, scalar::Sign, scalar::Square, scalar::Exp, scalar::Log,
                 scalar::Sqrt, scalar::Rsqrt, scalar::Reciprocal, scalar::Sin, scalar::Cos,
                 scalar::Tanh, scalar::Erf, scalar::Sigmoid, scalar::Relu, scalar::Silu,
                 scalar::Softplus, scalar::Gelu, scalar::GeluTanh, scalar::LeakyRelu,
                 scalar::AddScalar, scalar::MulScalar, scalar::PowScalar, scalar::Clamp>;
using BinaryOp =
    std::variant<scalar::Add, scalar::Sub, scalar::Mul, scalar::Div, scalar::Pow, scalar::Maximum,
                 scalar::Minimum, scalar::ReluBackward, scalar::LeakyReluBackward,
                 scalar::SiluBackward, scalar::GeluBackward, scalar::GeluTanhBackward>;
using CompareOp =
    std::variant<scalar::Eq, scalar::Ne, scalar::Lt, scalar::Le, scalar::Gt, scalar::Ge>;
using ReduceOp = std::variant<scalar::Sum, scalar::Max, scalar::Min>;

}  // namespace gradus
