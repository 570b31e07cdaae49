#include "autograd/gradcheck_problem.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "autograd/engine.h"
#include "autograd/ops.h"

namespace gradus {

Problem::Problem(const Function& function, const std::vector<Tensor>& given,
                 const GradcheckOptions& options)
    : f(function) {
  check<ValueError>(options.differentiate.empty() || options.differentiate.size() == given.size(),
                    "gradcheck: differentiate says {} times yes or no, but there are {} inputs",
                    options.differentiate.size(), given.size());
  for (size_t i = 0; i < given.size(); ++i) {
    inputs.push_back(raw::clone(given[i]));
    const bool chosen = options.differentiate.empty() || options.differentiate[i];
    wanted.push_back(chosen && given[i].is_floating_point());
    check<DTypeError>(given[i].dtype() != F32,
                      "gradcheck: input {} is float32: differences would be noise; use F64", i);
    if (wanted.back()) inputs.back().set_requires_grad();
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
  if (y.dtype() == F32) return true;
  std::set<const Node*> seen;
  std::vector<const Node*> waiting = {y.impl()->node.get()};
  while (!waiting.empty()) {
    const Node* node = waiting.back();
    waiting.pop_back();
    if (!node || !seen.insert(node).second) continue;
    for (const Edge& edge : node->body.edges) {
      if (edge.dtype == F32) return true;
      waiting.push_back(edge.node.get());
    }
  }
  return false;
}

std::vector<Tensor> gradients_of(const Tensor& y, const std::vector<Tensor>& wanted,
                                 const Tensor& upstream, bool create_graph) {
  if (y.requires_grad()) return grad(y, wanted, {.create_graph = create_graph}, upstream);
  std::vector<Tensor> zeros_;
  for (const Tensor& x : wanted) zeros_.push_back(zeros_like(x));
  return zeros_;
}

std::vector<Tensor> Problem::gradients(const std::vector<Tensor>& at,
                                       const Tensor& upstream) const {
  std::vector<Tensor> leaves, all(at.size());
  for (size_t i = 0; i < at.size(); ++i)
    if (wanted[i]) leaves.push_back(at[i]);
  const std::vector<Tensor> found = gradients_of(f(at), leaves, upstream, false);
  for (size_t i = 0, k = 0; i < at.size(); ++i)
    if (wanted[i]) all[i] = found[k++];
  return all;
}

std::vector<std::vector<double>> Problem::last_digits(const std::vector<Tensor>& gradients_,
                                                      const Tensor& upstream) const {
  std::vector<std::vector<double>> digits(inputs.size());
  for (const double nudge : {-2, -1, 1, 2}) {
    std::vector<Tensor> nudged = inputs;
    const double factor = 1 + nudge * std::numeric_limits<double>::epsilon();
    for (size_t i = 0; i < inputs.size(); ++i)
      if (wanted[i])
        nudged[i] = raw::unary(scalar::MulScalar{factor}, inputs[i]).set_requires_grad();
    const std::vector<Tensor> moved = gradients(nudged, upstream);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!wanted[i]) continue;
      const auto a = gradients_[i].to_vector<double>(), b = moved[i].to_vector<double>();
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
                      "gradcheck: f is random{}: it gives another value each time it is called; "
                      "seed its random numbers inside f, so that differences mean something, or "
                      "switch dropout off with train(false)",
                      draws ? ", it draws from default_generator()" : "");
    if (draws) times = 200;  // they may matter seldom, as in a dropout of 1 in 10
  }
}

}  // namespace gradus
