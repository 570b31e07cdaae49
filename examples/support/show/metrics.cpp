// One pass over the pairs; everything else is a sum over a row, a column or the diagonal.
#include "examples/support/show/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "examples/support/show/terminal.h"
#include "tensor/error.h"

namespace gradus::support {
namespace {

/// a / b, and 0 for nothing by nothing.
template <class A, class B>
double ratio(A a, B b) {
  return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b);
}

}  // namespace

Confusion::Confusion(std::vector<std::string> classes)
    : classes_(std::move(classes)), counts_(classes_.size() * classes_.size()) {}

Confusion::Confusion(std::vector<std::string> classes, const std::vector<int64_t>& truth,
                     const std::vector<int64_t>& predicted)
    : Confusion(std::move(classes)) {
  check<ValueError>(truth.size() == predicted.size(), "Confusion: {} true classes, {} predictions",
                    truth.size(), predicted.size());
  for (size_t i = 0; i < truth.size(); ++i) add(truth[i], predicted[i]);
}

void Confusion::add(int64_t truth, int64_t predicted) {
  const auto n = static_cast<int64_t>(classes_.size());
  check<IndexError>(truth >= 0 && truth < n && predicted >= 0 && predicted < n,
                    "Confusion: class {} predicted as {}, but there are {} classes", truth,
                    predicted, n);
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
  return ratio(sum, classes_.size());
}

std::vector<double> Confusion::values() const { return {counts_.begin(), counts_.end()}; }

std::string Confusion::table() const {
  int columns = 0;
  for (const std::string& c : classes_) columns += 2 + display_width(c);
  const bool numbered =
      columns > 70;  // too wide for a terminal: "3 dress", and a 3 above the column
  std::vector<std::string> header = {"true \\ predicted"};
  for (size_t c = 0; c < classes_.size(); ++c)
    header.push_back(numbered ? fmt::format("{}", c) : classes_[c]);
  Table table(header);
  for (size_t t = 0; t < classes_.size(); ++t) {
    std::vector<std::string> row = {numbered ? fmt::format("{} {}", t, classes_[t]) : classes_[t]};
    for (size_t p = 0; p < classes_.size(); ++p)
      row.push_back(count(t, p) == 0 ? "·" : fmt::format("{}", count(t, p)));
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
  check<ValueError>(truth.size() == score.size(), "roc_curve: {} labels, {} scores", truth.size(),
                    score.size());
  for (size_t i = 0; i < truth.size(); ++i) {
    check<ValueError>(truth[i] == 0 || truth[i] == 1, "roc_curve: label {} is {}: must be 0 or 1",
                      i, truth[i]);
    check<ValueError>(!std::isnan(score[i]), "roc_curve: score {} is NaN", i);
  }
  const auto positives = std::count(truth.begin(), truth.end(), 1);
  const auto negatives = static_cast<int64_t>(truth.size()) - positives;
  check<ValueError>(positives > 0 && negatives > 0,
                    "roc_curve: {} positives and {} negatives: both are needed", positives,
                    negatives);

  std::vector<size_t> order(truth.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return score[a] > score[b]; });

  Roc roc{{0}, {0}, {std::numeric_limits<double>::infinity()}, 0};
  int64_t found = 0, alarms = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    ++(truth[order[i]] == 1 ? found : alarms);
    if (i + 1 < order.size() && score[order[i]] == score[order[i + 1]]) continue;  // a tie goes on
    const double x = ratio(alarms, negatives), y = ratio(found, positives);
    roc.auc += (x - roc.false_positive_rate.back()) * (y + roc.true_positive_rate.back()) / 2;
    roc.false_positive_rate.push_back(x);
    roc.true_positive_rate.push_back(y);
    roc.threshold.push_back(score[order[i]]);
  }
  return roc;
}

}  // namespace gradus::support
