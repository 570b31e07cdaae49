// for_each_node and graph_dot: what they visit, what they draw, and what they refuse.
#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "autograd/graph.h"
#include "autograd/ops.h"
#include "tests/compare.h"

using namespace gradus;

namespace {
int64_t count(const std::string& text, const std::string& part) {
  int64_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}
}  // namespace

TEST_CASE("for_each_node: every node once, each before those of its inputs") {
  const Tensor x = ones({2, 3}).set_requires_grad();
  const Tensor y = exp(x), root = sum(y * y + x);  // exp is reached twice
  std::vector<std::string> ops;
  for_each_node(root, [&](const Node& node) { ops.emplace_back(node.op); });
  CHECK(ops == std::vector<std::string>{"sum", "add", "mul", "exp"});
  for_each_node(x, [](const Node&) { FAIL("a leaf has no node"); });
}

TEST_CASE("graph_dot: a box per operation, an ellipse per leaf, an arrow per use") {
  const Tensor x = ones({2, 3}).set_requires_grad();
  const Tensor y = exp(x), root = sum(y * y);
  const std::string dot = graph_dot(root, {{"x", x}, {"y", y}});
  CHECK(dot.starts_with("digraph"));
  CHECK(graph_dot(root, {{"x", x}, {"y", y}}) == dot);
  CHECK(contains(dot, "label=\"x\\n(2, 3)\""));
  CHECK(contains(dot, "label=\"y\\nexp\\n(2, 3)\""));
  CHECK(contains(dot, "label=\"mul\\n(2, 3)\""));
  CHECK(contains(dot, "label=\"sum\"]"));  // a single number: no shape
  CHECK(count(dot, "shape=box") == 3);
  CHECK(count(dot, "shape=ellipse") == 1);
  CHECK(count(dot, " -> ") == 4);  // x -> exp, exp -> mul twice, mul -> sum
}

TEST_CASE("graph_dot: a name may hold quotes, backslashes and several lines") {
  const Tensor x = ones({2}).set_requires_grad();
  const std::string dot = graph_dot(neg(x), {{"a \"b\" \\\nc", x}});
  CHECK(contains(dot, "label=\"a \\\"b\\\" \\\\\\nc\\n(2,)\""));
}

TEST_CASE("graph_dot: no history, and a history that is gone") {
  CHECK_THROWS_AS(graph_dot(ones({2})), GradError);
  const Tensor y = sum(ones({2}).set_requires_grad() * 2);
  backward(y);
  CHECK_THROWS_WITH_AS(graph_dot(y), doctest::Contains("freed"), GradError);
}
