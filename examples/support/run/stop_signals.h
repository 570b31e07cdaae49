#pragma once
// Ctrl-C and SIGTERM as a question: a training notices it between two steps, saves, and leaves.
//
//   const StopSignals stop;  // once there is something to save
//   while (step < steps) {
//     …
//     if (stop.asked()) {
//       save();
//       stop.leave();
//     }
//   }

namespace gradus::support {

/// While it lives, Ctrl-C and SIGTERM only ask. A second one ends the program at once.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  bool asked() const;
  /// Ends the lesson, with the exit status that the signal stands for.
  [[noreturn]] void leave() const;

 private:
  void (*before_[2])(int);  // what the signals meant
};

/// What leave() throws; run() of options.h turns it into an exit status.
struct Interrupted {
  int status;
};

}  // namespace gradus::support
