// Every row of the op table on Device::CUDA, through the checks that the CPU passes in
// tests/test_ops.cpp, and against the CPU itself. Without a GPU the kernels run on the emulator.
#include "cuda/cuda.h"
#include "tests/every_row.h"

using namespace gradus;
using namespace gradus::test;

namespace {

bool is_attention(const OpRow& row) { return row.name.find("attention") != std::string::npos; }

void on_cuda(RowCheck check_row, const std::function<bool(const OpRow&)>& wanted = every_row) {
  cuda::install();
  for_every_row(Device::CUDA, check_row, wanted);
}

}  // namespace

TEST_CASE("cuda ops: values and gradients are the CPU's") { on_cuda(check_against_cpu); }
TEST_CASE("cuda ops: the value is the reference's") { on_cuda(check_value); }
TEST_CASE("cuda ops: strides of the inputs do not matter") { on_cuda(check_layouts); }
TEST_CASE("cuda ops: strides of the upstream gradient do not matter") { on_cuda(check_upstream); }
TEST_CASE("cuda ops: float32 agrees with float64") { on_cuda(check_float32); }
TEST_CASE("cuda ops: kernels agree with the definition for rows of any length") {
  on_cuda(check_definition, has_matrix);
}
TEST_CASE("cuda ops: PyTorch's values and gradients") { on_cuda(check_golden, has_golden); }
TEST_CASE("cuda ops: gradients by differences") { on_cuda(check_first, std::not_fn(is_attention)); }
TEST_CASE("cuda ops: second derivatives by differences") {
  on_cuda(check_second, std::not_fn(is_attention));
}
// Apart, because on the emulator they take several times as long as all the others: each difference
// is a run of kernels made for tiles of 64 x 64.
TEST_CASE("cuda ops: attention's gradients by differences") { on_cuda(check_first, is_attention); }
TEST_CASE("cuda ops: attention's second derivatives by differences") {
  on_cuda(check_second, is_attention);
}
