#pragma once
// How good a classifier is. Accuracy alone hides what matters: on data that is 99 % healthy,
// "healthy" for everybody is 99 % accurate and finds no illness. Per class c, with TP, FP, FN
// counted:
//   precision = TP / (TP + FP)      of those called c, how many are
//   recall    = TP / (TP + FN)      of those that are c, how many were found
//   F1        = 2 · precision · recall / (precision + recall)
// A quotient of nothing by nothing is 0, as in scikit-learn.
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

  /// Throws IndexError where a class is out of range.
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
  std::string report() const;          // precision, recall, F1 and rows per class; the accuracy

 private:
  int64_t true_count(int64_t c) const;
  int64_t predicted_count(int64_t c) const;
  std::vector<std::string> classes_;
  std::vector<int64_t> counts_;  // counts_[truth · C + predicted]
};

/// The receiver operating characteristic of a score for "positive": as the threshold falls from
/// above the highest score to the lowest, the share of positives found (true_positive_rate) against
/// the share of false alarms (false_positive_rate). The area under it is the probability that a
/// random positive scores higher than a random negative, a tie counting half (Fawcett 2006).
struct Roc {
  std::vector<double> false_positive_rate, true_positive_rate, threshold;
  double auc;
};

/// truth: 1 (positive) or 0. Equal scores pass the threshold together: one slanted segment, which
/// is what counts a tie as one half. Throws ValueError unless both classes occur, and on NaN.
Roc roc_curve(const std::vector<int64_t>& truth, const std::vector<double>& score);

}  // namespace gradus::support
