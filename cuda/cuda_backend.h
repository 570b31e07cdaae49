#pragma once
// The GPU's side of the Backend interface; each family of kernels has a `.cu` file of its own beside
// this one.
#include "cuda/gpu.h"
#include "tensor/backend.h"

namespace gradus::cuda {

class CudaBackend final : public Backend {
 public:
  void* allocate(size_t bytes) override;
  void deallocate(void* pointer, size_t bytes) noexcept override;
  void copy_from_host(void* to, const void* from, size_t bytes) override;
  void copy_to_host(void* to, const void* from, size_t bytes) override;
  void synchronize() override;

  void fill(double value, const View& out) override;
  void copy(const View& x, const View& out) override;
  void unary(const UnaryOp& op, const View& x, const View& out) override;
  void binary(const BinaryOp& op, const View& a, const View& b, const View& out) override;
  void compare(const CompareOp& op, const View& a, const View& b, const View& out) override;
  void where(const View& mask, const View& a, const View& b, const View& out) override;

  void reduce(ReduceOp op, const View& x, const View& out) override;
  void arg_reduce(ArgOp op, const View& x, const View& out) override;
  void cumsum(const View& x, const View& out) override;
  void topk(const View& x, bool largest, const View& values, const View& indices) override;

  void matmul(const View& a, const View& b, double beta, const View& out) override;

  void index_select(const View& x, int dim, const View& index, const View& out) override;
  void index_add(int dim, const View& index, const View& source, const View& out) override;
  void gather(const View& x, int dim, const View& index, const View& out) override;
  void scatter_add(int dim, const View& index, const View& source, const View& out) override;

  void softmax(const View& x, const View& out) override;
  void softmax_backward(const View& g, const View& y, const View& dx) override;
  void log_softmax(const View& x, const View& out) override;
  void log_softmax_backward(const View& g, const View& y, const View& dx) override;
  void layer_norm(const View& x, const View& weight, const View& bias, double eps, const View& out,
                  const View& mean, const View& rstd) override;
  void layer_norm_backward(const View& g, const View& x, const View& weight, const View& mean,
                           const View& rstd, const View& dx, const View& dweight,
                           const View& dbias) override;

  void cross_entropy(const View& logits, const View& targets, int64_t ignore_index,
                     double smoothing, const View& losses, const View& lse) override;
  void cross_entropy_backward(const View& g, const View& logits, const View& targets,
                              const View& lse, int64_t ignore_index, double smoothing,
                              const View& dlogits) override;

  void attention(const View& q, const View& k, const View& v, const std::optional<View>& key_mask,
                 bool causal, double scale, const View& out, const View& stats) override;
  void attention_backward(const View& g, const View& q, const View& k, const View& v,
                          const std::optional<View>& key_mask, bool causal, double scale,
                          const View& out, const View& stats, const View& dq, const View& dk,
                          const View& dv) override;

  void uniform(PhiloxKey key, double low, double high, const View& out) override;
  void normal(PhiloxKey key, double mean, double std, const View& out) override;
  void dropout(PhiloxKey key, double p, const View& x, const View& out) override;

  void sgd(const SgdStep& s, const View& p, const View& g, const View& buffer) override;
  void adam(const AdamStep& s, const View& p, const View& g, const View& exp_avg,
            const View& exp_avg_sq) override;
  void rmsprop(const RmspropStep& s, const View& p, const View& g, const View& square_avg,
               const View& buffer) override;

  /// Everything runs on one stream, in the order in which it was asked for: CUDA's default stream.
  static cudaStream_t stream() { return nullptr; }

 private:
  template <class T>
  void product(const View& a, const View& b, double beta, const View& out);
};

}  // namespace gradus::cuda
