// One pass counts the pairs. Everything else is a sum over a row, a column or the diagonal.
#include "examples/support/show/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "examples/support/show/terminal.h"
#include "tensor/error.h"

namespace gradus::support {
namespace {

/// a / b, or 0 if b is 0.
double ratio(double a, double b) { return b == 0 ? 0 : a / b; }
double ratio(int64_t a, int64_t b) { return ratio(static_cast<double>(a), static_cast<double>(b)); }

}  // namespace

Confusion::Confusion(std::vector<std::string> classes)
    : classes_(std::move(classes)), counts_(classes_.size() * classes_.size()) {}

Confusion::Confusion(std::vector<std::string> classes, const std::vector<int64_t>& truth,
                     const std::vector<int64_t>& predicted)
    : Confusion(std::move(classes)) {
  check<ValueError>(truth.size() == predicted.size(),
                    "Confusion: {} true classes, but {} predictions; give one for each",
                    truth.size(), predicted.size());
  for (size_t i = 0; i < truth.size(); ++i) add(truth[i], predicted[i]);
}

void Confusion::add(int64_t truth, int64_t predicted) {
  const auto n = static_cast<int64_t>(classes_.size());
  check<IndexError>(truth >= 0 && truth < n && predicted >= 0 && predicted < n,
                    "Confusion: class {} predicted as {}, but classes go from 0 to {}", truth,
                    predicted, n - 1);
  ++counts_[truth * n + predicted];
}

int64_t Confusion::count(int64_t truth, int64_t predicted) const {
  return counts_.at(truth * classes_.size() + predicted);
}

int64_t Confusion::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

int64_t Confusion::true_count(int64_t c) const {
  int64_t n = 0;
  for (size_t p = 0; p < classes_.size(); ++p) n += count(c, p);
  return n;
}

int64_t Confusion::predicted_count(int64_t c) const {
  int64_t n = 0;
  for (size_t t = 0; t < classes_.size(); ++t) n += count(t, c);
  return n;
}

double Confusion::accuracy() const {
  int64_t right = 0;
  for (size_t c = 0; c < classes_.size(); ++c) right += count(c, c);
  return ratio(right, total());
}

double Confusion::precision(int64_t c) const { return ratio(count(c, c), predicted_count(c)); }
double Confusion::recall(int64_t c) const { return ratio(count(c, c), true_count(c)); }
double Confusion::f1(int64_t c) const {
  return ratio(2 * precision(c) * recall(c), precision(c) + recall(c));
}

double Confusion::macro_f1() const {
  double sum = 0;
  for (size_t c = 0; c < classes_.size(); ++c) sum += f1(c);
  return ratio(sum, static_cast<double>(classes_.size()));
}

std::vector<double> Confusion::values() const { return {counts_.begin(), counts_.end()}; }

std::string Confusion::table() const {
  int width = 0;
  for (const std::string& name : classes_) width += 2 + display_width(name);
  // Names too wide for a terminal get numbers: "3 dress" at the row, and 3 above the column.
  const bool numbered = width > 70;
  std::vector<std::string> header = {"true \\ predicted"}, row_names = classes_;
  for (size_t c = 0; c < classes_.size(); ++c) {
    header.push_back(numbered ? std::to_string(c) : classes_[c]);
    if (numbered) row_names[c] = fmt::format("{} {}", c, classes_[c]);
  }
  Table table(header);
  for (size_t t = 0; t < classes_.size(); ++t) {
    std::vector<std::string> row = {row_names[t]};
    for (size_t p = 0; p < classes_.size(); ++p)
      row.push_back(count(t, p) == 0 ? "·" : std::to_string(count(t, p)));
    table.row(row);
  }
  return table.text();
}

std::string Confusion::report() const {
  Table table({"class", "precision", "recall", "F1", "rows"});
  const auto cell = [](double x) { return fmt::format("{:.4f}", x); };
  for (size_t c = 0; c < classes_.size(); ++c)
    table.row({classes_[c], cell(precision(c)), cell(recall(c)), cell(f1(c)),
               fmt::format("{}", true_count(c))});
  table.row({"accuracy", "", "", cell(accuracy()), fmt::format("{}", total())});
  return table.text();
}

Roc roc_curve(const std::vector<int64_t>& truth, const std::vector<double>& score) {
  check<ValueError>(truth.size() == score.size(),
                    "roc_curve: {} labels, but {} scores; give one for each", truth.size(),
                    score.size());
  for (size_t i = 0; i < truth.size(); ++i) {
    check<ValueError>(truth[i] == 0 || truth[i] == 1,
                      "roc_curve: label {} is {}; it must be 0 or 1", i, truth[i]);
    check<ValueError>(!std::isnan(score[i]),
                      "roc_curve: score {} is NaN; only numbers can be ordered", i);
  }
  const auto positives = std::count(truth.begin(), truth.end(), 1);
  const auto negatives = static_cast<int64_t>(truth.size()) - positives;
  check<ValueError>(positives > 0 && negatives > 0,
                    "roc_curve: {} positives and {} negatives; it takes some of both", positives,
                    negatives);

  std::vector<size_t> order(truth.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return score[a] > score[b]; });

  Roc roc{{0}, {0}, {std::numeric_limits<double>::infinity()}, 0};
  int64_t found = 0, false_alarms = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    ++(truth[order[i]] == 1 ? found : false_alarms);
    const bool tied_with_next = i + 1 < order.size() && score[order[i]] == score[order[i + 1]];
    if (tied_with_next) continue;
    const double x = ratio(false_alarms, negatives), y = ratio(found, positives);
    roc.auc += (x - roc.false_positive_rate.back()) * (y + roc.true_positive_rate.back()) / 2;
    roc.false_positive_rate.push_back(x);
    roc.true_positive_rate.push_back(y);
    roc.threshold.push_back(score[order[i]]);
  }
  return roc;
}

}  // namespace gradus::support
