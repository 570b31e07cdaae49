// Elementwise operations: the value comes from tensor/, the derivative stands beside it. Closures
// are written with differentiable operations, so that they can be differentiated again.
#include <cmath>
#include <numbers>

#include "autograd/debug.h"
#include "autograd/ops.h"

namespace gradus {

// ---- Arithmetic

namespace {
Tensor identity(const Tensor& g) { return g; }
/// c as a 0-d tensor of x's dtype and device.
Tensor scalar_like(const Tensor& x, double c, const char* op) {
  raw::check_scalar(op, c, x);
  return full({}, c, x.options());
}
/// g where the mask is set, else 0. Not a product: 0 times infinity would be NaN.
Tensor only_where(const Tensor& mask, const Tensor& g) { return masked_fill(g, eq(mask, 0), 0); }
}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  return record("add", raw::add(a, b), {{a, identity}, {b, identity}});
}
Tensor sub(const Tensor& a, const Tensor& b) {
  return record("sub", raw::binary(scalar::Sub{}, a, b),
                {{a, identity}, {b, [](const Tensor& g) { return -g; }}});
}
Tensor mul(const Tensor& a, const Tensor& b) {
  return record(
      "mul", raw::mul(a, b),
      {{a, [b](const Tensor& g) { return g * b; }}, {b, [a](const Tensor& g) { return g * a; }}});
}
Tensor div(const Tensor& a, const Tensor& b) {
  return record("div", raw::binary(scalar::Div{}, a, b),
                {{a, [b](const Tensor& g) { return g / b; }},
                 {b, [b](const Tensor& g, const Tensor& y) { return -(g * y / b); }}});
}
Tensor add(const Tensor& x, double c) {
  return record("add_scalar", raw::unary(scalar::AddScalar{c}, x), {{x, identity}});
}
Tensor mul(const Tensor& x, double c) {
  return record("mul_scalar", raw::unary(scalar::MulScalar{c}, x),
                {{x, [c](const Tensor& g) { return g * c; }}});
}
Tensor neg(const Tensor& x) {
  return record("neg", raw::unary(scalar::Neg{}, x), {{x, [](const Tensor& g) { return -g; }}});
}
Tensor div(const Tensor& x, double c) {
  raw::check_floating("div", {{"x", x}});
  return div(x, full({}, c, x.options()));  // x times 1 / c would be rounded twice: 49 / 49 < 1
}
Tensor operator/(double c, const Tensor& x) {
  raw::check_floating("div", {{"x", x}});
  return div(full({}, c, x.options()), x);
}

Tensor pow(const Tensor& a, const Tensor& b) {
  auto log_or_0 = [](const Tensor& base) { return log(masked_fill(base, eq(base, 0), 1)); };
  return record(
      "pow", raw::binary(scalar::Pow{}, a, b),
      {{a,
        [a, b](const Tensor& g) {  // 0^0: nothing depends on a, though a^(b-1) is infinite
          return g * b * pow(masked_fill(a, eq(a, 0) * eq(b, 0), 1), b - 1.0);
        }},
       {b, [a, log_or_0](const Tensor& g, const Tensor& y) {
          return g * masked_fill(y, eq(a, 0), 0) * log_or_0(a);
        }}});
}
Tensor pow(const Tensor& x, double p) {
  return record(
      "pow_scalar", raw::unary(scalar::PowScalar{p}, x),
      {{x, [x, p](const Tensor& g) { return p == 0 ? zeros_like(g) : g * (pow(x, p - 1) * p); }}});
}
Tensor pow(double a, const Tensor& x) {
  raw::check_floating("pow", {{"the exponent", x}});
  return pow(full({}, a, x.options()), x);
}

// ---- Functions

Tensor exp(const Tensor& x) {
  return record("exp", raw::unary(scalar::Exp{}, x),
                {{x, [](const Tensor& g, const Tensor& y) { return g * y; }}});
}
Tensor log(const Tensor& x) {
  return record("log", raw::unary(scalar::Log{}, x), {{x, [x](const Tensor& g) { return g / x; }}});
}
Tensor sqrt(const Tensor& x) {
  return record("sqrt", raw::unary(scalar::Sqrt{}, x),
                {{x, [](const Tensor& g, const Tensor& y) { return g / (y * 2.0); }}});
}
Tensor rsqrt(const Tensor& x) {
  return record("rsqrt", raw::unary(scalar::Rsqrt{}, x),
                {{x, [](const Tensor& g, const Tensor& y) { return g * (y * y * y) * -0.5; }}});
}
Tensor reciprocal(const Tensor& x) {
  return record("reciprocal", raw::unary(scalar::Reciprocal{}, x),
                {{x, [](const Tensor& g, const Tensor& y) { return -(g * y * y); }}});
}
Tensor square(const Tensor& x) {
  return record("square", raw::unary(scalar::Square{}, x),
                {{x, [x](const Tensor& g) { return g * x * 2.0; }}});
}
Tensor abs(const Tensor& x) {
  return record("abs", raw::unary(scalar::Abs{}, x),
                {{x, [x](const Tensor& g) { return g * sign(x); }}});
}
Tensor sign(const Tensor& x) {
  return record("sign", raw::unary(scalar::Sign{}, x),
                {{x, [](const Tensor& g) { return zeros_like(g); }}});
}
Tensor sin(const Tensor& x) {
  return record("sin", raw::unary(scalar::Sin{}, x),
                {{x, [x](const Tensor& g) { return g * cos(x); }}});
}
Tensor cos(const Tensor& x) {
  return record("cos", raw::unary(scalar::Cos{}, x),
                {{x, [x](const Tensor& g) { return -(g * sin(x)); }}});
}
Tensor erf(const Tensor& x) {
  return record("erf", raw::unary(scalar::Erf{}, x), {{x, [x](const Tensor& g) {
                                                         return g * exp(-square(x)) *
                                                                (2 / std::sqrt(std::numbers::pi));
                                                       }}});
}
Tensor tanh(const Tensor& x) {
  return record("tanh", raw::unary(scalar::Tanh{}, x),
                {{x, [](const Tensor& g, const Tensor& y) { return g * (1.0 - y * y); }}});
}
Tensor sigmoid(const Tensor& x) {
  return record("sigmoid", raw::unary(scalar::Sigmoid{}, x),
                {{x, [](const Tensor& g, const Tensor& y) { return g * (y * (1.0 - y)); }}});
}
Tensor softplus(const Tensor& x) {
  return record("softplus", raw::unary(scalar::Softplus{}, x),
                {{x, [x](const Tensor& g) { return g * sigmoid(x); }}});
}

// ---- Activations with a backward kernel of one pass

namespace {
/// y = forward(x), dx = backward(g, x). `composite` is the definition in plain operations.
Tensor activation(std::string_view op, const UnaryOp& forward, const BinaryOp& backward,
                  const Tensor& x, std::function<Tensor(const Tensor&)> composite) {
  Tensor value = raw::unary(forward, x);
  return record_fused(
      op, std::move(value), {x},
      [x = x.detach(), backward](const Tensor& g, const Tensor&) {
        return std::vector{raw::binary(backward, g, x)};
      },
      [composite = std::move(composite)](std::span<const Tensor> in) { return composite(in[0]); });
}
}  // namespace

Tensor relu(const Tensor& x) {
  return activation("relu", scalar::Relu{}, scalar::ReluBackward{}, x,
                    [](const Tensor& v) { return masked_fill(v, le(v, 0), 0); });
}
Tensor leaky_relu(const Tensor& x, double negative_slope) {
  return activation("leaky_relu", scalar::LeakyRelu{negative_slope},
                    scalar::LeakyReluBackward{negative_slope}, x,
                    [=](const Tensor& v) { return where(gt(v, 0), v, v * negative_slope); });
}
Tensor silu(const Tensor& x) {
  return activation("silu", scalar::Silu{}, scalar::SiluBackward{}, x,
                    [](const Tensor& v) { return v * sigmoid(v); });
}
Tensor gelu(const Tensor& x, GeluForm form) {
  if (form == GeluForm::Erf)
    return activation("gelu", scalar::Gelu{}, scalar::GeluBackward{}, x, [](const Tensor& v) {
      return v * 0.5 * (erf(v * std::numbers::sqrt2 * 0.5) + 1.0);
    });
  return activation("gelu_tanh", scalar::GeluTanh{}, scalar::GeluTanhBackward{}, x,
                    [](const Tensor& v) {
                      const Tensor u = (v + v * v * v * 0.044715) * std::sqrt(2 / std::numbers::pi);
                      return v * 0.5 * (tanh(u) + 1.0);
                    });
}

// ---- Choices

Tensor clamp(const Tensor& x, double low, double high) {
  check<ValueError>(low <= high, "clamp: low {} is above high {}", low, high);
  return record(
      "clamp", raw::unary(scalar::Clamp{low, high}, x),
      {{x, [x, low, high](const Tensor& g) { return only_where(ge(x, low) * le(x, high), g); }}});
}

Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high) {
  raw::check_same_options("clamp", {{"x", x}, {"low", low}, {"high", high}});
  check<ValueError>(low.defined() || high.defined(), "clamp: neither bound is given");
  Shape shape = x.shape();
  for (const Tensor& bound : {low, high})
    if (bound.defined()) shape = broadcast_shape("clamp", shape, bound.shape());
  Tensor y = x;
  // A bound that is NaN takes effect, so that it shows.
  if (low.defined()) y = where(lt(y, low) + isnan(low), low, y);
  if (high.defined()) y = where(gt(y, high) + isnan(high), high, y);
  return y;
}

namespace {
/// g; half of it where the operands tie, 0 where this one loses. A NaN neither ties nor loses.
Tensor share(const Tensor& g, const Tensor& loses, const Tensor& ties) {
  return masked_fill(where(ties, g * 0.5, g), loses, 0);
}
}  // namespace

Tensor maximum(const Tensor& a, const Tensor& b) {
  return record("maximum", raw::binary(scalar::Maximum{}, a, b),
                {{a, [a, b](const Tensor& g) { return share(g, lt(a, b), eq(a, b)); }},
                 {b, [a, b](const Tensor& g) { return share(g, lt(b, a), eq(a, b)); }}});
}
Tensor minimum(const Tensor& a, const Tensor& b) {
  return record("minimum", raw::binary(scalar::Minimum{}, a, b),
                {{a, [a, b](const Tensor& g) { return share(g, gt(a, b), eq(a, b)); }},
                 {b, [a, b](const Tensor& g) { return share(g, gt(b, a), eq(a, b)); }}});
}

Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b) {
  return record("where", raw::where(mask, a, b),
                {{a, [mask](const Tensor& g) { return only_where(mask, g); }},
                 {b, [mask](const Tensor& g) { return masked_fill(g, mask, 0); }}});
}
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
  // Whoever fills in -infinity, as attention does with its mask, means it.
  const CheckNanPause pause(!std::isfinite(value));
  const Tensor fill = scalar_like(x, value, "masked_fill");
  return record("masked_fill", raw::where(mask, fill, x, "masked_fill"),
                {{x, [mask](const Tensor& g) { return masked_fill(g, mask, 0); }}});
}

// ---- Comparisons

Tensor eq(const Tensor& a, const Tensor& b) { return raw::compare(scalar::Eq{}, a, b); }
Tensor ne(const Tensor& a, const Tensor& b) { return raw::compare(scalar::Ne{}, a, b); }
Tensor lt(const Tensor& a, const Tensor& b) { return raw::compare(scalar::Lt{}, a, b); }
Tensor le(const Tensor& a, const Tensor& b) { return raw::compare(scalar::Le{}, a, b); }
Tensor gt(const Tensor& a, const Tensor& b) { return raw::compare(scalar::Gt{}, a, b); }
Tensor ge(const Tensor& a, const Tensor& b) { return raw::compare(scalar::Ge{}, a, b); }
Tensor eq(const Tensor& x, double c) { return eq(x, scalar_like(x, c, "eq")); }
Tensor ne(const Tensor& x, double c) { return ne(x, scalar_like(x, c, "ne")); }
Tensor lt(const Tensor& x, double c) { return lt(x, scalar_like(x, c, "lt")); }
Tensor le(const Tensor& x, double c) { return le(x, scalar_like(x, c, "le")); }
Tensor gt(const Tensor& x, double c) { return gt(x, scalar_like(x, c, "gt")); }
Tensor ge(const Tensor& x, double c) { return ge(x, scalar_like(x, c, "ge")); }
Tensor isnan(const Tensor& x) {
  check_defined("isnan", x);
  return ne(x, x);
}
Tensor isfinite(const Tensor& x) {
  check_defined("isfinite", x);
  return eq(raw::binary(scalar::Sub{}, x, x), 0);  // x - x is NaN for infinity and NaN, else 0
}

}  // namespace gradus
