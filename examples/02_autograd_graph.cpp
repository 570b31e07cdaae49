// 02: The computation graph. How a machine differentiates a program: exactly, in one pass, and
// without a formula for the whole.
//
// A running program leaves a graph behind: one node per operation, and an arrow from each input to
// it. Each operation is so simple that we know how much its output v moves when an input u moves:
// ∂v/∂u. The chain rule multiplies these along a path of arrows. If u is used more than once, a
// nudge of u reaches the result g along several paths at the same time, and their effects add up:
//
//   ∂g/∂g = 1          ∂g/∂u = Σ over the arrows u → v of  ∂g/∂v · ∂v/∂u
//
// The sum needs ∂g/∂v for every v that used u. So we walk from the newest node back to the oldest.
// This is reverse mode, or backpropagation: a single walk gives the gradient of g for *every*
// node, at about the cost of computing g, whether there are two inputs or a billion weights.
//
// Look at:  the picture, graph.svg: on each arrow its ∂v/∂u, in each box the gradient. Take a box
//           and add up, over its arrows, what is on the arrow times the gradient at its tip; first
//           c1, then a. The two relus: which of them passes a gradient on?
// Try next: `--step`, one node at a time. `--b -5`: which relus are off now? Change the expression,
//           and predict ∂g/∂a before you run it. Then read autograd/engine.cpp: it is our
//           walk_back().
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "examples/support/data/csv.h"
#include "examples/support/run/options.h"
#include "examples/support/show/plot.h"
#include "examples/support/show/terminal.h"

using namespace gradus;
using namespace gradus::support;

namespace {

/// What we want to know about a node: the library keeps neither its name nor its value.
struct Entry {
  struct Use {
    std::string user;            // the node that used it
    double local, contribution;  // ∂user/∂this; ∂g/∂user times that
  };
  std::string name, formula;
  Tensor value;
  double gradient = 0;
  std::vector<Use> uses = {};
};

class Notes {
 public:
  /// Writes a result down and returns it.
  Tensor operator()(std::string name, std::string formula, Tensor value) {
    index_[key(value.impl()->node.get(), value)] = entries.size();
    entries.push_back({std::move(name), std::move(formula), value});
    return value;
  }
  Entry& at(const Node* node, const Tensor& leaf = {}) {
    return entries[index_.at(key(node, leaf))];
  }
  std::vector<Entry> entries;  // in the order of computation: the leaves first

 private:
  static const void* key(const Node* node, const Tensor& leaf) {
    return node ? static_cast<const void*>(node) : leaf.impl();
  }
  std::map<const void*, size_t> index_;
};

/// The expression that micrograd's README made famous (A. Karpathy, 2020), an operation per line.
Tensor expression(Notes& note, const Tensor& a, const Tensor& b) {
  const Tensor c1 = note("c1", "a + b", a + b);
  const Tensor p = note("p", "a · b", a * b);
  const Tensor q = note("q", "b³", pow(b, 3));
  const Tensor d1 = note("d1", "p + q", p + q);
  const Tensor r = note("r", "c1 + 1", c1 + 1);
  const Tensor c2 = note("c2", "c1 + r", c1 + r);
  const Tensor s = note("s", "c2 + 1", c2 + 1);
  const Tensor t = note("t", "s - a", s - a);
  const Tensor c3 = note("c3", "c2 + t", c2 + t);
  const Tensor u = note("u", "2 · d1", 2 * d1);
  const Tensor v = note("v", "relu(c1)", relu(c1));
  const Tensor w = note("w", "u + v", u + v);
  const Tensor d2 = note("d2", "d1 + w", d1 + w);
  const Tensor x = note("x", "3 · d2", 3 * d2);
  const Tensor y = note("y", "b - a", b - a);
  const Tensor z = note("z", "relu(y)", relu(y));
  const Tensor h = note("h", "x + z", x + z);
  const Tensor d3 = note("d3", "d2 + h", d2 + h);
  const Tensor e = note("e", "c3 - d3", c3 - d3);
  const Tensor f = note("f", "e²", square(e));
  const Tensor k = note("k", "f / 2", f / 2);
  const Tensor l = note("l", "1 / f", reciprocal(f));
  const Tensor m = note("m", "10 · l", 10 * l);
  return note("g", "k + m", k + m);
}

/// A fresh graph of the expression. The first two notes are a and b.
Tensor build_graph(Notes& note, double a, double b) {
  const Tensor leaf_a = note("a", "", full({}, a, F64).set_requires_grad());
  const Tensor leaf_b = note("b", "", full({}, b, F64).set_requires_grad());
  return expression(note, leaf_a, leaf_b);
}

void wait_for_enter() {
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return;
  std::cout << "         (Enter)" << std::flush;
  std::string line;
  std::getline(std::cin, line);
}

/// ∂v/∂u for each input u of a node v. Recording leaves closures that map ∂g/∂v to ∂g/∂v · ∂v/∂u.
/// Called with 1, they return ∂v/∂u. A fused operation has one closure for all its inputs.
std::vector<double> local_derivatives(const Node& node) {
  const Tensor one = full({}, 1, F64);
  std::vector<double> out;
  if (node.body.joint)
    for (const Tensor& local : node.body.joint(one, node.body.output)) out.push_back(local.item());
  else
    for (const Edge& edge : node.body.edges)
      out.push_back(edge.vjp.f(one, node.body.output).item());
  return out;
}

enum class Rule { Add, Overwrite };  // Overwrite is the classic mistake

/// Reverse mode by hand: what backward(g) does, on the same graph that the library recorded.
void walk_back(Notes& notes, const Tensor& g, bool print_steps, Rule rule = Rule::Add) {
  const NoGrad guard;                                     // the walk itself is not recorded
  std::map<uint64_t, const Node*, std::greater<>> queue;  // newest first
  notes.at(g.impl()->node.get()).gradient = 1;
  queue[g.impl()->node->sequence] = g.impl()->node.get();
  while (!queue.empty()) {
    const Node* node = queue.extract(queue.begin()).mapped();
    const Entry& here = notes.at(node);  // its gradient is complete: all its users are done
    if (print_steps)
      fmt::print("  {:>2} = {:<8}  ∂g/∂{} = {:.6g}\n", here.name, here.formula, here.name,
                 here.gradient);
    const std::vector<double> locals = local_derivatives(*node);
    for (size_t i = 0; i < locals.size(); ++i) {
      const Edge& edge = node->body.edges[i];
      Entry& input = notes.at(edge.node.get(), edge.leaf);
      const double passed = here.gradient * locals[i];
      input.gradient = rule == Rule::Add ? input.gradient + passed : passed;
      input.uses.push_back({here.name, locals[i], passed});
      if (edge.node) queue[edge.node->sequence] = edge.node.get();
      if (print_steps)
        fmt::print("         ∂g/∂{:<2} += {:.6g} · {:.6g}  →  {:.6g}\n", input.name, here.gradient,
                   locals[i], input.gradient);
    }
    if (print_steps) wait_for_enter();
  }
}

/// The contributions to every node that was used more than once.
void show_sums(const Notes& notes) {
  fmt::print("\nWhere paths meet, gradients add\n");
  for (const Entry& entry : notes.entries) {
    if (entry.uses.size() < 2) continue;
    std::string sum;
    for (const Entry::Use& use : entry.uses)
      sum += fmt::format("{:+.4f} via {}, ", use.contribution, use.user);
    fmt::print("  ∂g/∂{:<2} {:9.4f} = {}\n", entry.name, entry.gradient,
               sum.substr(0, sum.size() - 2));
  }
}

/// The graph in Graphviz's language: a box per node, and on each arrow its local derivative.
std::string drawing(const Notes& notes) {
  std::string dot =
      "digraph {\n  ranksep=0.25; nodesep=0.15;\n"
      "  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"sans-serif\", "
      "fontsize=22, height=0, margin=\"0.1,0.04\"];\n"
      "  edge [fontname=\"sans-serif\", fontsize=20, fontcolor=\"#D55E00\"];\n";
  for (const Entry& e : notes.entries) {
    dot += fmt::format("  {0} [label=\"{0} = {1}{2:.4g}\\n∂g/∂{0} = {3:.4g}\"{4}];\n", e.name,
                       e.formula.empty() ? "" : e.formula + " = ", e.value.item(), e.gradient,
                       e.formula.empty() ? ", fillcolor=\"#CFEBE2\"" : "");
    for (const Entry::Use& use : e.uses)
      dot += fmt::format("  {} -> {} [label=\" {:.3g}\"];\n", e.name, use.user, use.local);
  }
  return dot + "}\n";
}

void show_nodes(const Example& app, const Notes& notes) {
  const std::vector<std::string> header = {"node", "formula", "value", "gradient"};
  Table table(header);
  std::vector<std::vector<std::string>> csv_rows;
  for (const Entry& e : notes.entries) {
    const double value = e.value.item();
    table.row({e.name, e.formula, fmt::format("{:.4f}", value), fmt::format("{:.4f}", e.gradient)});
    csv_rows.push_back(
        {e.name, e.formula, fmt::format("{:.9g}", value), fmt::format("{:.9g}", e.gradient)});
  }
  fmt::print("\n{}\n", table.text());
  write_csv(app.out("nodes.csv"), header, csv_rows);
  save_graph(app.out("graph"), drawing(notes));
}

/// ∂g/∂a and ∂g/∂b without a graph: nudge an input and watch the output, two runs per input.
std::pair<double, double> by_nudging(double a, double b) {
  Notes unused;
  const auto value = [&](double x, double y) { return build_graph(unused, x, y).item(); };
  const double h = 1e-5;
  return {(value(a + h, b) - value(a - h, b)) / (2 * h),
          (value(a, b + h) - value(a, b - h)) / (2 * h)};
}

int lesson(Example& app) {
  double a = -4, b = 2;
  bool step = false;
  app.option("--a", a, "the first input");
  app.option("--b", b, "the second input");
  app.flag("--step", step, "show the walk back, one node at a time");
  app.parse();

  Notes notes;
  const Tensor g = build_graph(notes, a, b);
  check<ValueError>(std::isfinite(g.item()),
                    "--a {} --b {}: g is {}, because e is 0 or too large; try other inputs", a, b,
                    g.item());
  fmt::print("forward: {} operations from a = {} and b = {} give g = {:.4f}\n",
             notes.entries.size() - 2, a, b, g.item());
  if (step) fmt::print("\nback, from the newest node to the oldest\n");
  walk_back(notes, g, step);
  show_nodes(app, notes);
  show_sums(notes);

  Notes wrong;  // a fresh graph for the mistake
  walk_back(wrong, build_graph(wrong, a, b), false, Rule::Overwrite);
  const auto [nudged_a, nudged_b] = by_nudging(a, b);
  const Entry &note_a = notes.entries[0], &note_b = notes.entries[1];
  backward(g);  // the library's walk
  const double da = note_a.value.grad().item(), db = note_b.value.grad().item();
  fmt::print("\nFour ways to ∂g/∂a and ∂g/∂b\n");
  Table table({"", "∂g/∂a", "∂g/∂b"});
  const auto add_row = [&](const char* way, double x, double y) {
    table.row({way, fmt::format("{:.4f}", x), fmt::format("{:.4f}", y)});
  };
  add_row("the walk above", note_a.gradient, note_b.gradient);
  add_row("backward(g)", da, db);
  add_row("nudging a, then b", nudged_a, nudged_b);
  add_row("with = instead of +=", wrong.entries[0].gradient, wrong.entries[1].gradient);
  fmt::print("{}\n", table.text());

  app.verdict(note_a.gradient == da && note_b.gradient == db,
              "the walk by hand and backward() agree to the last bit");
  const double error = std::max(std::abs(nudged_a - da) / std::max(1.0, std::abs(da)),
                                std::abs(nudged_b - db) / std::max(1.0, std::abs(db)));
  app.verdict(error < 1e-6, fmt::format("nudging agrees: relative error {:.1e} < 1e-6", error));
  if (a == -4 && b == 2) {
    app.verdict(std::abs(g.item() - 24.7041) < 5e-5, fmt::format("g = {:.4f}", g.item()));
    app.verdict(std::abs(da - 138.8338) < 5e-5, fmt::format("∂a = {:.4f}", da));
    app.verdict(std::abs(db - 645.5773) < 5e-5, fmt::format("∂b = {:.4f}", db));
  }
  return app.finish();
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, "02_autograd_graph", "the computation graph, reverse mode by hand",
             lesson);
}
