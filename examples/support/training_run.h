#pragma once
// What a training run owes to the folder that it writes into, and to whoever wants to stop it: nobody else trains
// there meanwhile, an earlier run's checkpoint is kept, and Ctrl-C or SIGTERM end it only after it has saved.
//
//   const TrainingRun guard(folder);
//   while (step < steps) {
//     …
//     if (guard.stop_asked()) {
//       save();
//       guard.leave();
//     }
//   }
#include <filesystem>

namespace gradus::support {

class TrainingRun {
 public:
  /// IoError if another process trains in `folder`; it names the process.
  explicit TrainingRun(const std::filesystem::path& folder);
  ~TrainingRun();
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  /// Whether Ctrl-C was pressed, or SIGTERM came. A second one ends the program at once.
  bool stop_asked() const;
  /// Ends the lesson, with the exit status that the signal stands for.
  [[noreturn]] void leave() const;

 private:
  std::filesystem::path lock_;
  int file_;
  void (*before_[2])(int);  // what Ctrl-C and SIGTERM meant
};

/// What leave() throws; run() of options.h turns it into an exit status.
struct Interrupted {
  int status;
};

/// If there is such a file, renames it to the first free one of NAME-1.safetensors, NAME-2.safetensors, …, and says
/// so.
void keep_earlier(const std::filesystem::path& file);

}  // namespace gradus::support
