// Products against three loops, for every kind of strides and the shapes at the edge; the same bits
// on any number of threads; and OpenBLAS's choice of kernels, repaired in a child process.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "autograd/ops.h"
#include "tensor/runtime.h"

using namespace gradus;

extern "C" {
void gotoblas_dynamic_init(void) __attribute__((weak));
void openblas_set_num_threads(int) __attribute__((weak));
int openblas_get_num_threads(void) __attribute__((weak));
char* openblas_get_corename(void) __attribute__((weak));
}

namespace {

using Doubles = std::vector<double>;

Tensor numbers(const Shape& shape, DType dtype, uint64_t seed) {
  Generator generator(seed);
  return randn(shape, dtype, generator);
}

/// The same numbers laid out row by row, column by column, with gaps, or padded at the row's end.
std::vector<std::pair<const char*, Tensor>> layouts(const Tensor& x) {
  const int64_t m = x.size(-2), n = x.size(-1);
  Shape twice = x.shape(), wider = x.shape();
  twice[twice.size() - 1] = 2 * n;
  wider[wider.size() - 1] = n + 3;
  const Tensor gaps = raw::slice(zeros(twice, x.options()), -1, 0, 2 * n, 2),
               padded = raw::slice(zeros(wider, x.options()), -1, 2, n + 2);
  raw::copy_(gaps, x);
  raw::copy_(padded, x);
  CHECK(padded.shape()[x.dim() - 2] == m);
  return {{"rows", x}, {"columns", t(raw::clone(t(x)))}, {"gaps", gaps}, {"padded", padded}};
}

/// a (m, k) b (k, n) in double, element after element.
Doubles loops(const Tensor& a, const Tensor& b) {
  const int64_t m = a.size(0), k = a.size(1), n = b.size(1);
  const Doubles x = a.to_vector<double>(), y = b.to_vector<double>();
  Doubles out(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t e = 0; e < k; ++e) out[i * n + j] += x[i * k + e] * y[e * n + j];
  return out;
}

double worst(const Tensor& got, const Doubles& wanted) {
  const Doubles v = got.to_vector<double>();
  REQUIRE(v.size() == wanted.size());
  double error = 0;
  for (size_t i = 0; i < v.size(); ++i) {
    const double e = std::abs(v[i] - wanted[i]);
    error = e <= error ? error : e;  // a NaN stays
  }
  return error;
}

}  // namespace

TEST_CASE("matmul: every shape and every layout, against three loops") {
  struct Size {
    int64_t m, k, n;
  };
  for (const Size s : {Size{1, 1, 1}, Size{1, 7, 5}, Size{5, 7, 1}, Size{1, 33, 1}, Size{7, 1, 5},
                       Size{3, 5, 2}, Size{1, 300, 70}, Size{70, 300, 1}, Size{17, 31, 33},
                       Size{64, 64, 64}, Size{130, 40, 20}, Size{2, 20, 130}})
    for (const DType dtype : {F32, F64}) {
      CAPTURE(s.m);
      CAPTURE(s.k);
      CAPTURE(s.n);
      const Tensor a = numbers({s.m, s.k}, dtype, 1), b = numbers({s.k, s.n}, dtype, 2);
      const Doubles wanted = loops(a, b);
      const double close = (dtype == F32 ? 3e-5 : 1e-12) * std::sqrt(static_cast<double>(s.k) + 1);
      for (const auto& x : layouts(a))
        for (const auto& y : layouts(b)) {
          CAPTURE(x.first);
          CAPTURE(y.first);
          CHECK(worst(matmul(x.second, y.second), wanted) < close);
        }
    }
}

TEST_CASE("matmul: empty products") {
  CHECK(matmul(ones({3, 0}), ones({0, 5})).to_vector() == std::vector<float>(15, 0));
  CHECK(matmul(ones({0, 3}), ones({3, 5})).shape() == Shape{0, 5});
  CHECK(matmul(ones({2, 3, 0}), ones({2, 0, 5})).to_vector() == std::vector<float>(30, 0));
  CHECK(matmul(ones({0, 3, 2}), ones({2, 5})).shape() == Shape{0, 3, 5});
  CHECK(linear(ones({3, 0}), ones({2, 0}), ones({2})).to_vector() == std::vector<float>(6, 1));
  CHECK(linear(ones({3, 0}), ones({2, 0})).to_vector() == std::vector<float>(6, 0));
}

TEST_CASE("matmul: batches, broadcast and strided") {
  const Tensor a = numbers({2, 3, 5, 7}, F64, 1), b = numbers({2, 3, 7, 4}, F64, 2);
  const Tensor y = matmul(a, b),
               swapped = matmul(permute(a, {1, 0, 2, 3}), permute(b, {1, 0, 2, 3}));
  const Tensor one = matmul(a, select(select(b, 0, 1), 0, 2));
  const Tensor stretched = matmul(expand(slice(a, 1, 0, 1), {2, 3, 5, 7}), b);
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 3; ++j) {
      const auto at = [](const Tensor& x, int64_t p, int64_t q) {
        return select(select(x, 0, p), 0, q);
      };
      CHECK(worst(at(y, i, j), loops(at(a, i, j), at(b, i, j))) < 1e-12);
      CHECK(worst(at(swapped, j, i), loops(at(a, i, j), at(b, i, j))) < 1e-12);
      CHECK(worst(at(one, i, j), loops(at(a, i, j), at(b, 1, 2))) < 1e-12);
      CHECK(worst(at(stretched, i, j), loops(at(a, i, 0), at(b, i, j))) < 1e-12);
    }
}

TEST_CASE("matmul: the same bits on any number of threads") {
  const auto products = [] {
    std::vector<Doubles> out;
    for (const DType dtype : {F32, F64}) {
      const Tensor a = numbers({257, 300}, dtype, 1), b = numbers({300, 190}, dtype, 2);
      const Tensor wide = numbers({300, 1500}, dtype, 3), row = numbers({1, 300}, dtype, 4);
      const Tensor heads = numbers({6, 65, 48}, dtype, 5), rows = numbers({6, 1, 48}, dtype, 6);
      const Tensor gaps = slice(numbers({6, 48, 200}, dtype, 7), 2, 0, 200, 2);
      for (const Tensor& y :
           {matmul(a, b), matmul(t(b), t(a)), matmul(a, wide), matmul(row, wide),
            matmul(row, t(raw::clone(t(wide)))), matmul(t(wide), t(row)), matmul(heads, t(heads)),
            linear(a, t(wide), select(wide, 0, 0)), matmul(rows, t(heads)), matmul(heads, gaps)})
        out.push_back(y.to_vector<double>());
    }
    return out;
  };
  const int threads = get_num_threads();
  set_num_threads(1);
  const auto one = products();
  REQUIRE(one.size() == 20);
  for (int n : {2, 3, 16}) {
    set_num_threads(n);
    const auto many = products();
    for (size_t i = 0; i < one.size(); ++i) {
      CAPTURE(n);
      CAPTURE(i);
      CHECK(one[i] == many[i]);
    }
  }
  set_num_threads(threads);
}

// Large enough for a grid of 64 pieces. (a b) x = a (b x), and the right side has no pieces.
TEST_CASE("matmul: a product in a grid of pieces has no seams") {
  const Tensor a = numbers({1301, 1250}, F32, 1), b = numbers({1250, 1303}, F32, 2);
  const Tensor x = to(numbers({1303, 1}, F32, 3), F64);
  const int threads = get_num_threads();
  set_num_threads(1);
  const Tensor product = matmul(a, b);
  const Tensor seam = matmul(to(product, F64), x) - matmul(to(a, F64), matmul(to(b, F64), x));
  CHECK(max(abs(seam)).item() < 0.05);  // values around 1250; a lost piece costs its whole share
  set_num_threads(16);
  CHECK(matmul(a, b).to_vector() == product.to_vector());
  set_num_threads(threads);
}

TEST_CASE("matmul: numbers beside a matrix are not read") {
  const Tensor x = full({4, 6}, NAN, F64), inside = slice(slice(x, 0, 1, 3), 1, 2, 5);
  raw::fill_(inside, 1);
  CHECK(matmul(inside, ones({3, 2}, F64)).to_vector<double>() == Doubles(4, 3));
  CHECK(matmul(ones({5, 2}, F64), inside).to_vector<double>() == Doubles(15, 2));
  CHECK(matmul(ones({1, 2}, F64), inside).to_vector<double>() == Doubles(3, 2));
}

// ---- The repair. OpenBLAS chooses before main, so a process of its own is needed.

namespace {

bool supports(const char* what) {
#if defined(__x86_64__)
  return std::string(what) == "avx512" ? __builtin_cpu_supports("avx512vl") != 0
                                       : __builtin_cpu_supports("avx2") != 0;
#else
  (void)what;
  return false;
#endif
}

/// What blas_kernel() says in a child whose OpenBLAS was made to start with `kernel`.
std::string kernel_of_child(const std::string& kernel, bool hide) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command =
      fmt::format("OPENBLAS_CORETYPE={} GRADUS_BLAS_CHILD={} '{}' --test-case='blas: child' 2>&1",
                  kernel, hide ? "hide" : "show", self);
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe);
  std::string output;
  char buffer[256];
  while (fgets(buffer, sizeof buffer, pipe)) output += buffer;
  const int status = pclose(pipe);
  CHECK_MESSAGE((WIFEXITED(status) && WEXITSTATUS(status) == 0), output);
  const size_t begin = output.find("kernel = ");
  REQUIRE(begin != std::string::npos);
  return output.substr(begin + 9, output.find('\n', begin) - begin - 9);
}

}  // namespace

TEST_CASE("blas: child") {
  const char* job = std::getenv("GRADUS_BLAS_CHILD");
  if (!job) return;  // only the child of the next test has something to do
  // OpenBLAS has chosen by it already; without it, the choice looks like OpenBLAS's own.
  if (std::string(job) == "hide") unsetenv("OPENBLAS_CORETYPE");
  std::cout << "kernel = " << blas_kernel() << std::endl;
  CHECK(std::string(std::getenv("OPENBLAS_CORETYPE") ? "set" : "unset") ==
        (std::string(job) == "hide" ? "unset" : "set"));
  for (const DType dtype : {F32, F64}) {
    const Tensor a = numbers({65, 70}, dtype, 1), b = numbers({70, 33}, dtype, 2);
    CHECK(worst(matmul(a, b), loops(a, b)) < 1e-4);
  }
}

TEST_CASE("blas: a kernel that is too weak for the processor is replaced") {
  CHECK_FALSE(blas_kernel().empty());
  if (!supports("avx2") || !gotoblas_dynamic_init || std::getenv("GRADUS_BLAS_CHILD")) return;
  CHECK(kernel_of_child("Prescott", true) ==
        std::string(supports("avx512") ? "SkylakeX" : "Haswell") + " (was Prescott)");
}

TEST_CASE(
    "blas: what was changed for gradus is undone where asked, and done again at the next product") {
  if (!openblas_set_num_threads || !openblas_get_num_threads || !openblas_get_corename) return;
  restore_blas();
  const std::string kernel = openblas_get_corename();
  openblas_set_num_threads(2);
  const Tensor a = numbers({65, 70}, F32, 1), b = numbers({70, 33}, F32, 2);
  const auto before = matmul(a, b).to_vector();
  CHECK(openblas_get_num_threads() == 1);
  const std::string chosen = openblas_get_corename();
  restore_blas();
  restore_blas();  // nothing is left to undo
  CHECK(openblas_get_num_threads() == 2);
  CHECK(openblas_get_corename() == kernel);
  CHECK(matmul(a, b).to_vector() == before);
  CHECK(openblas_get_corename() == chosen);
  CHECK(openblas_get_num_threads() == 1);
}

TEST_CASE("blas: a kernel that the user chose is kept") {
  if (!supports("avx2") || !gotoblas_dynamic_init || std::getenv("GRADUS_BLAS_CHILD")) return;
  CHECK(kernel_of_child("Prescott", false) == "Prescott");
}
