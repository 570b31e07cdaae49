#include "autograd/gradcheck_problem.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/engine.h"
#include "autograd/graph.h"
#include "autograd/ops.h"

namespace gradus {

Problem::Problem(const Function& function, const std::vector<Tensor>& given,
                 const GradcheckOptions& options)
    : f(function) {
  check<ValueError>(options.differentiate.empty() || options.differentiate.size() == given.size(),
                    "gradcheck: differentiate has {} entries for {} inputs; give one for each",
                    options.differentiate.size(), given.size());
  for (size_t i = 0; i < given.size(); ++i) {
    check_defined("gradcheck", given[i]);
    check<DTypeError>(given[i].dtype() != F32,
                      "gradcheck: input {} is float32: differences would be noise; use F64", i);
    inputs.push_back(raw::clone(given[i]));
    const bool chosen = options.differentiate.empty() || options.differentiate[i];
    differentiate.push_back(chosen && given[i].is_floating_point());
    if (differentiate.back()) inputs.back().set_requires_grad();
  }
}

std::vector<double> Problem::outputs() const {
  NoGrad guard;
  return f(inputs).to_vector<double>();
}

std::vector<double> Problem::outputs_at(size_t i, int64_t j, double x) const {
  const Tensor element = raw::as_strided(inputs[i], {}, {}, j);
  const double before = element.item();
  raw::fill_(element, x);
  std::vector<double> y = outputs();
  raw::fill_(element, before);
  return y;
}

bool uses_float32(const Tensor& y) {
  bool found = y.dtype() == F32;
  for_each_node(y, [&](const Node& node) {
    for (const Edge& edge : node.body.edges) found |= edge.dtype == F32;
  });
  return found;
}

std::vector<Tensor> gradients_of(const Tensor& y, const std::vector<Tensor>& inputs,
                                 const Tensor& upstream, bool create_graph) {
  if (y.requires_grad()) return grad(y, inputs, {.create_graph = create_graph}, upstream);
  std::vector<Tensor> all_zeros;
  for (const Tensor& x : inputs) all_zeros.push_back(zeros_like(x));
  return all_zeros;
}

std::vector<Tensor> Problem::gradients(const std::vector<Tensor>& at,
                                       const Tensor& upstream) const {
  std::vector<Tensor> leaves, all(at.size());
  for (size_t i = 0; i < at.size(); ++i)
    if (differentiate[i]) leaves.push_back(at[i]);
  const std::vector<Tensor> found = gradients_of(f(at), leaves, upstream, false);
  for (size_t i = 0, k = 0; i < at.size(); ++i)
    if (differentiate[i]) all[i] = found[k++];
  return all;
}

std::vector<std::vector<double>> Problem::last_digits(const std::vector<Tensor>& at_inputs,
                                                      const Tensor& upstream) const {
  std::vector<std::vector<double>> digits(inputs.size());
  for (const double nudge : {-2, -1, 1, 2}) {
    std::vector<Tensor> nudged = inputs;
    const double factor = 1 + nudge * std::numeric_limits<double>::epsilon();
    for (size_t i = 0; i < inputs.size(); ++i)
      if (differentiate[i])
        nudged[i] = raw::unary(scalar::MulScalar{factor}, inputs[i]).set_requires_grad();
    const std::vector<Tensor> moved = gradients(nudged, upstream);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!differentiate[i]) continue;
      const auto a = at_inputs[i].to_vector<double>(), b = moved[i].to_vector<double>();
      digits[i].resize(a.size());
      for (size_t j = 0; j < a.size(); ++j)
        if (std::isfinite(a[j] - b[j]))
          digits[i][j] = std::max(digits[i][j], std::abs(a[j] - b[j]));
    }
  }
  return digits;
}

void Problem::refuse_random(int times) const {
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  const std::vector<double> first = outputs();
  const PhiloxKey before = default_generator().state();
  for (int i = 0; i < times; ++i) {
    const std::vector<double> again = outputs();
    const PhiloxKey after = default_generator().state();
    const bool draws = before.seed != after.seed || before.offset != after.offset;
    check<ValueError>(std::equal(first.begin(), first.end(), again.begin(), again.end(), same),
                      "gradcheck: f is random{}: two calls give different values, so differences "
                      "mean nothing; seed its random numbers inside f, or switch dropout off with "
                      "train(false)",
                      draws ? ", it draws from default_generator()" : "");
    if (draws) times = 200;  // random numbers may rarely matter, as in a dropout of 1 in 10
  }
}

}  // namespace gradus
