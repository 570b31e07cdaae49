// The row kernels, products and attention on Device::CUDA against the CPU's, which have tests of
// their own: awkward sizes, strides, masks, and the values at the edge of floating point.
#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "cuda/matmul_options.h"
#include "tensor/random.h"
#include "tests/cuda/agree.h"

using namespace gradus;
using gradus::test::agree;
using gradus::test::Kernel;
using gradus::test::kInf;
using gradus::test::kNaN;
using gradus::test::Tensors;

namespace {

constexpr int64_t kIgnore = -100;

/// Uninitialised, where x is: a kernel must write all of it.
Tensor fresh(const Shape& shape, const Tensor& x) { return empty(shape, x.options()); }

Tensors row_kernels(Backend& device, const Tensors& in) {
  const Tensor &x = in[0], &g = in[1];
  Tensors out;
  for (int i = 0; i < 4; ++i) out.push_back(fresh(x.shape(), x));
  device.softmax(x.view(), out[0].view());
  device.softmax_backward(g.view(), out[0].view(), out[1].view());
  device.log_softmax(x.view(), out[2].view());
  device.log_softmax_backward(g.view(), out[2].view(), out[3].view());
  return out;
}

Kernel cross_entropy_kernels(double smoothing) {
  return [smoothing](Backend& device, const Tensors& in) -> Tensors {
    const Tensor &x = in[0], &g = in[1], &targets = in[2];
    const Tensor losses = fresh(targets.shape(), x), lse = fresh({targets.numel(), 2}, x),
                 dx = fresh(x.shape(), x);
    device.cross_entropy(x.view(), targets.view(), kIgnore, smoothing, losses.view(), lse.view());
    View one = g.view();  // one gradient for all rows, as the mean of a batch has it
    one.sizes[0] = x.size(0), one.strides[0] = 0;
    device.cross_entropy_backward(one, x.view(), targets.view(), lse.view(), kIgnore, smoothing,
                                  dx.view());
    return {losses, dx};
  };
}

/// Rows at the edges: nothing but -inf, an infinity, a NaN, far from zero.
Tensor edge_rows(DType dtype) {
  return raw::to(tensor<double>({-kInf, -kInf, -kInf, 0,    1,     -kInf, 0,     kInf, 0,
                                 kNaN,  0,     0,     0,    kNaN,  -kInf, 1e4,   1e4,  9999,
                                 -1e4,  -1e4,  1e4,   1000, -1000, 0,     -kInf, kNaN, -kInf},
                                {9, 3}),
                 dtype);
}

}  // namespace

TEST_CASE("cuda: softmax and log_softmax") {
  for (const DType dtype : {F32, F64}) {
    for (const int64_t n : {1, 7, 31, 33, 65, 1025})
      for (const int64_t rows : {0, 1, 19}) {
        CAPTURE(n);
        CAPTURE(rows);
        agree({randn({rows, n}, dtype), randn({rows, n}, dtype)}, row_kernels, 4);
      }
    agree({randn({3, 0}, dtype), randn({3, 0}, dtype)}, row_kernels);
    agree({edge_rows(dtype), randn({9, 3}, dtype)}, row_kernels);
  }
}

TEST_CASE("cuda: layer_norm of many equal numbers is 0") {
  cuda::install();
  const int64_t n = 50'000;
  const Options there{F32, Device::CUDA};
  const Tensor y = layer_norm(full({1, n}, 1.1, there), ones({n}, there), zeros({n}, there));
  CHECK(raw::reduce(scalar::Max{}, raw::unary(scalar::Abs{}, y), {}, false).item() == 0);
}

TEST_CASE("cuda: cross_entropy") {
  for (const DType dtype : {F32, F64})
    for (const double smoothing : {0.0, 0.1}) {
      for (const int64_t n : {1, 7, 31, 33, 65, 1025}) {
        CAPTURE(n);
        std::vector<int64_t> targets;
        for (int64_t i = 0; i < 11; ++i) targets.push_back(i % 5 == 3 ? kIgnore : i * 7 % n);
        agree({randn({11, n}, dtype), randn({1}, dtype), tensor(targets)},
              cross_entropy_kernels(smoothing));
      }
      agree({edge_rows(dtype), randn({1}, dtype), tensor<int64_t>({0, 1, 2, 0, 1, 2, 0, 1, 2})},
            cross_entropy_kernels(smoothing));
      agree({randn({0, 5}, dtype), randn({1}, dtype), tensor<int64_t>({})},
            cross_entropy_kernels(smoothing));
    }
}

namespace {

/// out = a b + beta out for a (…, M, K), b (…, K, N).
Kernel product(double beta) {
  return [beta](Backend& device, const Tensors& in) -> Tensors {
    const Tensor out = raw::clone(in[2]);
    device.matmul(in[0].view(), in[1].view(), beta, out.view());
    return {out};
  };
}

/// The same with the factors given transposed: column-major views.
Kernel product_of_transposed(double beta) {
  return [beta](Backend& device, const Tensors& in) -> Tensors {
    const Tensor out = raw::clone(in[2]);
    device.matmul(raw::transpose(in[0], -1, -2).view(), raw::transpose(in[1], -1, -2).view(), beta,
                  out.view());
    return {out};
  };
}

/// Every second column of the factors: neither rows nor columns are contiguous.
Tensors product_of_sliced(Backend& device, const Tensors& in) {
  const auto halves = [](const Tensor& x) { return raw::slice(x, -1, 0, x.size(-1), 2); };
  const Tensor out = fresh({in[0].size(0), in[1].size(1) / 2}, in[0]);
  device.matmul(halves(in[0]).view(), halves(in[1]).view(), 0, out.view());
  return {out};
}

}  // namespace

TEST_CASE("cuda: every step of the matmul staircase equals the CPU's product") {
  const cuda::MatmulKernel before = cuda::matmul_kernel();
  for (const cuda::MatmulKernel step : cuda::kMatmulKernels) {
    cuda::set_matmul_kernel(step);
    CAPTURE(name(step));
    for (const DType dtype : {F32, F64}) {
      for (const auto& sizes : std::vector<std::array<int64_t, 3>>{
               {1, 1, 1}, {7, 31, 33}, {33, 65, 7}, {65, 33, 31}, {1, 65, 130}, {130, 1, 65}}) {
        const int64_t m = sizes[0], n = sizes[1], k = sizes[2];
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(k);
        const Tensor c = randn({m, n}, dtype);
        for (const double beta : {0.0, 1.0, 0.5}) {
          agree({randn({m, k}, dtype), randn({k, n}, dtype), c}, product(beta), 10);
          agree({randn({k, m}, dtype), randn({n, k}, dtype), c}, product_of_transposed(beta), 10);
        }
        agree({randn({m, 2 * k}, dtype), randn({k, 2 * n}, dtype)}, product_of_sliced, 10);
      }
      agree({randn({3, 5, 7}, dtype), randn({3, 7, 33}, dtype), randn({3, 5, 33}, dtype)},
            product(1), 10);
      agree({randn({3, 7, 5}, dtype), randn({3, 33, 7}, dtype), randn({3, 5, 33}, dtype)},
            product_of_transposed(1), 10);
    }
  }
  cuda::set_matmul_kernel(before);
}

TEST_CASE("cuda: products that overwrite what is not a number, and products of repeated factors") {
  const cuda::MatmulKernel before = cuda::matmul_kernel();
  for (const cuda::MatmulKernel step : cuda::kMatmulKernels) {
    cuda::set_matmul_kernel(step);
    CAPTURE(name(step));
    agree({randn({3, 4}), randn({4, 5}), full({3, 5}, kNaN)}, product(0));
    // One matrix for a whole batch, one row for a whole matrix: strides of 0.
    agree({randn({6, 3, 4}), randn({1, 4, 5})}, [](Backend& device, const Tensors& in) -> Tensors {
      const Tensor out = fresh({6, 3, 5}, in[0]);
      device.matmul(in[0].view(), raw::expand(in[1], {6, 4, 5}).view(), 0, out.view());
      return {out};
    });
    agree({randn({1, 4}), randn({4, 5})}, [](Backend& device, const Tensors& in) -> Tensors {
      const Tensor out = fresh({3, 5}, in[0]);
      device.matmul(raw::expand(in[0], {3, 4}).view(), in[1].view(), 0, out.view());
      return {out};
    });
  }
  cuda::set_matmul_kernel(before);
  // A stride beyond cuBLAS's int, where there is one row and it means nothing.
  agree({randn({1, 4}), randn({4, 5})}, [](Backend& device, const Tensors& in) -> Tensors {
    const Tensor out = fresh({1, 5}, in[0]);
    View a = in[0].view();
    a.strides[0] = int64_t{1} << 40;
    device.matmul(a, in[1].view(), 0, out.view());
    return {out};
  });
  cuda::set_tf32(true);
  agree({randn({9, 8}), randn({8, 7}), randn({9, 7})}, product(1), 1000);  // 10 bits of mantissa
  cuda::set_tf32(false);
  CHECK_THROWS_WITH_AS(cuda::matmul_kernel_named("fast"), doctest::Contains("naive, coalesced"),
                       ValueError);
}

namespace {

struct Scores {
  bool causal;
  double scale;
};

/// in: q (B, H, T, D), k and v (B, H, S, D), g (B, H, T, D), perhaps a key mask (B, S).
Kernel attention_kernels(Scores o) {
  return [o](Backend& device, const Tensors& in) -> Tensors {
    const Tensor &q = in[0], &k = in[1], &v = in[2], &g = in[3];
    const std::optional<View> mask = in.size() > 4 ? std::optional(in[4].view()) : std::nullopt;
    const Tensor out = fresh(q.shape(), q), dq = fresh(q.shape(), q), dk = fresh(k.shape(), q),
                 dv = fresh(v.shape(), q), stats = fresh({q.size(0), q.size(1), q.size(2), 2}, q);
    device.attention(q.view(), k.view(), v.view(), mask, o.causal, o.scale, out.view(),
                     stats.view());
    device.attention_backward(g.view(), q.view(), k.view(), v.view(), mask, o.causal, o.scale,
                              out.view(), stats.view(), dq.view(), dk.view(), dv.view());
    return {out, dq, dk, dv};
  };
}

/// The same on packed operands, (B, T, 3 H D), read and written through strided views.
Tensors packed_kernels(Backend& device, const Tensors& in) {
  constexpr int64_t heads = 2;
  const Tensor &qkv = in[0], &g = in[1];
  const int64_t b = qkv.size(0), t = qkv.size(1), c = qkv.size(2) / 3;
  const auto heads_of = [&](const Tensor& x, int64_t i) {
    const Tensor part = raw::slice(x, 2, i * c, (i + 1) * c);
    return raw::transpose(raw::view_as(part, {b, t, heads, c / heads}), 1, 2).view();
  };
  const Tensor out = fresh(g.shape(), g), stats = fresh({b, heads, t, 2}, g),
               dqkv = fresh(qkv.shape(), g);
  device.attention(heads_of(qkv, 0), heads_of(qkv, 1), heads_of(qkv, 2), {}, true, 0.3,
                   heads_of(out, 0), stats.view());
  device.attention_backward(heads_of(g, 0), heads_of(qkv, 0), heads_of(qkv, 1), heads_of(qkv, 2),
                            {}, true, 0.3, heads_of(out, 0), stats.view(), heads_of(dqkv, 0),
                            heads_of(dqkv, 1), heads_of(dqkv, 2));
  return {out, dqkv};
}

}  // namespace

TEST_CASE("cuda: attention of many sizes") {
  struct Size {
    int64_t t, s, d;
  };
  for (const DType dtype : {F32, F64})
    for (const bool causal : {false, true})
      for (const Size& z :
           std::vector<Size>{{1, 1, 8},
                             {1, 65, 32},
                             {64, 64, 64},
                             {65, 65, 5},
                             {130, 130, 32},
                             {3, 130, 8},
                             {65, 7, 5},  // causal: the first 58 queries see nothing
                             {7, 64, 130},
                             {5, 9, 300},
                             {0, 3, 4},
                             {3, 0, 4}}) {
        CAPTURE(z.t);
        CAPTURE(z.s);
        CAPTURE(z.d);
        CAPTURE(causal);
        const auto heads = [&](int64_t rows) { return randn({1, 2, rows, z.d}, dtype); };
        agree({heads(z.t), heads(z.s), heads(z.s), heads(z.t)}, attention_kernels({causal, 0.2}),
              10);
      }
}

TEST_CASE("cuda: attention with hidden keys, and rows that see nothing") {
  for (const DType dtype : {F32, F64})
    for (const bool causal : {false, true}) {
      std::vector<int64_t> seen;
      for (int64_t b = 0; b < 3; ++b)  // all of the first, some of the second, none of the third
        for (int64_t s = 0; s < 70; ++s) seen.push_back(b == 0 || (b == 1 && s % 3 == 1));
      const auto heads = [&] { return randn({3, 2, 70, 8}, dtype); };
      agree({heads(), heads(), heads(), heads(), tensor(seen, {3, 70})},
            attention_kernels({causal, 0.4}), 10);
    }
}

TEST_CASE("cuda: attention on packed operands") {
  for (const DType dtype : {F32, F64})
    agree({randn({2, 9, 3 * 2 * 5}, dtype), randn({2, 9, 2 * 5}, dtype)}, packed_kernels, 10);
}

TEST_CASE("cuda: attention at the edges of floating point") {
  const Tensor q = randn({1, 1, 4, 3}), v = randn({1, 1, 4, 3}), g = randn({1, 1, 4, 3});
  const auto forward = [](Backend& device, const Tensors& in) -> Tensors {
    return {attention_kernels({true, 1})(device, in)[0]};
  };
  for (const double edge : {-kInf, kInf, kNaN, 1e30, -1e30}) {
    CAPTURE(edge);
    Tensor k = randn({1, 1, 4, 3});
    raw::fill_(raw::slice(k, 2, 1, 2), edge);
    agree({raw::unary(scalar::Abs{}, q), k, v, g}, forward, 10);
    agree({q, k, v, g}, forward, 10);
  }
}
