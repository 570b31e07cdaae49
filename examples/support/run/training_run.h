#pragma once
// Everything around a training loop that is not its lesson. A run can be stopped at any moment and
// resumed bit for bit; it saves when it is due and before it stops; one folder takes one run at a
// time, and an earlier run's checkpoint is kept.
//
//   TrainingPlan plan{.file = "model.safetensors", .steps = 3000, .every = 250, …};
//   plan.add_options(app, 150, 50);
//   app.parse();
//   TrainingRun run(app, plan);
//   Net model(…);  // or from run.earlier(), if that is not null
//   AdamW optimizer(…);
//   run.begin(model, optimizer, about_the_model);  // or {muon, adamw}
//   while (run.next()) {
//     …                                          // one step, which may look at run.step()
//     if (run.done("loss {:.3f}", loss.item()))  // true every `every` steps, and at the end
//       …                                        // validate, show a sample
//   }
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "examples/support/run/folder.h"
#include "examples/support/run/loss_curve.h"
#include "examples/support/run/options.h"
#include "examples/support/run/stop_signals.h"
#include "examples/support/show/progress.h"
#include "nn/checkpoint.h"
#include "optim/optimizer.h"

namespace gradus::support {

struct TrainingPlan {
  std::string file;  // the run's checkpoint, in --out
  // Names of number options that the checkpoint keeps. A resumed run has those of both lists; one
  // that begins with an earlier run's model (`from`) has that run's `model` options.
  std::vector<std::string> model, training;
  std::string start_over;  // how the user starts over; part of errors
  std::string go_on;       // said after a stop: how to resume

  int64_t steps = 0;
  int64_t every = 1;       // steps between checkpoints
  int64_t stop_after = 0;  // end at the first checkpoint from this step on; 0: do not
  int64_t patience = 0;    // give up after so many validations without a new best; 0: never
  bool resume = false;     // continue `file`
  std::string from = {};   // a checkpoint whose model learns on, as a new run

  /// Registers --steps, --every, --stop-after, --patience, --resume and --from for these fields.
  void add_options(Example& app, int64_t fast_steps, int64_t fast_every);
};

class TrainingRun {
 public:
  /// To be made after app.parse(). Locks the folder, reads the checkpoint that the plan resumes or
  /// starts from, and gives the options their values from there. The plan must outlive the run.
  /// IoError: another process trains in the folder, or the checkpoint is missing or damaged.
  /// ValueError: the command line asks for another value than the checkpoint has.
  TrainingRun(Example& app, const TrainingPlan& plan);

  /// The checkpoint that was read; null if the run starts from scratch, or after begin().
  const Checkpoint* earlier() const { return earlier_ ? &*earlier_ : nullptr; }
  /// Keeps `value` under `key` in the checkpoint. ValueError, ending in `otherwise`, if this run
  /// resumes one that kept another value.
  void must_match(const std::string& key, const std::string& value, const std::string& otherwise);

  /// Begins at step 0. A resumed run begins where its checkpoint was written, with the optimizer or
  /// optimizers, the random numbers and the curve as they were then. `about` goes into the
  /// checkpoints' metadata. Model and optimizers must outlive the run.
  void begin(Module& model, const Optimizers& optimizers, const Metadata& about);
  /// Whether there is another step to do. First saves, if that is due. After Ctrl-C or SIGTERM it
  /// saves, says so, and leaves the lesson. After the last step the model has the weights whose
  /// validation loss was lowest.
  bool next();
  /// The step to do: 0, 1, ….
  int64_t step() const { return step_; }
  /// Says that the step is done; the arguments are shown beside the progress bar. True if next() is
  /// about to save: the time to validate.
  template <class... Args>
  bool done(fmt::format_string<Args...> shown, Args&&... args) {
    bar_->step(shown, std::forward<Args>(args)...);
    return count_step();
  }
  /// Adds a point to the curve, and keeps the weights if this loss is the lowest so far.
  void validated(double loss);
  /// A line above the progress bar.
  void print(std::string_view line) { bar_->print(line); }
  /// Whether all steps are done, or the model overfits and more would only make it worse.
  bool finished() const { return step_ == plan_.steps || curve.overfits(plan_.patience); }
  /// Writes the finished model, without what resuming takes, to `file`, with `more` in
  /// its metadata, and removes the checkpoint.
  void publish(const std::filesystem::path& file, const Metadata& more = {});

  LossCurve curve;  // kept in the checkpoint

 private:
  bool count_step();
  void save();

  Example& app_;
  const TrainingPlan& plan_;
  FolderLock lock_;
  std::filesystem::path file_;
  bool owns_file_ = false;  // what lies at file_ is this run's
  NamedTensors best_;       // the weights whose validation loss was lowest; none before the first
  std::optional<Checkpoint> earlier_;
  Metadata metadata_;
  Module* model_ = nullptr;
  std::optional<Optimizers> optimizers_;
  std::optional<StopSignals> signals_;
  std::optional<Progress> bar_;
  int64_t step_ = 0;
  bool due_ = false;  // the step done last is one to save after
};

/// Reads the checkpoint at `file` and gives `settings`, names of number options, the values that it
/// keeps. IoError: it cannot be read or is damaged; ValueError: the command line asks for another
/// value. Both end in `advice`.
Checkpoint load_run(Example& app, const std::filesystem::path& file,
                    const std::vector<std::string>& settings, const std::string& advice);

}  // namespace gradus::support
