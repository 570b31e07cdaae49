// Every row of the op table on Device::CUDA, through the checks that the CPU passes in
// tests/test_ops.cpp, and against the CPU itself. Without a GPU the kernels run on the emulator.
#include <doctest/doctest.h>

#include <functional>

#include "cuda/cuda.h"
#include "tests/op_table_checks.h"

using namespace gradus;
using namespace gradus::test;

namespace {

bool all(const OpRow&) { return true; }
bool has_golden(const OpRow& row) { return row.golden; }
bool is_attention(const OpRow& row) { return row.name.find("attention") != std::string::npos; }

void for_every_row(RowCheck check_row, const std::function<bool(const OpRow&)>& wanted = all) {
  cuda::install();
  CHECK(op_table().size() > 80);
  for (const OpRow& row : op_table()) {
    if (!wanted(row)) continue;
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
TEST_CASE("cuda ops: PyTorch's values and gradients") { for_every_row(check_golden, has_golden); }
TEST_CASE("cuda ops: gradients by differences") {
  for_every_row(check_first, std::not_fn(is_attention));
}
TEST_CASE("cuda ops: second derivatives by differences") {
  for_every_row(check_second, std::not_fn(is_attention));
}
// Apart, because on the emulator they take several times as long as all the others: each difference is
// a run of kernels made for tiles of 64 x 64.
TEST_CASE("cuda ops: attention's gradients by differences") {
  for_every_row(check_first, is_attention);
}
TEST_CASE("cuda ops: attention's second derivatives by differences") {
  for_every_row(check_second, is_attention);
}
