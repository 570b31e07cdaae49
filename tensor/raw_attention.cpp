// Attention on values: checks the operands, and lays them out as the kernels read them.
#include <algorithm>
#include <cmath>

#include "tensor/raw.h"

namespace gradus::raw {

namespace {

/// Whether the rows of x (B, H, T, D) are as a matrix product reads them: contiguous, and at least
/// as far apart as they are long. Rows that expand repeats, as in the gradient of a sum over T, are
/// stored only once.
bool has_separate_rows(const Tensor& x) {
  const int64_t d = x.size(3);
  return x.numel() == 0 ||
         (x.strides()[2] >= std::max<int64_t>(d, 1) && (x.strides()[3] == 1 || d <= 1));
}
Tensor separate_rows(const Tensor& x) { return has_separate_rows(x) ? x : clone(x); }

std::optional<View> mask_view(const Tensor& mask) {
  return mask.defined() ? std::optional(mask.view()) : std::nullopt;
}

/// A result is written where it is, and not copied into shape as an operand is.
void check_result(const Operand& result, const Tensor& like) {
  check_floating("attention", {{"q", like}, result});
  check_shape("attention", result, like.shape());
  check<ValueError>(has_separate_rows(result.tensor),
                    "attention: {} has strides {}; its rows must be contiguous and apart",
                    result.name, result.tensor.strides());
  result.tensor.written();
}

void check_attention(const Attention& in, const Tensor& out) {
  const auto& [q, k, v, mask, causal, scale] = in;
  check_floating("attention", {{"q", q}, {"k", k}, {"v", v}, {"the result", out}});
  check<ShapeError>(
      q.dim() == 4 && k.dim() == 4 && q.size(0) == k.size(0) && q.size(1) == k.size(1) &&
          q.size(3) == k.size(3) && v.shape() == k.shape() && out.shape() == q.shape(),
      "attention: q {}, k {}, v {}, result {}; q and the result must be (B, H, T, D), "
      "k and v (B, H, S, D)",
      q.shape(), k.shape(), v.shape(), out.shape());
  if (!mask.defined()) return;
  check_same_device("attention", {{"k", k}, {"the key mask", mask}});
  check<ShapeError>(mask.shape() == Shape{k.size(0), k.size(2)},
                    "attention: key mask {} for keys {}; it must be (B, S)", mask.shape(),
                    k.shape());
  check<DTypeError>(mask.dtype() == I64, "attention: the key mask is {}; it must be int64",
                    name(mask.dtype()));
}

}  // namespace

Tensor attention_(const Attention& in, const Tensor& out) {
  check_attention(in, out);
  check_result({"the result", out}, in.q);
  Tensor stats = empty({in.q.size(0), in.q.size(1), in.q.size(2), 2}, in.q.options());
  backend(in.q.device())
      .attention(separate_rows(in.q).view(), separate_rows(in.k).view(), separate_rows(in.v).view(),
                 mask_view(in.key_mask), in.causal, in.scale, out.view(), stats.view());
  return stats;
}

void attention_backward_(const Attention& in, const Tensor& g, const Tensor& out,
                         const Tensor& stats, const Tensor& dq, const Tensor& dk,
                         const Tensor& dv) {
  check_attention(in, out);
  check_floating("attention", {{"q", in.q}, {"the gradient", g}});
  check_shape("attention", {"the gradient", g}, out.shape());
  check_floating("attention", {{"q", in.q}, {"the statistics", stats}});
  check_shape("attention", {"the statistics", stats},
              {in.q.size(0), in.q.size(1), in.q.size(2), 2});
  check_contiguous("attention", {"the statistics", stats});
  check_result({"dq", dq}, in.q);
  check_result({"dk", dk}, in.k);
  check_result({"dv", dv}, in.v);
  backend(in.q.device())
      .attention_backward(separate_rows(g).view(), separate_rows(in.q).view(),
                          separate_rows(in.k).view(), separate_rows(in.v).view(),
                          mask_view(in.key_mask), in.causal, in.scale, out.view(), stats.view(),
                          dq.view(), dk.view(), dv.view());
}

Tensor rotary(const Tensor& qkv, const Rotary& r) {
  check_floating("rotary", {{"qkv", qkv}});
  check<ShapeError>(qkv.dim() == 3 && r.heads > 0 && qkv.size(2) % 3 == 0 &&
                        qkv.size(2) / 3 % r.heads == 0 && qkv.size(2) / 3 / r.heads % 2 == 0,
                    "rotary: {} with {} heads; it must be (B, T, 3 H D), with an even D",
                    qkv.shape(), r.heads);
  constexpr int64_t most = int64_t{1} << 53;  // beyond, a double is no longer every whole number
  check<ValueError>(r.first_position >= 0 && r.first_position <= most - qkv.size(1),
                    "rotary: {} positions from {}; they must be in [0, 2^53)", qkv.size(1),
                    r.first_position);
  check<ValueError>(std::isfinite(r.base) && r.base > 0,
                    "rotary: the base {} is not a positive number", r.base);
  const Tensor x = contiguous(qkv);
  const Shape heads{x.size(0), x.size(1), 3 * r.heads, x.size(2) / (3 * r.heads)};
  Tensor out = empty(x.shape(), x.options());
  backend(x.device())
      .rotary(reshape(x, heads).view(), r.first_position, r.base, r.direction,
              reshape(out, heads).view());
  return out;
}

}  // namespace gradus::raw
