// The PTX interpreter (cuda/emulator/ptx.h): each instruction compared with C++, on awkward values.
// tests/cuda/test_ptx_kernels.cu has the other tests.
#include "tests/cuda/device.h"

#if defined(SIMT_EMULATOR)
  #include <algorithm>
  #include <cmath>
  #include <cstdlib>
  #include <limits>
  #include <map>

  #include "cuda/emulator/ptx.h"

namespace {

using namespace simt;

/// Runs one instruction on the registers %a, %b, %c and the predicate %p. Returns %d.
uint64_t run(const std::string& instruction, uint64_t a, uint64_t b = 0, uint64_t c = 0) {
  static std::map<std::string, std::unique_ptr<ptx::Module>> parsed;
  auto& module = parsed[instruction];
  if (!module)
    module = ptx::parse(R"(
      .func (.param .b64 result) f(.param .b64 x, .param .b64 y, .param .b64 z) {
        .reg .b64 %d, %a, %b, %c;
        .reg .pred %p, %q;
        ld.param.b64 %a, [x];
        ld.param.b64 %b, [y];
        ld.param.b64 %c, [z];
        setp.ne.b64 %p, %c, 0;
        mov.b64 %d, 0;
        )" + instruction + R"(
        st.param.b64 [result], %d;
        ret;
      })",
                        "test");
  const ptx::Function& f = *module->functions.at("f");
  ptx::Machine machine(f);
  const uint64_t arguments[] = {a, b, c};
  for (size_t k = 0; k < 3; ++k)
    std::memcpy(machine.frame() + f.parameters[k].offset, &arguments[k], 8);
  machine.run();
  uint64_t result = 0;
  std::memcpy(&result, machine.frame() + f.results[0].offset, 8);
  return result;
}

template <class T>
std::vector<T> awkward() {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>)
    return {T(0),
            T(-0.0),
            T(1),
            T(-1),
            T(1.5),
            T(-2.5),
            T(1) / 3,
            T(1e10),
            T(-1e20),
            Limits::min(),
            Limits::denorm_min(),
            Limits::max(),
            Limits::lowest(),
            Limits::epsilon(),
            Limits::infinity(),
            -Limits::infinity(),
            Limits::quiet_NaN()};
  else
    return {T(0),
            T(1),
            T(-1),
            T(2),
            T(3),
            T(7),
            T(31),
            T(32),
            T(33),
            T(64),
            T(100),
            T(0x12345678),
            Limits::max(),
            Limits::min(),
            T(Limits::max() - 1),
            T(Limits::min() + 1)};
}

template <class T>
bool equal(T a, T b) {
  if (a != a && b != b) return true;
  return std::memcmp(&a, &b, sizeof a) == 0;  // tells 0 from -0
}

/// Counts a difference between the instruction and the function for these operands, and shows the
/// first one.
template <class R, class... A>
void compare(const std::string& instruction, R (*expected)(A...), int& wrong, A... a) {
  const R got = from_bits<R>(run(instruction, to_bits(a)...)), wanted = expected(a...);
  if (equal(got, wanted) || wrong++) return;
  const std::string operands = (... + (std::to_string(a) + " "));
  MESSAGE(instruction, " of ", operands, "gives ", got, ", should be ", wanted);
}

/// Checks that the instruction computes the same as the function, for all awkward operands.
template <class R, class A>
void agree(const std::string& instruction, R (*expected)(A)) {
  int wrong = 0;
  for (const A a : awkward<A>()) compare(instruction, expected, wrong, a);
  CHECK_MESSAGE(wrong == 0, instruction);
}
template <class R, class A, class B>
void agree(const std::string& instruction, R (*expected)(A, B)) {
  int wrong = 0;
  for (const A a : awkward<A>())
    for (const B b : awkward<B>()) compare(instruction, expected, wrong, a, b);
  CHECK_MESSAGE(wrong == 0, instruction);
}
template <class R, class A, class B, class C>
void agree(const std::string& instruction, R (*expected)(A, B, C)) {
  int wrong = 0;
  for (const A a : awkward<A>())
    for (const B b : awkward<B>())
      for (const C c : awkward<C>()) compare(instruction, expected, wrong, a, b, c);
  CHECK_MESSAGE(wrong == 0, instruction);
}
template <class F>
void agree(const std::string& instruction, F expected) {
  agree(instruction, +expected);
}

}  // namespace

TEST_CASE("ptx: integers") {
  agree("add.s32 %d, %a, %b;", [](uint32_t a, uint32_t b) { return a + b; });
  agree("sub.s64 %d, %a, %b;", [](uint64_t a, uint64_t b) { return a - b; });
  agree("mul.lo.s32 %d, %a, %b;", [](uint32_t a, uint32_t b) { return a * b; });
  agree("mul.wide.s32 %d, %a, %b;", [](int32_t a, int32_t b) { return int64_t{a} * b; });
  agree("mul.wide.u16 %d, %a, %b;", [](uint16_t a, uint16_t b) { return uint32_t{a} * b; });
  agree("mul.hi.u32 %d, %a, %b;",
        [](uint32_t a, uint32_t b) { return uint32_t(uint64_t{a} * b >> 32); });
  agree("mul.hi.s64 %d, %a, %b;",
        [](int64_t a, int64_t b) { return int64_t(__int128{a} * b >> 64); });
  agree("mad.lo.s32 %d, %a, %b, %c;", [](uint32_t a, uint32_t b, uint32_t c) { return a * b + c; });
  agree("max.s32 %d, %a, %b;", [](int32_t a, int32_t b) { return a < b ? b : a; });
  agree("min.u64 %d, %a, %b;", [](uint64_t a, uint64_t b) { return b < a ? b : a; });
  agree("abs.s32 %d, %a;", [](int32_t a) { return a < 0 ? 0u - uint32_t(a) : uint32_t(a); });
  agree("div.u32 %d, %a, %b;", [](uint32_t a, uint32_t b) { return b ? a / b : ~0u; });
  agree("div.s64 %d, %a, %b;", [](int64_t a, int64_t b) {
    if (b == 0) return int64_t{-1};
    return b == -1 ? int64_t(0 - uint64_t(a)) : a / b;
  });
  agree("rem.s32 %d, %a, %b;", [](int32_t a, int32_t b) {
    if (b == 0) return a;
    return b == -1 ? 0 : a % b;
  });
  agree("shl.b32 %d, %a, %b;",
        [](uint32_t a, uint32_t n) { return n < 32 ? uint32_t(uint64_t{a} << n) : 0; });
  agree("shr.s32 %d, %a, %b;",
        [](int32_t a, uint32_t n) { return int32_t(int64_t{a} >> (n < 32 ? n : 32)); });
  agree("shr.u64 %d, %a, %b;", [](uint64_t a, uint32_t n) { return n < 64 ? a >> n : 0; });
  agree("popc.b64 %d, %a;", [](uint64_t a) { return uint32_t(__builtin_popcountll(a)); });
  agree("clz.b32 %d, %a;", [](uint32_t a) { return a ? uint32_t(__builtin_clz(a)) : 32u; });
  agree("bfind.u32 %d, %a;", [](uint32_t a) { return a ? 31u - uint32_t(__builtin_clz(a)) : ~0u; });
  agree("bfind.shiftamt.s32 %d, %a;", [](int32_t a) {
    const auto u = uint32_t(a < 0 ? ~a : a);
    return u ? uint32_t(__builtin_clz(u)) : ~0u;
  });
  agree("brev.b32 %d, %a;", [](uint32_t a) {
    uint32_t r = 0;
    for (int k = 0; k < 32; ++k) r = r << 1 | (a >> k & 1);
    return r;
  });
  agree("selp.b32 %d, %a, %b, %p;", [](uint32_t a, uint32_t b, uint64_t p) { return p ? a : b; });
  agree("add.sat.s32 %d, %a, %b;", [](int32_t a, int32_t b) {
    int32_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return a < 0 ? INT32_MIN : INT32_MAX;
  });
}

TEST_CASE("ptx: bit fields, bytes and truth tables") {
  CHECK(run("bfe.u32 %d, %a, 4, 8;", 0xABCDEF12) == 0xF1);
  CHECK(int32_t(run("bfe.s32 %d, %a, 4, 8;", 0xABCDEF12)) == -15);
  CHECK(run("bfe.u32 %d, %a, 28, 8;", 0xABCDEF12) == 0xA);
  CHECK(run("bfe.u64 %d, %a, 40, 64;", 0xABCDEF1234567890) == 0xABCDEF);
  CHECK(run("bfe.u32 %d, %a, 3, 0;", ~0u) == 0);
  CHECK(run("bfi.b32 %d, %a, %b, 8, 4;", 0xFF, 0x12345678) == 0x12345F78);
  CHECK(run("bfi.b64 %d, %a, %b, 32, 32;", 1, 2) == 0x100000002);
  CHECK(run("prmt.b32 %d, %a, %b, 0x3715;", 0x33221100, 0x77665544) == 0x33771155);
  CHECK(run("prmt.b32 %d, %a, %b, 0x8888;", 0x80, 0) == 0xFFFFFFFF);
  CHECK(run("lop3.b32 %d, %a, %b, %c, 0x96;", 0xFF00, 0xF0F0, 0xCCCC) ==
        (0xFF00 ^ 0xF0F0 ^ 0xCCCC));
  CHECK(run("lop3.b32 %d, %a, %b, %c, 0xE2;", 0xF, 0x33, 0x55) ==
        ((0xF & 0x33) | (~0x33u & 0x55)));  // b ? a : c
  CHECK(run("shf.l.wrap.b32 %d, %a, %b, 8;", 0x12345678, 0x9ABCDEF0) == 0xBCDEF012);
  CHECK(run("shf.r.wrap.b32 %d, %a, %b, 40;", 0x12345678, 0x9ABCDEF0) == 0xF0123456);
  CHECK(run("shf.r.clamp.b32 %d, %a, %b, 40;", 0x12345678, 0x9ABCDEF0) == 0x9ABCDEF0);
  CHECK(run("{ .reg .b32 %l, %h; mov.b64 {%l, %h}, %a; mov.b64 %d, {%h, %l}; }",
            0x1122334455667788) == 0x5566778811223344);
  CHECK(run("{ .reg .b32 %h; mov.b64 {_, %h}, %a; mov.b32 %d, %h; }", 0x1122334455667788) ==
        0x11223344);
}

TEST_CASE("ptx: a carry goes through additions of many words") {
  const std::string wide = R"({
    .reg .b32 %l, %h, %m, %n, %s, %t;
    mov.b64 {%l, %h}, %a; mov.b64 {%m, %n}, %b;
    )";
  for (const uint64_t a : awkward<uint64_t>())
    for (const uint64_t b : awkward<uint64_t>()) {
      CHECK(run(wide + "add.cc.u32 %s, %l, %m; addc.u32 %t, %h, %n; mov.b64 %d, {%s, %t}; }", a,
                b) == a + b);
      CHECK(run(wide + "sub.cc.u32 %s, %l, %m; subc.u32 %t, %h, %n; mov.b64 %d, {%s, %t}; }", a,
                b) == a - b);
      CHECK(run(wide + R"(
              mul.lo.u32 %s, %l, %m; mul.hi.u32 %t, %l, %m;
              mad.lo.cc.u32 %t, %l, %n, %t; madc.hi.u32 %l, %l, %n, 0;
              mad.lo.u32 %t, %h, %m, %t; mov.b64 %d, {%s, %t}; })",
                a, b) == a * b);
    }
}

TEST_CASE_TEMPLATE("ptx: floating point", T, float, double) {
  const std::string t = sizeof(T) == 4 ? ".f32 " : ".f64 ";
  agree("add.rn" + t + "%d, %a, %b;", [](T a, T b) { return a + b; });
  agree("sub" + t + "%d, %a, %b;", [](T a, T b) { return a - b; });
  agree("mul" + t + "%d, %a, %b;", [](T a, T b) { return a * b; });
  agree("div.rn" + t + "%d, %a, %b;", [](T a, T b) { return a / b; });
  agree("fma.rn" + t + "%d, %a, %b, %c;", [](T a, T b, T c) { return std::fma(a, b, c); });
  agree("sqrt.rn" + t + "%d, %a;", [](T a) { return std::sqrt(a); });
  agree("rcp.rn" + t + "%d, %a;", [](T a) { return 1 / a; });
  agree("neg" + t + "%d, %a;", [](T a) { return -a; });
  agree("copysign" + t + "%d, %a, %b;", [](T a, T b) { return std::copysign(b, a); });
  agree("min" + t + "%d, %a, %b;", [](T a, T b) {
    if (a == 0 && b == 0) return std::signbit(a) ? a : b;
    return std::fmin(a, b);
  });
  agree("max" + t + "%d, %a, %b;", [](T a, T b) {
    if (a == 0 && b == 0) return std::signbit(a) ? b : a;
    return std::fmax(a, b);
  });
  agree("max.NaN" + t + "%d, %a, %b;", [](T a, T b) {
    if (a != a || b != b) return std::numeric_limits<T>::quiet_NaN();
    if (a == 0 && b == 0) return std::signbit(a) ? b : a;
    return std::fmax(a, b);
  });
  for (const auto& [name, relation] :
       std::map<std::string, bool (*)(T, T)>{{"eq", [](T a, T b) { return a == b; }},
                                             {"ne", [](T a, T b) { return a < b || a > b; }},
                                             {"le", [](T a, T b) { return a <= b; }},
                                             {"neu", [](T a, T b) { return !(a == b); }},
                                             {"gtu", [](T a, T b) { return !(a <= b); }},
                                             {"num", [](T a, T b) { return a == a && b == b; }},
                                             {"nan", [](T a, T b) { return a != a || b != b; }}})
    agree("setp." + name + t + "%q, %a, %b; selp.b64 %d, 1, 0, %q;", relation);
}

TEST_CASE("ptx: rounding, flushing, saturation") {
  const auto f = [](const char* text, float a, float b = 0, float c = 0) {
    return from_bits<float>(run(text, to_bits(a), to_bits(b), to_bits(c)));
  };
  const float above = std::nextafter(1.0f, 2.0f), below = std::nextafter(1.0f, 0.0f);
  CHECK(f("add.rn.f32 %d, %a, %b;", 1, 1e-30f) == 1.0f);
  CHECK(f("add.rp.f32 %d, %a, %b;", 1, 1e-30f) == above);
  CHECK(f("add.rm.f32 %d, %a, %b;", 1, 1e-30f) == 1.0f);
  CHECK(f("add.rm.f32 %d, %a, %b;", 1, -1e-30f) == below);
  CHECK(f("add.rz.f32 %d, %a, %b;", -1, 1e-30f) == -below);
  CHECK(f("fma.rm.f32 %d, %a, %b, %c;", 1e-20f, -1e-20f, 1) == below);
  CHECK(f("fma.rn.sat.f32 %d, %a, %b, %c;", 2, 3, 4) == 1.0f);
  CHECK(f("add.sat.f32 %d, %a, %b;", NAN, 4) == 0.0f);
  CHECK(f("mul.ftz.f32 %d, %a, %b;", 1e-40f, 1e10f) == 0.0f);
  CHECK(f("mul.f32 %d, %a, %b;", 1e-40f, 1e10f) > 0.0f);
  CHECK(f("ex2.approx.ftz.f32 %d, %a;", -130) == 0.0f);
  CHECK(f("ex2.approx.f32 %d, %a;", 3) == 8.0f);
  CHECK(f("lg2.approx.f32 %d, %a;", 32) == 5.0f);
  CHECK(f("rsqrt.approx.f32 %d, %a;", 16) == 0.25f);
  CHECK(from_bits<double>(run("rcp.approx.ftz.f64 %d, %a;", to_bits(3.0))) ==
        doctest::Approx(1 / 3.0).epsilon(1e-6));
  CHECK((run("rcp.approx.ftz.f64 %d, %a;", to_bits(3.0)) & 0xFFFFFFFF) == 0);
}

TEST_CASE("ptx: conversions") {
  agree("cvt.s64.s32 %d, %a;", [](int32_t a) { return int64_t{a}; });
  agree("cvt.u64.u32 %d, %a;", [](uint32_t a) { return uint64_t{a}; });
  agree("cvt.u32.u64 %d, %a;", [](uint64_t a) { return uint32_t(a); });
  agree("cvt.s32.s8 %d, %a;", [](int8_t a) { return int32_t{a}; });
  agree("cvt.sat.u8.s32 %d, %a;", [](int32_t a) { return uint32_t(std::clamp(a, 0, 255)); });
  agree("cvt.rn.f32.s64 %d, %a;", [](int64_t a) { return float(a); });
  agree("cvt.rn.f64.u64 %d, %a;", [](uint64_t a) { return double(a); });
  agree("cvt.rn.f32.f64 %d, %a;", [](double a) { return float(a); });
  agree("cvt.f64.f32 %d, %a;", [](float a) { return double(a); });
  agree("cvt.rni.f32.f32 %d, %a;", [](float a) { return std::nearbyint(a); });
  agree("cvt.rmi.f64.f64 %d, %a;", [](double a) { return std::floor(a); });
  const auto s32 = [](const char* text, float a) { return int32_t(run(text, to_bits(a))); };
  CHECK(s32("cvt.rzi.s32.f32 %d, %a;", -2.9f) == -2);
  CHECK(s32("cvt.rni.s32.f32 %d, %a;", 2.5f) == 2);
  CHECK(s32("cvt.rmi.s32.f32 %d, %a;", -2.1f) == -3);
  CHECK(s32("cvt.rpi.s32.f32 %d, %a;", 2.1f) == 3);
  CHECK(s32("cvt.rzi.s32.f32 %d, %a;", 3e9f) == INT32_MAX);
  CHECK(s32("cvt.rzi.s32.f32 %d, %a;", -INFINITY) == INT32_MIN);
  CHECK(s32("cvt.rzi.s32.f32 %d, %a;", NAN) == 0);
  CHECK(s32("cvt.rzi.u32.f32 %d, %a;", -5) == 0);
  CHECK(int64_t(run("cvt.rzi.s64.f64 %d, %a;", to_bits(double(NAN)))) == INT64_MIN);
  CHECK(run("cvt.rzi.u64.f64 %d, %a;", to_bits(1.8e19)) == 18000000000000000000u);
  CHECK(from_bits<float>(run("cvt.rz.f32.f64 %d, %a;", to_bits(1 - 1e-12))) ==
        std::nextafter(1.0f, 0.0f));
  CHECK(from_bits<float>(run("cvt.rp.f32.s32 %d, %a;", 16777217)) == 16777218.0f);
  CHECK(from_bits<float>(run("cvt.sat.f32.f32 %d, %a;", to_bits(1.5f))) == 1.0f);
}

TEST_CASE("ptx: half precision") {
  const auto f16 = [](float x) { return run("cvt.rn.f16.f32 %d, %a;", to_bits(x)) & 0xFFFF; };
  CHECK(f16(1) == 0x3C00);
  CHECK(f16(-2) == 0xC000);
  CHECK(f16(65504) == 0x7BFF);
  CHECK(f16(65520) == 0x7C00);            // halfway to 2^16: infinity
  CHECK(f16(1 + 1 / 2048.0f) == 0x3C00);  // halfway: to even
  CHECK(f16(1 + 3 / 2048.0f) == 0x3C02);
  CHECK(f16(5.9604645e-8f) == 1);  // the least subnormal number
  CHECK(f16(2e-8f) == 0);
  const auto back = [](uint64_t h) { return from_bits<float>(run("cvt.f32.f16 %d, %a;", h)); };
  for (uint64_t h = 0; h < 0x7C00; ++h) CHECK(f16(back(h)) == h);
  CHECK(std::isinf(back(0x7C00)));
  CHECK(std::isnan(back(0x7C01)));
  const auto bf16 = [](float x) { return run("cvt.rn.bf16.f32 %d, %a;", to_bits(x)) & 0xFFFF; };
  CHECK(bf16(1) == 0x3F80);
  CHECK(bf16(3.3895314e38f) == 0x7F7F);
  CHECK(bf16(std::numeric_limits<float>::max()) == 0x7F80);
  CHECK(run("add.f16x2 %d, %a, %b;", 0x3C003C00, 0x3C004000) == 0x40004200);
  CHECK(run("setp.lt.f16 %q, %a, %b; selp.b64 %d, 1, 0, %q;", 0x3C00, 0x4000) == 1);
}

TEST_CASE("ptx: predicates") {
  CHECK(run("selp.b32 %d, %a, %b, %p;", 5, 6, 0) == 6);
  CHECK(run("@%p mov.b32 %d, 7;", 0, 0, 1) == 7);
  CHECK(run("@%p mov.b32 %d, 7;", 0, 0, 0) == 0);
  CHECK(run("@!%p mov.b32 %d, 7;", 0, 0, 0) == 7);
  CHECK(run("setp.lt.and.s32 %q, %a, %b, !%p; selp.b32 %d, 1, 0, %q;", 1, 2, 0) == 1);
  CHECK(run("setp.lt.and.s32 %q, %a, %b, !%p; selp.b32 %d, 1, 0, %q;", 1, 2, 1) == 0);
  CHECK(run("{ .reg .pred %r; setp.lt.s32 %r|%q, %a, %b; selp.b32 %d, 1, 0, %q; }", 3, 2) == 1);
  CHECK(run("{ .reg .pred %r; setp.hi.u32 %r, %a, %b; selp.b32 %d, 1, 0, %r; }", ~0u, 2) == 1);
  CHECK(run("set.ge.u32.s32 %d, %a, %b;", 3, 2) == 0xFFFFFFFF);
  CHECK(run("set.ge.f32.f32 %d, %a, %b;", to_bits(3.0f), to_bits(2.0f)) == to_bits(1.0f));
  CHECK(run("set.ge.f32.f32 %d, %a, %b;", to_bits(NAN), to_bits(2.0f)) == 0);
  CHECK(run("xor.pred %q, %p, 1; selp.b32 %d, 1, 0, %q;", 0, 0, 1) == 0);
}
#endif
