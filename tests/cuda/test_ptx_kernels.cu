// The PTX interpreter (cuda/emulator/ptx.h) on whole kernels written in PTX by hand, and its
// messages about mistakes. tests/cuda/ptx.sh runs all CUDA tests on the PTX that nvcc generates.
#include "tests/cuda/device.h"

/// Code that only nvcc sees. g++ compiles the 1, a GPU runs the 2, and here only PTX shows that.
__global__ void planted_kernel(int* out) {
#if defined(__CUDA_ARCH__)
  *out = 2;
#else
  *out = 1;
#endif
}

/// The handwritten entries in kByHand have the names of these kernels, which do nothing in C++.
extern "C" __global__ void ptx_reverse(float*, int) {}
extern "C" __global__ void ptx_calls(int*) {}
extern "C" __global__ void ptx_beyond(float*, int) {}

#if defined(SIMT_EMULATOR)
  #include <sys/wait.h>
  #include <unistd.h>

  #include <csignal>
  #include <cstdio>
  #include <cstdlib>

  #include "cuda/emulator/include/simt/control.h"
  #include "cuda/emulator/ptx.h"

using namespace simt;

// ---- Handwritten kernels ------------------------------------------------------------------------

namespace {

const char* const kByHand = R"(
.version 9.0
.target sm_75
.address_size 64
.const .align 4 .b8 table[8] = {5, 0, 0, 0, 0, 1};

// x[i] = x[n - 1 - i] through shared memory, plus the value of the neighbouring lane; n = 64
.visible .entry ptx_reverse(.param .u64 ptx_reverse_param_0, .param .u32 ptx_reverse_param_1)
.maxntid 64, 1, 1
{
  .shared .align 4 .b8 row[256];
  .reg .pred %p<2>;
  .reg .b32 %r<8>;
  .reg .f32 %f<4>;
  .reg .b64 %rd<4>;
  ld.param.u64 %rd1, [ptx_reverse_param_0];
  ld.param.u32 %r1, [ptx_reverse_param_1];
  cvta.to.global.u64 %rd2, %rd1;
  mov.u32 %r2, %tid.x;
  mul.wide.s32 %rd3, %r2, 4;
  add.s64 %rd2, %rd2, %rd3;
  ld.global.f32 %f1, [%rd2];
  shl.b32 %r3, %r2, 2;
  mov.u32 %r4, row;
  add.s32 %r5, %r4, %r3;
  st.shared.f32 [%r5], %f1;
  bar.sync 0;
  sub.s32 %r6, %r1, %r2;
  shl.b32 %r6, %r6, 2;
  add.s32 %r6, %r4, %r6;
  ld.shared.f32 %f2, [%r6+-4];
  mov.b32 %r7, %f1;
  shfl.sync.bfly.b32 %r7|%p1, %r7, 1, 31, -1;
  mov.b32 %f3, %r7;
  add.f32 %f2, %f2, %f3;
  st.global.f32 [%rd2], %f2;
  ret;
}

// n! by recursion
.func (.param .b32 result) factorial(.param .b32 n)
{
  .reg .pred %p;
  .reg .b32 %r<4>;
  ld.param.u32 %r1, [n];
  setp.lt.s32 %p, %r1, 2;
  mov.u32 %r3, 1;
  @%p bra $done;
  add.s32 %r2, %r1, -1;
  { // callseq
  .param .b32 param0;
  st.param.b32 [param0], %r2;
  .param .b32 retval0;
  call.uni (retval0), factorial, (param0);
  ld.param.b32 %r3, [retval0];
  }
  mul.lo.s32 %r3, %r3, %r1;
$done:
  st.param.b32 [result], %r3;
  ret;
}

.visible .entry ptx_calls(.param .u64 x)
{
  .local .align 8 .b8 depot[16];
  .reg .b32 %r<4>;
  .reg .b64 %rd<6>;
  ld.param.u64 %rd1, [x];
  mov.u64 %rd3, depot;
  cvta.local.u64 %rd4, %rd3;
  st.local.u32 [%rd3+4], 6;
  ld.u32 %r1, [%rd4+4];
  {
  .param .b32 param0;
  st.param.b32 [param0], %r1;
  .param .b32 retval0;
  mov.u64 %rd5, factorial;
  proto : .callprototype (.param .b32 _) _ (.param .b32 _);
  call (retval0), %rd5, (param0), proto;
  ld.param.b32 %r2, [retval0];
  }
  st.global.u32 [%rd1], %r2;
  ld.const.u32 %r3, [table+4];
  red.global.add.u32 [%rd1+4], %r3;
  atom.global.cas.b32 %r1, [%rd1+8], 3, 9;
  st.global.u32 [%rd1+12], %r1;
  ret;
}

.visible .entry ptx_beyond(.param .u64 x, .param .u32 how)
{
  .shared .align 4 .b8 few[8];
  .reg .pred %p;
  .reg .b32 %r<4>;
  .reg .b64 %rd<4>;
  ld.param.u64 %rd1, [x];
  ld.param.u32 %r1, [how];
  setp.eq.s32 %p, %r1, 0;
  @%p ld.global.f32 %r2, [%rd1+16];
  setp.eq.s32 %p, %r1, 1;
  @%p ld.global.v2.f32 {%r2, %r3}, [%rd1+4];
  setp.eq.s32 %p, %r1, 2;
  mov.u32 %r3, few;
  @%p st.shared.u32 [%r3+8], %r1;
  setp.eq.s32 %p, %r1, 3;
  @%p trap;
  ret;
}
)";

/// While this exists, launches run the entries of kByHand.
class ByHand {
 public:
  ByHand() {
    const int file = mkstemp(path_);
    REQUIRE(write(file, kByHand, std::strlen(kByHand)) == ssize_t(std::strlen(kByHand)));
    close(file);
    ptx::use(path_);
  }
  ~ByHand() {
    const char* const before = std::getenv("GRADUS_CUDA_PTX");
    ptx::use(before ? before : "");
    unlink(path_);
  }

 private:
  char path_[32] = "/tmp/gradus_ptx_XXXXXX";
};

}  // namespace

TEST_CASE("ptx: barriers, shuffles and shared memory in a handwritten entry") {
  const ByHand by_hand;
  std::vector<float> x(64);
  for (size_t i = 0; i < 64; ++i) x[i] = float(i * i);
  const Device<float> device(x);
  launch<ptx_reverse>({1, 64}, device.data(), 64);
  const auto got = device.host();
  for (size_t i = 0; i < 64; ++i) CHECK(got[i] == x[63 - i] + x[i ^ 1]);
}

TEST_CASE(
    "ptx: calls, function pointers, local arrays, constants and atomics in a handwritten entry") {
  const ByHand by_hand;
  const Device<int> device{0, 1, 3, 0};
  launch<ptx_calls>({1, 1}, device.data());
  CHECK(device.host() == std::vector<int>{720, 257, 9, 3});
}

TEST_CASE("ptx: a report about an address names the instruction") {
  const ByHand by_hand;
  const char* const expected[] = {"ld.global.f32 %r2, [%rd1+16]", "not a multiple of 8",
                                  "byte 8 of the shared array few of 8 bytes", "executes a trap"};
  config().quiet = true;
  for (int how = 0; how < 4; ++how) {
    const Device<float> device(4);
    launch<ptx_beyond>({1, 1}, device.data(), how);
    CHECK(cudaDeviceSynchronize() != cudaSuccess);
    CAPTURE(last_report());
    CHECK(last_report().find(expected[how]) != std::string::npos);
    CHECK(last_report().find("ptx_beyond") != std::string::npos);
    clear_errors();
  }
  config().quiet = false;
}

// ---- PTX that cannot be run ---------------------------------------------------------------------

namespace {

/// What a child process prints when it reads this PTX, which must end it with abort().
std::string last_words(const char* text) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 2);
    std::signal(SIGABRT, SIG_DFL);
    ptx::parse(text, "some.ptx");
    _exit(0);
  }
  close(ends[1]);
  std::string words;
  char buffer[512];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    words.append(buffer, size_t(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  return words;
}

bool says(const std::string& words, const std::string& what) {
  CAPTURE(words);
  CHECK(words.find(what) != std::string::npos);
  return words.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("ptx: an unknown instruction ends the program, and the message names it") {
  const auto words = last_words(
      ".visible .entry _Z6kernelPf(.param .u64 x)\n{ .reg .b32 %r<3>;\n frob.s32 %r1, %r2; }");
  says(words, "some.ptx:3");
  says(words, "`frob.s32 %r1, %r2;`");
  says(words, "kernel(float*)");
  // A modifier that would change the result is not ignored.
  for (const char* text :
       {"add.half.s32 %r1, %r1, %r2", "ld.far.u32 %r1, [%r2]", "setp.near.s32 %p, 1, 2",
        "cvt.rx.f32.s32 %r1, %r2", "atom.global.nand.b32 %r1, [%r2], 3",
        "shfl.sync.spin.b32 %r1, %r2, 1, 31, -1"})
    says(last_words(
             (".visible .entry k() { .reg .b32 %r<3>; .reg .pred %p; " + std::string(text) + "; }")
                 .c_str()),
         text);
}

TEST_CASE("ptx: malformed text ends the program, and the message names the line") {
  says(last_words(".visible .entry k() {\n add.s32 %r1, 1, 2;\n}"), "unknown name `%r1`");
  says(last_words(".visible .entry k() {\n bra $nowhere;\n}"), "no label `$nowhere`");
  says(last_words(".visible .entry k() {\n ret;"), "the file ends inside a function");
  says(last_words(".frobnicate 3"), "unknown directive");
}

TEST_CASE("ptx: sizes beyond any GPU's end the program before memory is allocated") {
  const auto in_kernel = [](const std::string& text) {
    return last_words((".visible .entry k() {\n" + text + "; ret; }").c_str());
  };
  for (const std::string count : {"4000000000", "18446744073709551616", "-1", "x", ""}) {
    const auto words = in_kernel(".reg .b32 %r<" + count + ">");
    says(words, "some.ptx:2: expected a number of registers from 0 to");
    says(words, "(at `" + (count.empty() ? ">" : count) + "`)");
  }
  says(in_kernel(".reg .b32 %r<1000000>; .reg .b32 %s<1000000>"), "a number of registers");
  std::string many;  // no function has too many registers, but together they do
  for (const char* name : {"a", "b", "c", "d", "e", "f"})
    many += std::string(".visible .entry ") + name + "() { .reg .b32 %r<1000000>; ret; }\n";
  says(last_words(many.c_str()), "have more than 4194304 registers");
  for (const std::string sizes : {"[9223372036854775807][4]", "[4294967296][4294967296]",
                                  "[99999999999999999999]", "[-1]", "[1][2][300000000]", "[x]"})
    for (const std::string space : {".shared", ".global", ".local", ".param"})
      says(in_kernel(space + " .b8 x" + sizes), "some.ptx:2: expected an array size from 0 to");
  says(in_kernel(".shared .b8 x[200000000]"), "more memory than any GPU has");
  says(in_kernel(".shared .b8 x[12000000]; .shared .b8 y[12000000]"), "than any GPU has");
  says(in_kernel(".global .b64 x[200000000]"), "the arrays of this file take more than 268435456");
  says(in_kernel(".global .b8 x[200000000]; .global .b8 y[200000000]"), "take more than 268435456");
  says(in_kernel(".local .b8 x[300000]; .local .b8 y[300000]"), "that a GPU thread has");
  for (const std::string align : {"0", "3", "1048576", "x"})
    says(in_kernel(".local .align " + align + " .b8 x[4]"), "an alignment");
}
#endif

TEST_CASE("ptx: code that g++ does not see") {
  const Device<int> out(1);
  launch<planted_kernel>({1, 1}, out.data());
#if defined(SIMT_EMULATOR)
  CHECK(out.host()[0] == (std::getenv("GRADUS_CUDA_PTX") ? 2 : 1));
#else
  CHECK(out.host()[0] == 2);
#endif
}
