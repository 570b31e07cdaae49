#pragma once
// The checks of every row of the op table. Each returns the worst relative error it met,
//   |got - wanted| / max(|got|, |wanted|, root mean square of the wanted),
// how many numbers it compared, and a message if the row fails. tests/test_ops.cpp asserts that
// there is none; `make gradcheck` prints the table.
#include "tests/op_table.h"

namespace gradus::test {

struct Outcome {
  double worst = 0;
  int64_t checked = 0;
  std::string message;  // empty: the row passes
  bool ok() const { return message.empty(); }
};

/// The value against the reference, in all of the row's shapes.
Outcome check_value(const OpRow& row, Device device);
/// Value and gradients on transposed, sliced and expanded inputs, against contiguous ones.
Outcome check_layouts(const OpRow& row, Device device);
/// Gradients from a transposed and from an expanded upstream gradient, against contiguous ones.
Outcome check_upstream(const OpRow& row, Device device);
/// Value and gradients in float32 against float64.
Outcome check_float32(const OpRow& row, Device device);
/// For a fused op with `matrix`: value and gradients, in float32 and float64, on rows of many
/// lengths, against the definition that it was recorded with. On the CPU also the same bits on 1, 2
/// and 3 threads.
Outcome check_definition(const OpRow& row, Device device);
/// First and second derivatives against central differences, in all of the row's shapes.
Outcome check_first(const OpRow& row, Device device);
Outcome check_second(const OpRow& row, Device device);
/// Value and gradients against PyTorch's (golden/ops.json).
Outcome check_golden(const OpRow& row, Device device);
/// Value and gradients, in float32 and float64, in all of the row's shapes, against the CPU's.
Outcome check_against_cpu(const OpRow& row, Device device);

/// Any of them.
using RowCheck = Outcome (*)(const OpRow&, Device);

/// The operations in the graph behind y.
std::vector<std::string> recorded_ops(const Tensor& y);
/// The names of golden/ops.json.
std::vector<std::string> golden_names();

/// The relative error above; infinity if the shapes differ.
double relative_error(const Tensor& got, const Tensor& wanted);

}  // namespace gradus::test
