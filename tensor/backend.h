#pragma once
// The table of contents of the kernel chapter: what a device must be able to do. The CPU implements
// it in tensor/cpu/, a GPU in cuda/; a kernel missing on one side does not compile. Every function
// has been given valid input: shapes agree, indices are in range, `out` is allocated. x, a, b, g
// are inputs; out, dx and the like are outputs. g is always the gradient of the loss with respect
// to the forward output.
#include <optional>

#include "tensor/philox.h"
#include "tensor/scalar_ops.h"
#include "tensor/view.h"

namespace gradus {

enum class ReduceOp { Sum, Max, Min };
enum class ArgOp { Max, Min };

struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, first;  // first: the momentum buffer starts as the gradient itself
};
struct AdamStep {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled;  // AdamW: the decay acts on the parameter, not on the gradient
  int64_t step;    // 1, 2, 3, …
};
struct RmspropStep {
  double lr, alpha, eps, weight_decay, momentum;
};

class Backend {
 public:
  virtual ~Backend() = default;

  // Memory.
  virtual void* allocate(size_t bytes) = 0;
  virtual void deallocate(void* pointer, size_t bytes) noexcept = 0;
  virtual void copy_from_host(void* to, const void* from, size_t bytes) = 0;
  virtual void copy_to_host(void* to, const void* from, size_t bytes) = 0;
  virtual void synchronize() = 0;

  // Elementwise. All views have the shape of `out`; copy converts between dtypes.
  virtual void fill(double value, const View& out) = 0;
  virtual void copy(const View& x, const View& out) = 0;
  virtual void unary(const UnaryOp& op, const View& x, const View& out) = 0;
  virtual void binary(const BinaryOp& op, const View& a, const View& b, const View& out) = 0;
  virtual void compare(const CompareOp& op, const View& a, const View& b, const View& out) = 0;
  virtual void where(const View& mask, const View& a, const View& b, const View& out) = 0;

  // Reductions. reduce: out has size 1 where x is reduced. The others work along the last
  // dimension.
  virtual void reduce(ReduceOp op, const View& x, const View& out) = 0;
  virtual void arg_reduce(ArgOp op, const View& x, const View& out) = 0;
  virtual void cumsum(const View& x, const View& out) = 0;
  virtual void topk(const View& x, bool largest, const View& values, const View& indices) = 0;

  // Products. out = a @ b + beta * out, 2-d or batched (B, M, K) @ (B, K, N); a and b of any strides, out
  // contiguous.
  virtual void matmul(const View& a, const View& b, double beta, const View& out) = 0;

  // Indexing along `dim`. index_add and scatter_add add to what out holds, in index order: the same
  // bits every run.
  virtual void index_select(const View& x, int dim, const View& index, const View& out) = 0;
  virtual void index_add(int dim, const View& index, const View& source, const View& out) = 0;
  virtual void gather(const View& x, int dim, const View& index, const View& out) = 0;
  virtual void scatter_add(int dim, const View& index, const View& source, const View& out) = 0;

  // Rows: x is (N, C), contiguous.
  virtual void softmax(const View& x, const View& out) = 0;
  virtual void softmax_backward(const View& g, const View& y, const View& dx) = 0;
  virtual void log_softmax(const View& x, const View& out) = 0;
  virtual void log_softmax_backward(const View& g, const View& y, const View& dx) = 0;
  virtual void layer_norm(const View& x, const View& weight, const View& bias, double eps,
                          const View& out, const View& mean, const View& rstd) = 0;
  virtual void layer_norm_backward(const View& g, const View& x, const View& weight,
                                   const View& mean, const View& rstd, const View& dx,
                                   const View& dweight, const View& dbias) = 0;

  // lse (N, 2): the maximum m of each row and ln sum_j e^(x_ij - m), apart, since their sum would lose the
  // digits of the second where the first is large.
  // loss_i = lse_i - (1 - s) x_i[t_i] - s mean_j x_ij, 0 where t_i == ignore_index; backward: g is
  // (N).
  virtual void cross_entropy(const View& logits, const View& targets, int64_t ignore_index,
                             double smoothing, const View& losses, const View& lse) = 0;
  virtual void cross_entropy_backward(const View& g, const View& logits, const View& targets,
                                      const View& lse, int64_t ignore_index, double smoothing,
                                      const View& dlogits) = 0;

  // q (B, H, T, D), k and v (B, H, S, D), any strides with D contiguous; key_mask (B, S) I64, 0 =
  // hidden. stats (B, H, T, 2): of each query's scores the maximum m and 1 / sum_s e^(score - m). causal: query t sees keys 0 … t + S - T.
  virtual void attention(const View& q, const View& k, const View& v,
                         const std::optional<View>& key_mask, bool causal, double scale,
                         const View& out, const View& stats) = 0;
  virtual void attention_backward(const View& g, const View& q, const View& k, const View& v,
                                  const std::optional<View>& key_mask, bool causal, double scale,
                                  const View& out, const View& stats, const View& dq,
                                  const View& dk, const View& dv) = 0;

  // Random numbers, contiguous out. dropout: out = x * keep / (1 - p); the same key gives the same
  // mask.
  virtual void uniform(PhiloxKey key, double low, double high, const View& out) = 0;
  virtual void normal(PhiloxKey key, double mean, double std, const View& out) = 0;
  virtual void dropout(PhiloxKey key, double p, const View& x, const View& out) = 0;

  // Optimizers: one pass over a parameter p, its gradient g and its state, all contiguous.
  virtual void sgd(const SgdStep& s, const View& p, const View& g, const View& buffer) = 0;
  virtual void adam(const AdamStep& s, const View& p, const View& g, const View& exp_avg,
                    const View& exp_avg_sq) = 0;
  virtual void rmsprop(const RmspropStep& s, const View& p, const View& g, const View& square_avg,
                       const View& buffer) = 0;
};

/// The backend of a device; DeviceError where none has been set.
Backend& backend(Device device);
/// Makes `b` the backend of `device`. The CPU's is there from the start.
void set_backend(Device device, Backend* b);

}  // namespace gradus
