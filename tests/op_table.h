#pragma once
// How an op is tested: by one row in the table of its family (op_table_elementwise.cpp, …) and one
// line in golden/ops.py. (README.md says what else an op needs.) The row says
//   name       what the op passes to record(), plus "/variant" where one row is not enough;
//   inputs     shapes with distinct sizes (2, 3, 5, 7: never 1, never equal, so that no dimension
//              can stand in for another) and a range away from kinks and poles;
//   f          the op;
//   reference  what its value must be, by plain loops over indices and std:: functions; for a fused
//              op, the definition in plain ops.
// From that, tests/test_ops.cpp checks the value, also on transposed, sliced and broadcast inputs;
// gradients and second derivatives by differences; every layout of the upstream gradient; float32
// against float64; and PyTorch's values. A fused op with `matrix` has kernels that handle the ends
// of vectors and warps themselves: it is compared with its definition on rows of many lengths.
// `make gradcheck` prints the table. The same rows, with inputs on another device, compare that
// device with the CPU.
#include "autograd/gradcheck.h"
#include "autograd/ops.h"

namespace gradus::test {

using Tensors = std::vector<Tensor>;
using Shapes = std::vector<Shape>;

/// F64 numbers in [low, high], all different; if below > 0, I64 numbers in [0, below).
struct InputSpec {
  Shape shape;
  double low = -2, high = 2;
  int64_t below = 0;
};

struct OpRow {
  std::string name;
  std::vector<InputSpec> inputs;
  Function f, reference;
  std::vector<Shapes> also = {};  // other shapes for the same inputs: 0-d, empty, broadcasting
  bool composite = false;         // made of other ops: records their names, not its own
  bool golden = true;             // golden/ops.json has PyTorch's values
  double tolerance = 1e-12;       // of the value against the reference
  // A fused op that works row by row: the inputs' shapes for a matrix of `rows` rows of n.
  std::function<Shapes(int64_t rows, int64_t n)> matrix = {};
};

/// Every differentiable op, in the order of autograd/ops.h.
const std::vector<OpRow>& op_table();
std::vector<OpRow> elementwise_rows(), shape_rows(), reduce_rows(), product_rows(), index_rows(),
    softmax_and_norm_rows(), attention_rows();

/// Names passed to record() that no row can call directly, and the rows that reach them.
const std::vector<std::pair<std::string, std::string>>& internal_ops();

/// The inputs of a row in its own shapes, or in others. The same numbers on every device.
Tensors make_inputs(const OpRow& row, const Shapes& shapes, Device device = Device::CPU);
/// The row's own shapes, then those of `also`.
std::vector<Shapes> all_shapes(const OpRow& row);

// For references.
using Index = std::vector<int64_t>;
/// The F64 tensor whose element at i is value(i).
Tensor build(const Shape& shape, const std::function<double(const Index&)>& value);
/// x at i. As in broadcasting, surplus leading indices are ignored, and a size of 1 repeats.
double at(const Tensor& x, const Index& i);
/// f of a and b, element by element, with broadcasting.
Tensor combine(const Tensor& a, const Tensor& b, const std::function<double(double, double)>& f);
/// `value` of the numbers along `dims` (sorted, not negative; an empty list means all), row by row.
Tensor fold(const Tensor& x, const Dims& dims, bool keepdim,
            const std::function<double(const std::vector<double>&)>& value);

}  // namespace gradus::test
