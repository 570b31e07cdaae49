// Into how many pieces the kernels cut GPT-2's work: enough for 64 cores, or so little work that
// waking them would take longer than it does. The kernels themselves are asked, in a dry run. The
// same numbers stand in tensor/cpu/README.md.
#include <functional>

#include "tensor/cpu/parallel.h"
#include "tests/kernels.h"

using namespace gradus;
using namespace gradus::test;

namespace {

cpu::CpuBackend kernels;

// GPT-2 with 124 million parameters: 4 texts of 1,024 tokens, or one token after 1,023 others.
constexpr int64_t B = 4, T = 1024, C = 768, H = 12, D = 64, V = 50257, N = B * T;

/// Views of nothing: a dry run reads and writes no element.
View contiguous(std::vector<int64_t> sizes, DType dtype = F32) {
  static float nothing;
  View v;
  v.dtype = dtype;
  v.data = &nothing;
  v.ndim = static_cast<int>(sizes.size());
  int64_t stride = 1;
  for (int d = v.ndim - 1; d >= 0; --d) {
    v.sizes[d] = sizes[static_cast<size_t>(d)];
    v.strides[d] = stride;
    stride *= v.sizes[d];
  }
  return v;
}
View ids(std::vector<int64_t> sizes) { return contiguous(std::move(sizes), I64); }

void product(int64_t m, int64_t k, int64_t n) {
  kernels.matmul(contiguous({m, k}), transposed(contiguous({n, k}), 0, 1), 0, contiguous({m, n}));
}
void gradient_of_weight(int64_t in, int64_t out) {
  kernels.matmul(transposed(contiguous({N, out}), 0, 1), contiguous({N, in}), 1,
                 contiguous({out, in}));
}
void attention(int64_t queries) {
  const int64_t batch = queries == 1 ? 1 : B;
  const View q = contiguous({batch, H, queries, D}), k = contiguous({batch, H, T, D});
  kernels.attention(q, k, k, std::nullopt, true, 0.125, q, contiguous({batch, H, queries, 2}));
}

struct Cut {
  const char* kernel;
  int64_t pieces;
  std::function<void()> run;
  const char* why_fewer = nullptr;  // than 64
};

/// The loop with the most work: the others add up what the pieces gave.
cpu::DryRun::Loop largest_loop(const std::function<void()>& kernel) {
  cpu::DryRun dry;
  kernel();
  REQUIRE_FALSE(dry.loops.empty());
  return *std::max_element(dry.loops.begin(), dry.loops.end(),
                           [](auto a, auto b) { return a.work < b.work; });
}

void check_cuts(const std::vector<Cut>& cuts) {
  for (const Cut& cut : cuts) {
    CAPTURE(cut.kernel);
    CHECK(largest_loop(cut.run).pieces == cut.pieces);
    CHECK((cut.pieces >= 64 || cut.why_fewer));
  }
}

}  // namespace

TEST_CASE("cuts: training GPT-2 gives 64 threads something to do in every kernel") {
  const View x = contiguous({N, C}), wide = contiguous({N, 4 * C}), weight = contiguous({C});
  const View row = contiguous({N}), logits = contiguous({N, V}), tokens = ids({N});
  View positions = contiguous({B, T, C});
  positions.strides[0] = 0;
  const View heads = contiguous({B, H, T, D}), table = contiguous({V, C});
  check_cuts({
      {"add the positions", 256,
       [&] {
         kernels.binary(scalar::Add{}, contiguous({B, T, C}), positions, contiguous({B, T, C}));
       }},
      {"layer_norm", 256, [&] { kernels.layer_norm(x, weight, weight, 1e-5, x, row, row); }},
      {"layer_norm_backward", 64,
       [&] { kernels.layer_norm_backward(x, x, weight, row, row, x, weight, weight); }},
      {"(4096, 768) @ (768, 2304)", 64, [] { product(N, C, 3 * C); }},
      {"(4096, 768) @ (768, 768)", 64, [] { product(N, C, C); }},
      {"(4096, 768) @ (768, 3072)", 64, [] { product(N, C, 4 * C); }},
      {"(4096, 3072) @ (3072, 768)", 64, [] { product(N, 4 * C, C); }},
      {"(4096, 768) @ (768, 50257)", 256, [] { product(N, C, V); }},
      {"(768, 4096) @ (4096, 768)", 64, [] { gradient_of_weight(C, C); }},
      {"(3072, 4096) @ (4096, 768)", 64, [] { gradient_of_weight(C, 4 * C); }},
      {"(768, 4096) @ (4096, 3072)", 64, [] { gradient_of_weight(4 * C, C); }},
      {"sum of 4096 rows of 768", 64,
       [&] {
         kernels.reduce(scalar::Sum{}, x, contiguous({1, C}));
       }},
      {"sum of 4 texts", 192,
       [&] {
         kernels.reduce(scalar::Sum{}, contiguous({B, T, C}), contiguous({1, T, C}));
       }},
      {"sum of a transposed view", 256,
       [&] {
         kernels.reduce(scalar::Sum{}, transposed(x, 0, 1), contiguous({1, 1}));
       }},
      {"attention", 768, [] { attention(T); }},
      {"attention_backward", 96,
       [&] {
         kernels.attention_backward(heads, heads, heads, heads, std::nullopt, true, 0.125, heads,
                                    contiguous({B, H, T, 2}), heads, heads, heads);
       }},
      {"rotary", 256,
       [] {
         const View qkv = contiguous({B, T, 3 * H, D});
         kernels.rotary(qkv, 0, 10000, 1, qkv);
       }},
      {"softmax (composite attention)", 256,
       [] {
         kernels.softmax(contiguous({B * H * T, T}), contiguous({B * H * T, T}));
       }},
      {"48 products (1024, 64) @ (64, 1024)", 96,
       [&] {
         const View q = contiguous({B * H, T, D});
         kernels.matmul(q, transposed(q, 1, 2), 0, contiguous({B * H, T, T}));
       }},
      {"gelu", 256, [&] { kernels.unary(scalar::GeluTanh{}, wide, wide); }},
      {"dropout", 256, [&] { kernels.dropout({}, 0.1, x, x); }},
      {"cross_entropy", 256,
       [&] {
         kernels.cross_entropy(logits, tokens, -100, 0, row, contiguous({N, 2}));
       }},
      {"index_select (embedding)", 256, [&] { kernels.index_select(table, 0, tokens, x); }},
      {"index_add (embedding, backward)", 48, [&] { kernels.index_add(0, tokens, x, table); },
       "an element gets its terms from one thread, in order, and threads share no line of the "
       "cache"},
      {"copy of a transposed weight", 128,
       [] {
         kernels.copy(transposed(contiguous({C, C}), 0, 1), contiguous({C, C}));
       }},
      {"copy of transposed heads", 256,
       [&] {
         kernels.copy(transposed(contiguous({B, T, H, D}), 1, 2), heads);
       }},
      {"argmax of logits", 256,
       [&] {
         kernels.arg_reduce(ArgOp::Max, logits, ids({N, 1}));
       }},
      {"adam (768, 768)", 128,
       [] {
         const View p = contiguous({C, C});
         const ParameterViews parameter{p, p, {p, p}};
         kernels.adam({}, {&parameter, 1});
       }},
      {"normal", 256, [&] { kernels.normal({}, 0, 1, table); }},
  });
}

TEST_CASE("cuts: one token of GPT-2 is as many pieces as are worth a thread") {
  const View one = contiguous({1, C}), logits = contiguous({1, V});
  check_cuts({
      {"(1, 768) @ (768, 768)", 128, [] { product(1, C, C); }},
      {"(1, 768) @ (768, 2304)", 256, [] { product(1, C, 3 * C); }},
      {"(1, 768) @ (768, 3072)", 256, [] { product(1, C, 4 * C); }},
      {"(1, 3072) @ (3072, 768)", 192, [] { product(1, 4 * C, C); }},
      {"(1, 768) @ (768, 50257)", 256, [] { product(1, C, V); }},
      {"attention to 1,024 keys", 96, [] { attention(1); }},
      {"layer_norm", 1,
       [&] {
         kernels.layer_norm(one, contiguous({C}), contiguous({C}), 1e-5, one, contiguous({1}),
                            contiguous({1}));
       },
       "done before a thread wakes"},
      {"gelu", 1,
       [] {
         kernels.unary(scalar::GeluTanh{}, contiguous({1, 4 * C}), contiguous({1, 4 * C}));
       },
       "done before a thread wakes"},
      {"softmax of the logits", 1, [&] { kernels.softmax(logits, logits); },
       "a row is one piece, of some 20 microseconds"},
      {"topk of the logits", 1,
       [&] {
         kernels.topk(logits, true, contiguous({1, 40}), ids({1, 40}));
       },
       "a row is one piece, of some 20 microseconds"},
  });
}
