// The checks are the same for every device. Inputs are made on the CPU and moved, so that every
// device gets the same numbers; references are computed on the CPU.
#include "tests/op_table_checks.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "autograd/engine.h"
#include "autograd/graph.h"
#include "tensor/runtime.h"

namespace gradus::test {

namespace {

struct Result {
  Tensor value;
  Tensors gradients;  // of the floating inputs, in order
};

/// f(inputs) and, for the upstream gradient u, d(u . f)/d inputs. The inputs become leaves, and
/// keep their strides. With `definition`, a fused op is evaluated by its definition, not by its
/// kernels.
Result evaluate(const OpRow& row, const Tensors& inputs, const Tensor& upstream,
                bool definition = false) {
  Tensors leaves, differentiated;
  for (const Tensor& x : inputs) {
    leaves.push_back(x.detach());
    if (x.is_floating_point()) differentiated.push_back(leaves.back().set_requires_grad());
  }
  Result r{row.f(leaves), {}};
  if (definition) {
    const Node::Body& recorded = r.value.impl()->node->body;
    r.value = recorded.composite(recorded.inputs);
  }
  if (r.value.requires_grad())
    r.gradients = grad(r.value, differentiated, {}, upstream);
  else
    for (const Tensor& x : differentiated) r.gradients.push_back(zeros_like(x));
  r.value = r.value.detach();
  return r;
}

/// The same numbers on every device.
Tensor random_like(const Tensor& y) {
  Generator generator(11);
  return raw::to(randn(y.shape(), y.dtype(), generator), y.device());
}

Tensors moved(const Tensors& xs, Device device) {
  Tensors out;
  for (const Tensor& x : xs) out.push_back(raw::to(x, device));
  return out;
}

/// Adds a comparison to `out`; `what` says which, if it fails.
void compare(Outcome& out, const Tensor& got, const Tensor& wanted, double tolerance,
             const std::string& what) {
  const double error = relative_error(got, wanted);
  out.checked += wanted.numel();
  out.worst = std::max(out.worst, error);
  if (error <= tolerance || !out.ok()) return;
  out.message =
      fmt::format("{}: relative error {:.2g}, at most {:.0e} is allowed", what, error, tolerance);
  if (wanted.numel() <= 40) out.message += fmt::format("\ngot\n{}\nwanted\n{}", got, wanted);
}

void compare(Outcome& out, const Result& got, const Result& wanted, double tolerance,
             const std::string& what) {
  compare(out, got.value, wanted.value, tolerance, what + ": the value");
  for (size_t i = 0; i < wanted.gradients.size(); ++i)
    compare(out, got.gradients[i], wanted.gradients[i], tolerance,
            fmt::format("{}: gradient {}", what, i));
}

std::string named(const OpRow& row, const Shapes& shapes) {
  std::string s = row.name + " on";
  for (const Shape& shape : shapes) s += fmt::format(" {}", shape);
  return s;
}

// ---- Layouts: the same numbers, laid out differently in memory

Tensor stored_transposed(const Tensor& x) {
  return x.dim() < 2 ? x : raw::transpose(raw::clone(raw::transpose(x, 0, -1)), 0, -1);
}
/// Every second element of a larger buffer, beginning after its start.
Tensor stored_with_gaps(const Tensor& x) {
  if (x.dim() == 0) return x;
  Shape wide = x.shape();
  wide[wide.size() - 1] = 2 * wide.back() + 1;
  const Tensor view = raw::slice(full(wide, 3, x.options()), -1, 1, wide.back(), 2);
  raw::copy_(view, x);
  return view;
}
/// The first element along dimension d in place of all: different numbers, stride 0.
Tensor repeated(const Tensor& x, int d) {
  if (d >= x.dim() || x.size(d) == 0) return x;
  return raw::expand(raw::slice(x, d, 0, 1), x.shape());
}
int most_dims(const Tensors& xs) {
  int most = 0;
  for (const Tensor& x : xs) most = std::max(most, x.dim());
  return most;
}

}  // namespace

double relative_error(const Tensor& got, const Tensor& wanted) {
  if (got.shape() != wanted.shape()) return std::numeric_limits<double>::infinity();
  const auto a = got.to_vector<double>(), b = wanted.to_vector<double>();
  double squares = 0, worst = 0;
  for (double v : b) squares += v * v;
  const double typical = std::sqrt(squares / std::max(1.0, static_cast<double>(b.size())));
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double error =
        std::abs(a[i] - b[i]) / std::max({std::abs(a[i]), std::abs(b[i]), typical});
    worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error);
  }
  return worst;
}

Outcome check_value(const OpRow& row, Device device) {
  Outcome out;
  for (const Shapes& shapes : all_shapes(row)) {
    const Tensors inputs = make_inputs(row, shapes, device);
    compare(out, row.f(inputs), row.reference(make_inputs(row, shapes)), row.tolerance,
            named(row, shapes) + " against the reference");
  }
  return out;
}

Outcome check_layouts(const OpRow& row, Device device) {
  Outcome out;
  for (const Shapes& shapes : all_shapes(row)) {
    const Tensors inputs = make_inputs(row, shapes, device);
    const auto check_layout = [&](const std::string& name, auto layout) {
      Tensors strided, contiguous;
      for (const Tensor& x : inputs) {
        strided.push_back(layout(x));
        contiguous.push_back(raw::clone(strided.back()));
      }
      const Tensor u = random_like(row.f(contiguous));
      compare(out, evaluate(row, strided, u), evaluate(row, contiguous, u), 1e-12,
              fmt::format("{}, {} inputs", named(row, shapes), name));
    };
    check_layout("transposed", stored_transposed);
    check_layout("sliced", stored_with_gaps);
    for (int d = 0; d < most_dims(inputs); ++d)
      check_layout(fmt::format("along {} expanded", d),
                   [d](const Tensor& x) { return repeated(x, d); });
  }
  return out;
}

Outcome check_upstream(const OpRow& row, Device device) {
  Outcome out;
  for (const Shapes& shapes : all_shapes(row)) {
    const Tensors inputs = make_inputs(row, shapes, device);
    const Tensor u = random_like(row.f(inputs));
    const std::string what = named(row, shapes);
    const Result wanted = evaluate(row, inputs, u);
    compare(out, evaluate(row, inputs, stored_transposed(u)), wanted, 1e-12,
            what + ", transposed upstream gradient");
    compare(out, evaluate(row, inputs, stored_with_gaps(u)), wanted, 1e-12,
            what + ", sliced upstream gradient");
    const auto check_expanded = [&](const Tensor& expanded) {
      compare(out, evaluate(row, inputs, expanded), evaluate(row, inputs, raw::clone(expanded)),
              1e-12, what + ", expanded upstream gradient");
    };
    check_expanded(raw::expand(full({}, 0.7, u.options()), u.shape()));
    for (int d = 0; d < u.dim(); ++d) check_expanded(repeated(u, d));
  }
  return out;
}

Outcome check_float32(const OpRow& row, Device device) {
  Outcome out;
  const Shapes shapes = all_shapes(row)[0];
  Tensors rounded, same;  // the same numbers in both precisions
  for (const Tensor& x : make_inputs(row, shapes, device)) {
    rounded.push_back(x.is_floating_point() ? raw::to(x, F32) : x);
    same.push_back(x.is_floating_point() ? raw::to(rounded.back(), F64) : x);
  }
  const Tensor u = raw::to(random_like(row.f(same)), row.f(rounded).dtype());
  const Result narrow = evaluate(row, rounded, u);
  compare(out, narrow, evaluate(row, same, raw::to(u, F64)), 2e-6,
          named(row, shapes) + " in float32");
  for (const Tensor& g : narrow.gradients)
    if (g.dtype() != F32) out.message = row.name + ": the gradient of a float32 input is float64";
  return out;
}

Outcome check_definition(const OpRow& row, Device device) {
  Outcome out;
  const int threads = get_num_threads();
  for (const int64_t n : {5, 7, 31, 33, 65, 1025})
    for (const int64_t rows : {int64_t{1}, device == Device::CPU ? 40000 / n + 37 : 4500 / n + 37})
      for (const DType dtype : {F32, F64}) {
        Tensors inputs, same;  // the same numbers, on the device in `dtype`, and in double
        for (const Tensor& x : make_inputs(row, row.matrix(rows, n))) {
          const Tensor rounded = x.is_floating_point() ? raw::to(x, dtype) : x;
          inputs.push_back(raw::to(rounded, device));
          same.push_back(x.is_floating_point() ? raw::to(rounded, F64) : x);
        }
        const Tensor u = raw::to(random_like(row.f(same)), dtype);
        const Result wanted = evaluate(row, same, raw::to(u, F64), true);
        const std::string what =
            fmt::format("{}, {} rows of {}, {}", row.name, rows, n, name(dtype));
        const Result got = evaluate(row, inputs, raw::to(u, device));
        compare(out, got, wanted, dtype == F32 ? 1e-5 : 1e-11, what + " against the definition");
        if (device != Device::CPU) continue;
        for (const int other : {1, 2, 3}) {
          set_num_threads(other);
          compare(out, evaluate(row, inputs, u), got, 0,
                  fmt::format("{}, {} threads", what, other));
        }
        set_num_threads(threads);
      }
  return out;
}

// In float32, both sides may be as far off as check_float32 allows.
Outcome check_against_cpu(const OpRow& row, Device device) {
  Outcome out;
  for (const Shapes& shapes : all_shapes(row))
    for (const DType dtype : {F32, F64}) {
      Tensors inputs;
      for (const Tensor& x : make_inputs(row, shapes))
        inputs.push_back(x.is_floating_point() ? raw::to(x, dtype) : x);
      const Tensor u = random_like(row.f(inputs));
      compare(out, evaluate(row, moved(inputs, device), raw::to(u, device)),
              evaluate(row, inputs, u), dtype == F32 ? 4e-6 : 1e-12,
              fmt::format("{} in {} against the cpu", named(row, shapes), name(dtype)));
    }
  return out;
}

// ---- Differences

namespace {
Outcome by_differences(const OpRow& row, Device device, bool second) {
  Outcome out;
  for (const Shapes& shapes : all_shapes(row)) {
    const Tensors inputs = make_inputs(row, shapes, device);
    const GradcheckResult r = second ? gradgradcheck(row.f, inputs) : gradcheck(row.f, inputs);
    out.worst = std::max(out.worst, r.worst_error);
    out.checked += r.checked;
    if (!r.ok && out.ok()) out.message = named(row, shapes) + ": " + r.message;
  }
  return out;
}
}  // namespace

Outcome check_first(const OpRow& row, Device device) { return by_differences(row, device, false); }
Outcome check_second(const OpRow& row, Device device) { return by_differences(row, device, true); }

// ---- PyTorch

namespace {

using nlohmann::json;

const json& golden() {
  static const json g = [] {
    std::ifstream in(std::filesystem::path(__FILE__).parent_path() / "golden/ops.json");
    check<IoError>(static_cast<bool>(in),
                   "tests/golden/ops.json is missing; run this from the top of the repository");
    return json::parse(in)["rows"];
  }();
  return g;
}

Tensor tensor_of(const json& j) {
  const Shape shape(j.at("shape").get<std::vector<int64_t>>());
  if (j.contains("int64")) return tensor(j["int64"].get<std::vector<int64_t>>(), shape);
  return tensor(j.at("float64").get<std::vector<double>>(), shape);
}

Tensors tensors_of(const json& list) {
  Tensors out;
  for (const json& j : list) out.push_back(tensor_of(j));
  return out;
}

}  // namespace

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& [name, _] : golden().items()) names.push_back(name);
  return names;
}

Outcome check_golden(const OpRow& row, Device device) {
  Outcome out;
  check<ValueError>(golden().contains(row.name),
                    "{}: no values from PyTorch; add a line to tests/golden/ops.py and run it",
                    row.name);
  for (const json& c : golden()[row.name]) {
    const Tensors inputs = tensors_of(c["inputs"]);
    Shapes shapes;
    for (const Tensor& x : inputs) shapes.push_back(x.shape());
    const Result wanted{tensor_of(c["output"]), tensors_of(c["gradients"])};
    const double tolerance = row.tolerance > 1e-9 ? row.tolerance : 1e-9;
    const Tensor upstream = raw::to(tensor_of(c["upstream"]), device);
    compare(out, evaluate(row, moved(inputs, device), upstream), wanted, tolerance,
            named(row, shapes) + " against PyTorch");
  }
  return out;
}

std::vector<std::string> recorded_ops(const Tensor& y) {
  std::vector<std::string> ops;
  for_each_node(y, [&](const Node& node) { ops.emplace_back(node.op); });
  return ops;
}

}  // namespace gradus::test
