// Every check of op_table_checks.h on every row of the op table (op_table.h says how to add one).
#include <algorithm>
#include <set>

#include "tests/every_row.h"

using namespace gradus;
using namespace gradus::test;

namespace {
void on_cpu(RowCheck check_row, const std::function<bool(const OpRow&)>& applies = every_row) {
  for_every_row(Device::CPU, check_row, applies);
}
}  // namespace

TEST_CASE("ops: the value equals the reference") { on_cpu(check_value); }
TEST_CASE("ops: strides of the inputs do not matter") { on_cpu(check_layouts); }
TEST_CASE("ops: strides of the upstream gradient do not matter") { on_cpu(check_upstream); }
TEST_CASE("ops: float32 agrees with float64") { on_cpu(check_float32); }
TEST_CASE("ops: kernels agree with the definition for rows of any length") {
  on_cpu(check_definition, has_matrix);
}
TEST_CASE("ops: gradients by differences") { on_cpu(check_first); }
TEST_CASE("ops: second derivatives by differences") { on_cpu(check_second); }
TEST_CASE("ops: PyTorch's values and gradients") { on_cpu(check_golden, has_golden); }

TEST_CASE("ops: every row calls the op that it names") {
  std::set<std::string> names, from_pytorch;
  for (const OpRow& row : op_table()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    if (row.golden) from_pytorch.insert(row.name);
    Tensors inputs = make_inputs(row, all_shapes(row)[0]);
    for (Tensor& x : inputs)
      if (x.is_floating_point()) x.set_requires_grad();
    const std::vector<std::string> ops = recorded_ops(row.f(inputs));
    const std::string op = row.name.substr(0, row.name.find('/'));
    CHECK((std::find(ops.begin(), ops.end(), op) != ops.end()) == !row.composite);
  }
  const std::vector<std::string> golden = golden_names();
  CHECK(std::set(golden.begin(), golden.end()) == from_pytorch);
}

TEST_CASE("ops: the checks find what is wrong") {
  OpRow row = op_table()[0];
  REQUIRE(row.name == "add");
  row.f = [](const Tensors& in) { return in[0] + in[1] * 1.001; };
  CHECK_FALSE(check_value(row, Device::CPU).ok());
  CHECK_FALSE(check_golden(row, Device::CPU).ok());
  CHECK(check_first(row, Device::CPU).ok());  // a wrong function with its own right derivative
  row.f = [](const Tensors& in) {
    return record("wrong", raw::add(in[0], in[1]),
                  {{in[0], [](const Tensor& g) { return g; }},
                   {in[1], [](const Tensor& g) { return g * square(g) * 0.0; }}});
  };
  CHECK(check_value(row, Device::CPU).ok());
  CHECK_FALSE(check_first(row, Device::CPU).ok());
  CHECK(check_first(row, Device::CPU).message.find("0 everywhere") != std::string::npos);
  CHECK_FALSE(check_golden(row, Device::CPU).ok());
}
