// Optimizers and clipping: all elements of many tensors, in one pass over memory; the rules stand
// in tensor/optim_ops.h. Bytes an element, read and written, in F32:
//   SGD 12, with momentum 20;   RMSprop 20, with momentum 28;   Adam and AdamW 28
//   sum of squares 4;           scale and clamp 8
#include "tensor/optim_ops.h"

#include "cuda/block_reduce.h"
#include "cuda/cuda_backend.h"
#include "cuda/launch.h"
#include "cuda/scratch.h"
#include "cuda/tensor_list.h"

namespace gradus::cuda {

/// rule(p, g, state…) for every element. A block works on a piece, a thread on every 256th of its
/// elements.
template <class T, int states, class Rule>
__global__ void update_kernel(Rule rule, TensorList<2 + states> list) {
  for (int64_t k = blockIdx.x; k < list.pieces(); k += gridDim.x) {
    const auto at = list.piece(k);
    void* const* const data = list.data[at.tensor];
    T* const p = static_cast<T*>(data[0]);
    const T* const g = static_cast<const T*>(data[1]);
    for (int64_t i = at.begin + threadIdx.x; i < at.end; i += blockDim.x) {
      if constexpr (states == 0) rule(p[i], g[i]);
      if constexpr (states == 1) rule(p[i], g[i], static_cast<T*>(data[2])[i]);
      if constexpr (states == 2)
        rule(p[i], g[i], static_cast<T*>(data[2])[i], static_cast<T*>(data[3])[i]);
    }
  }
}

/// x = f(x) for every element, divided among blocks and threads in the same way.
template <class T, class F>
__global__ void map_in_place_kernel(F f, TensorList<1> list) {
  for (int64_t k = blockIdx.x; k < list.pieces(); k += gridDim.x) {
    const auto at = list.piece(k);
    T* const x = static_cast<T*>(list.data[at.tensor][0]);
    for (int64_t i = at.begin + threadIdx.x; i < at.end; i += blockDim.x) x[i] = f(x[i]);
  }
}

/// partial[k] = the sum of the squares of piece k, by a block. In double, in which the square of a
/// float neither overflows nor loses a digit.
template <class T>
__global__ void sum_squares_kernel(TensorList<1> list, double* partial) {
  for (int64_t k = blockIdx.x; k < list.pieces(); k += gridDim.x) {
    const auto at = list.piece(k);
    const T* const x = static_cast<const T*>(list.data[at.tensor][0]);
    double sum = 0;
    for (int64_t i = at.begin + threadIdx.x; i < at.end; i += blockDim.x)
      sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[k] = sum;
  }
}

/// sums[i] = the partial sums of tensor i, added up by a block. Reads 8 bytes a piece.
__global__ void add_pieces_kernel(TensorList<1> list, const double* partial, double* sums) {
  const int tensor = static_cast<int>(blockIdx.x);
  double sum = 0;
  for (int64_t k = list.pieces_before(tensor) + threadIdx.x; k < list.ends[tensor]; k += blockDim.x)
    sum += partial[k];
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[tensor] = sum;
}

namespace {

/// A block for each piece.
template <int arrays>
LaunchConfig per_piece(const TensorList<arrays>& list, cudaStream_t stream,
                       LaunchSite site = LaunchSite::current()) {
  return {blocks_for(list.pieces()), kThreads, 0, stream, site};
}

template <class T, int states, class Rule>
void update(const Rule& rule, cudaStream_t stream, std::span<const ParameterViews> parameters) {
  static_assert(sizeof(Rule) + sizeof(TensorList<2 + states>) <= 4096, "a kernel's arguments");
  const auto add = [](TensorList<2 + states>& list, const ParameterViews& x) {
    const int64_t n = x.value.numel();
    if constexpr (states == 0) list.add(n, x.value.data, x.gradient.data);
    if constexpr (states == 1) list.add(n, x.value.data, x.gradient.data, x.state[0].data);
    if constexpr (states == 2)
      list.add(n, x.value.data, x.gradient.data, x.state[0].data, x.state[1].data);
  };
  for_each_list<2 + states>(parameters, add, [&](const TensorList<2 + states>& list, size_t) {
    if (list.pieces() > 0)
      launch<update_kernel<T, states, Rule>>(per_piece(list, stream), rule, list);
  });
}

void add_view(TensorList<1>& list, const View& x) { list.add(x.numel(), x.data); }

template <class F>
void map_in_place(F f, cudaStream_t stream, std::span<const View> xs) {
  for_each_list<1>(xs, add_view, [&](const TensorList<1>& list, size_t) {
    if (list.pieces() == 0) return;
    dispatch_float(xs[0].dtype, [&]<class T>() {
      launch<map_in_place_kernel<T, F>>(per_piece(list, stream), f, list);
    });
  });
}

}  // namespace

void CudaBackend::sgd(const SgdStep& s, std::span<const ParameterViews> parameters) {
  if (parameters.empty()) return;
  dispatch_float(parameters[0].value.dtype, [&]<class T>() {
    const SgdRule<T> rule(s);
    if (s.momentum == 0) return update<T, 0>(rule, stream(), parameters);
    update<T, 1>(rule, stream(), parameters);
  });
}

void CudaBackend::adam(const AdamStep& s, std::span<const ParameterViews> parameters) {
  if (parameters.empty()) return;
  dispatch_float(parameters[0].value.dtype,
                 [&]<class T>() { update<T, 2>(AdamRule<T>(s), stream(), parameters); });
}

void CudaBackend::rmsprop(const RmspropStep& s, std::span<const ParameterViews> parameters) {
  if (parameters.empty()) return;
  dispatch_float(parameters[0].value.dtype, [&]<class T>() {
    const RmspropRule<T> rule(s);
    if (s.momentum == 0) return update<T, 1>(rule, stream(), parameters);
    update<T, 2>(rule, stream(), parameters);
  });
}

void CudaBackend::sum_squares(std::span<const View> xs, const View& sums) {
  for_each_list<1>(xs, add_view, [&](const TensorList<1>& list, size_t first) {
    const Scratch<double> partial(*this, list.pieces());
    if (list.pieces() > 0)
      dispatch_float(xs[0].dtype, [&]<class T>() {
        launch<sum_squares_kernel<T>>(per_piece(list, stream()), list, partial.data());
      });
    launch<add_pieces_kernel>({list.count, kThreads, 0, stream()}, list, partial.data(),
                              sums.as<double>() + first);
  });
}

void CudaBackend::scale(double factor, std::span<const View> xs) {
  map_in_place(scalar::MulScalar{factor}, stream(), xs);
}
void CudaBackend::clamp(double limit, std::span<const View> xs) {
  map_in_place(scalar::Clamp{-limit, limit}, stream(), xs);
}

}  // namespace gradus::cuda
