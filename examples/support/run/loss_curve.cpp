#include "examples/support/run/loss_curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "examples/support/show/plot.h"

namespace gradus::support {

void LossCurve::add(double loss) {
  sum += loss;
  ++added;
}

double LossCurve::recent() const { return sum / static_cast<double>(added); }

void LossCurve::add_point(int64_t step, double validation_loss) {
  steps.push_back(static_cast<double>(step));
  training.push_back(recent());
  validation.push_back(validation_loss);
  sum = 0;
  added = 0;
}

size_t LossCurve::best() const {
  return static_cast<size_t>(std::ranges::min_element(validation) - validation.begin());
}

bool LossCurve::overfits(int64_t patience) const {
  if (patience <= 0 || steps.empty()) return false;
  const size_t lowest = best();
  const auto since = static_cast<int64_t>(steps.size() - 1 - lowest);
  return since >= patience && training.back() < training[lowest];
}

void LossCurve::draw(const std::filesystem::path& path, const std::string& title,
                     const std::string& unit, const Rival& rival) const {
  if (steps.size() < 2) return;
  save_plot(path, {Panel({.title = title, .x = "step", .y = unit})
                       .line("training", steps, training)
                       .line("validation", steps, validation)
                       .line(rival.name, steps, std::vector(steps.size(), rival.loss))});
}

std::string LossCurve::text() const {
  std::string out = fmt::format("{} {}\n", sum, added);
  for (size_t i = 0; i < steps.size(); ++i)
    out += fmt::format("{} {} {}\n", steps[i], training[i], validation[i]);
  return out;
}

LossCurve LossCurve::from_text(const std::string& text) {
  LossCurve curve;
  std::istringstream in(text);
  if (!(in >> curve.sum >> curve.added)) return {};
  for (double step, training, validation; in >> step >> training >> validation;) {
    curve.steps.push_back(step);
    curve.training.push_back(training);
    curve.validation.push_back(validation);
  }
  return curve;
}

}  // namespace gradus::support
