#pragma once
// Muon: momentum, orthogonalised. A step changes a weight matrix by UV^T, where U S V^T is the
// singular value decomposition of the momentum: by the same length in every direction that the
// gradient has, however weak. Jordan et al., Muon: An optimizer for hidden layers in neural
// networks (2024). README.md in this folder derives why the iteration below gives UV^T.
//
// It is for the matrices inside a model. Embeddings, biases and norms are another optimizer's:
//   std::vector<Tensor> hidden, rest;
//   for (const auto& [name, p] : model.named_parameters())
//     (name.starts_with("blocks.") && p.dim() == 2 ? hidden : rest).push_back(p);
//   Muon muon(hidden, 1e-3, {.adjust_lr_fn = AdjustLr::MatchRmsAdamw});
//   AdamW adamw(rest, 1e-3);
//   Optimizers both{muon, adamw};  // steps, saves and loads both
//   both.step();
#include <array>

#include "optim/optimizer.h"

namespace gradus {

/// The length of a step of a matrix (rows, columns), over lr. The root mean square of an element of
/// UV^T is 1 / sqrt(max(rows, columns)).
enum class AdjustLr {
  Original,       // sqrt(max(1, rows / columns)): Jordan et al.
  MatchRmsAdamw,  // 0.2 sqrt(max(rows, columns)): elements move as far as AdamW's, so AdamW's rates
                  // and decays carry over. Liu et al., Muon is Scalable for LLM Training (2025)
};

struct MuonOptions {
  double weight_decay = 0.1, momentum = 0.95;
  bool nesterov = true;
  std::array<double, 3> ns_coefficients = {3.4445, -4.7750, 2.0315};
  double eps = 1e-7;  // the least norm that a matrix is divided by
  int64_t ns_steps = 5;
  AdjustLr adjust_lr_fn = AdjustLr::Original;
};

/// b = mu b + g;  O = orthogonalized(g + mu b), or of b without Nesterov;
/// p = (1 - lr wd) p - lr adjust O. Names and defaults are torch.optim.Muon's, which rounds O's
/// arithmetic to bfloat16; here it is in the parameters' dtype. ValueError: a parameter is not 2-d,
/// or an option is out of range.
class Muon final : public Optimizer {
 public:
  Muon(std::vector<ParamGroup> groups, double rate = 1e-3, MuonOptions options = {});
  Muon(std::vector<Tensor> params, double rate = 1e-3, MuonOptions options = {});

 private:
  void update(const Step& s, std::span<const raw::Parameter> parameters) override;
  MuonOptions options_;
};

/// Nearly UV^T for a matrix x = U S V^T (M, N), by Newton-Schulz steps, which need nothing but
/// products: X = x / |x|, then `ns_steps` times X = a X + (b A + c A^2) X, with A = X X^T. Singular
/// values of X that were above 0.01 end between 0.68 and 1.14. ShapeError: x is not 2-d.
Tensor orthogonalized(const Tensor& x, const MuonOptions& options = {});

}  // namespace gradus
