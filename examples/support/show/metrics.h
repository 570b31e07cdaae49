#pragma once
// How good a classifier is. Accuracy alone can hide what matters: if 99 % of the people are
// healthy, calling everybody healthy is 99 % accurate and finds no illness. For a class c, with TP,
// FP and FN the true positives, false positives and false negatives:
//   precision = TP / (TP + FP)      of those called c, how many are c
//   recall    = TP / (TP + FN)      of those that are c, how many were found
//   F1        = 2 · precision · recall / (precision + recall)
// 0 / 0 counts as 0, as in scikit-learn.
#include <cstdint>
#include <string>
#include <vector>

namespace gradus::support {

/// Counts pairs (truth, prediction) of class numbers 0 … C-1.
class Confusion {
 public:
  explicit Confusion(std::vector<std::string> classes);
  Confusion(std::vector<std::string> classes, const std::vector<int64_t>& truth,
            const std::vector<int64_t>& predicted);

  /// Throws IndexError if a class is out of range.
  void add(int64_t truth, int64_t predicted);

  int64_t count(int64_t truth, int64_t predicted) const;
  int64_t total() const;
  double accuracy() const;
  double precision(int64_t c) const;
  double recall(int64_t c) const;
  double f1(int64_t c) const;
  double macro_f1() const;  // the mean over classes, each weighing the same

  const std::vector<std::string>& classes() const { return classes_; }
  std::vector<double> values() const;  // row-major, one row per true class: for a heat map
  std::string table() const;           // the counts
  std::string report() const;          // precision, recall and F1 of each class; the accuracy

 private:
  int64_t true_count(int64_t c) const;
  int64_t predicted_count(int64_t c) const;
  std::vector<std::string> classes_;
  std::vector<int64_t> counts_;  // counts_[truth · C + predicted]
};

/// The receiver operating characteristic of a score that should be high for positives. The
/// threshold falls from above the highest score to the lowest. At each value, true_positive_rate is
/// the share of positives found, and false_positive_rate the share of negatives that raise a false
/// alarm. The area under the curve (auc) is the probability that a random positive scores higher
/// than a random negative, where a tie counts half (Fawcett 2006).
struct Roc {
  std::vector<double> false_positive_rate, true_positive_rate, threshold;
  double auc;
};

/// truth: 1 (positive) or 0. Equal scores pass the threshold together, which gives one slanted
/// segment: this is how a tie counts half. Throws ValueError on NaN, and unless both classes occur.
Roc roc_curve(const std::vector<int64_t>& truth, const std::vector<double>& score);

}  // namespace gradus::support
