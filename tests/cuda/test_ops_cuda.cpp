// Every row of the op table on Device::CUDA, through the checks that the CPU passes in
// tests/test_ops.cpp, and against the CPU itself. Without a GPU the kernels run on the emulator.
#include <doctest/doctest.h>

#include "cuda/cuda.h"
#include "tests/op_table_checks.h"

using namespace gradus;
using namespace gradus::test;

namespace {

void for_every_row(RowCheck check_row, bool golden_only = false) {
  cuda::install();
  CHECK(op_table().size() > 80);
  for (const OpRow& row : op_table()) {
    if (golden_only && !row.golden) continue;
    CAPTURE(row.name);
    Outcome outcome;
    CHECK_NOTHROW(outcome = check_row(row, Device::CUDA));
    CHECK_MESSAGE(outcome.ok(), outcome.message);
    CHECK(outcome.checked > 0);
  }
}

}  // namespace

TEST_CASE("cuda ops: values and gradients are the CPU's") { for_every_row(check_against_cpu); }
TEST_CASE("cuda ops: the value is the reference's") { for_every_row(check_value); }
TEST_CASE("cuda ops: strides of the inputs do not matter") { for_every_row(check_layouts); }
TEST_CASE("cuda ops: strides of the upstream gradient do not matter") {
  for_every_row(check_upstream);
}
TEST_CASE("cuda ops: float32 agrees with float64") { for_every_row(check_float32); }
TEST_CASE("cuda ops: gradients by differences") { for_every_row(check_first); }
TEST_CASE("cuda ops: second derivatives by differences") { for_every_row(check_second); }
TEST_CASE("cuda ops: PyTorch's values and gradients") { for_every_row(check_golden, true); }
