// Floating-point instructions. PTX ISA, section 9.7.3. What a GPU only approximates (ex2.approx and
// the like) is computed as exactly as the C library can.
#include <cfenv>
#include <cmath>

#include "cuda/emulator/ptx_table.h"

namespace simt::ptx {
namespace {

template <class T>
T saturated(T x) {               // .sat: into [0, 1]
  if (!(x > T(0))) return T(0);  // NaN becomes 0, too
  return x < T(1) ? x : T(1);
}

// F in one of the four rounding modes. The call goes through a volatile pointer, so that the
// compiler cannot move it out from between the changes of mode.
template <auto F, int Mode, bool Flush, bool Saturate, class T, class... A>
T variant(A... a) {
  T (*volatile f)(A...) = F;
  if (Mode != FE_TONEAREST) std::fesetround(Mode);
  T y = Flush ? f(flushed(a)...) : f(a...);
  if (Mode != FE_TONEAREST) std::fesetround(FE_TONEAREST);
  if (Flush) y = flushed(y);
  return Saturate ? saturated(y) : y;
}

template <auto F, int Mode, bool Flush, bool Saturate, class T, class... A>
Handler handler(T (*)(A...)) {
  if constexpr (Mode == FE_TONEAREST && !Flush && !Saturate)
    return op<F>;
  else
    return op<[](A... a) { return variant<F, Mode, Flush, Saturate, T, A...>(a...); }>;
}

// All spellings of an operation in one rounding mode: add.rm.f32, add.rm.ftz.f32, …
template <auto F, int Mode, class T>
void spellings(Table& t, const std::string& stem, const std::string& type) {
  t[stem + type] = handler<F, Mode, false, false>(+F);
  if constexpr (sizeof(T) == 4) {
    t[stem + ".ftz" + type] = handler<F, Mode, true, false>(+F);
    t[stem + ".sat" + type] = handler<F, Mode, false, true>(+F);
    t[stem + ".ftz.sat" + type] = handler<F, Mode, true, true>(+F);
  }
}
template <class T, auto F>
void rounded(Table& t, const std::string& name, const std::string& type) {
  spellings<F, FE_TONEAREST, T>(t, name, type);
  spellings<F, FE_TONEAREST, T>(t, name + ".rn", type);
  spellings<F, FE_TOWARDZERO, T>(t, name + ".rz", type);
  spellings<F, FE_DOWNWARD, T>(t, name + ".rm", type);
  spellings<F, FE_UPWARD, T>(t, name + ".rp", type);
}
template <class T, auto F>
void exact(Table& t, const std::string& name, const std::string& type) {
  spellings<F, FE_TONEAREST, T>(t, name, type);
}

template <class T>
void arithmetic(Table& t, const std::string& type) {
  // clang-format off
  rounded<T, [](T a, T b) { return a + b; }>(t, "add", type);
  rounded<T, [](T a, T b) { return a - b; }>(t, "sub", type);
  rounded<T, [](T a, T b) { return a * b; }>(t, "mul", type);
  rounded<T, [](T a, T b, T c) { return std::fma(a, b, c); }>(t, "fma", type);
  rounded<T, [](T a, T b, T c) { return std::fma(a, b, c); }>(t, "mad", type);
  rounded<T, [](T a, T b) { return a / b; }>(t, "div", type);
  rounded<T, [](T a) { return T(1) / a; }>(t, "rcp", type);
  rounded<T, [](T a) { return std::sqrt(a); }>(t, "sqrt", type);
  exact<T, [](T a) { return -a; }>(t, "neg", type);
  exact<T, [](T a) { return std::fabs(a); }>(t, "abs", type);
  exact<T, [](T a, T b) { return minimum(a, b); }>(t, "min", type);
  exact<T, [](T a, T b) { return maximum(a, b); }>(t, "max", type);
  exact<T, [](T a, T b) { return a != a || b != b ? a + b : minimum(a, b); }>(t, "min.NaN", type);
  exact<T, [](T a, T b) { return a != a || b != b ? a + b : maximum(a, b); }>(t, "max.NaN", type);
  exact<T, [](T a, T b) { return std::copysign(b, a); }>(t, "copysign", type);
  t["testp.finite" + type] = op<[](T a) { return bool(std::isfinite(a)); }>;
  t["testp.infinite" + type] = op<[](T a) { return bool(std::isinf(a)); }>;
  t["testp.number" + type] = op<[](T a) { return a == a; }>;
  t["testp.notanumber" + type] = op<[](T a) { return a != a; }>;
  t["testp.normal" + type] = op<[](T a) { return bool(std::isnormal(a)); }>;
  t["testp.subnormal" + type] = op<[](T a) { return std::fpclassify(a) == FP_SUBNORMAL; }>;
  // clang-format on
}

// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64 read and write only the upper half of a double.
double upper_half(double x) {
  return std::bit_cast<double>(std::bit_cast<uint64_t>(x) & 0xFFFFFFFF00000000u);
}

void approximate(Table& t) {
  // clang-format off
  exact<float, [](float a, float b) { return a / b; }>(t, "div.approx", ".f32");
  exact<float, [](float a, float b) { return a / b; }>(t, "div.full", ".f32");
  exact<float, [](float a) { return 1 / a; }>(t, "rcp.approx", ".f32");
  exact<float, [](float a) { return std::sqrt(a); }>(t, "sqrt.approx", ".f32");
  exact<float, [](float a) { return float(1 / std::sqrt(double{a})); }>(t, "rsqrt.approx", ".f32");
  exact<float, [](float a) { return float(std::exp2(double{a})); }>(t, "ex2.approx", ".f32");
  exact<float, [](float a) { return float(std::log2(double{a})); }>(t, "lg2.approx", ".f32");
  exact<float, [](float a) { return float(std::sin(double{a})); }>(t, "sin.approx", ".f32");
  exact<float, [](float a) { return float(std::cos(double{a})); }>(t, "cos.approx", ".f32");
  exact<float, [](float a) { return float(std::tanh(double{a})); }>(t, "tanh.approx", ".f32");
  // clang-format on
  t["rsqrt.approx.f64"] = op<[](double a) { return 1 / std::sqrt(a); }>;
  t["rcp.approx.ftz.f64"] =
      op<[](double a) { return upper_half(flushed(1 / flushed(upper_half(a)))); }>;
  t["rsqrt.approx.ftz.f64"] =
      op<[](double a) { return upper_half(1 / std::sqrt(flushed(upper_half(a)))); }>;
}

}  // namespace

Handler find_float(const Name& name, Instruction&) {
  static const Table table = [] {
    Table t;
    arithmetic<float>(t, ".f32");
    arithmetic<double>(t, ".f64");
    approximate(t);
    return t;
  }();
  return look_up(table, name.full);
}

}  // namespace simt::ptx
