#include "examples/support/run/training_run.h"

#include <unistd.h>

#include "autograd/ops.h"
#include "tensor/random.h"

namespace gradus::support {

namespace fs = std::filesystem;

void TrainingPlan::add_options(Example& app, int64_t fast_steps, int64_t fast_every) {
  app.option("--steps", steps, "training steps", {.fast = fast_steps, .min = 1});
  app.option("--every", every, "steps between validation, sample and checkpoint",
             {.fast = fast_every, .min = 1});
  app.option("--stop-after", stop_after,
             "end at the first checkpoint from this step on (0: do not)", {.min = 0});
  app.option("--patience", patience,
             "give up after so many validations without a new best (0: never)", {.min = 0});
  app.flag("--resume", resume, "continue from the checkpoint in --out");
  app.option("--from", from,
             "a checkpoint whose model goes on learning, from any text, as a new run");
}

Checkpoint load_run(Example& app, const fs::path& file, const std::vector<std::string>& settings,
                    const std::string& advice) {
  Checkpoint checkpoint;
  try {
    checkpoint = load_checkpoint(file.string());
  } catch (const IoError& e) { throw IoError(fmt::format("{}; {}", e.what(), advice)); }
  app.adopt(checkpoint.metadata, settings, advice);
  return checkpoint;
}

TrainingRun::TrainingRun(Example& app, const TrainingPlan& plan)
    : app_(app), plan_(plan), lock_(app.out("")), file_(app.out(plan.file)) {
  check<IoError>(access(app.out("").c_str(), W_OK | X_OK) == 0,
                 "--out {}: cannot write there, and training saves there; name another folder",
                 app.out("").string());
  check<ValueError>(!plan.resume || plan.from.empty(),
                    "--from begins a new run, --resume continues one; leave one of them out");
  if (plan.resume) {
    check<IoError>(fs::exists(file_), "--resume: there is no checkpoint {} yet; {}", file_.string(),
                   plan.start_over);
    earlier_ = load_run(app, file_, plan.model, plan.start_over);
    app.adopt(earlier_->metadata, plan.training, plan.start_over);
    if (!app.given("--steps")) app.adopt(earlier_->metadata, {"--steps"}, plan.start_over);
  } else if (!plan.from.empty()) {
    earlier_ = load_checkpoint(plan.from);
    app.adopt(earlier_->metadata, plan.model, "a model keeps its size");
  }
}

void TrainingRun::must_match(const std::string& key, const std::string& value,
                             const std::string& otherwise) {
  metadata_[key] = value;
  check<ValueError>(!plan_.resume || metadata_text(earlier_->metadata, key) == value,
                    "--resume: {} {}", file_.string(), otherwise);
}

void TrainingRun::begin(Module& model, const Optimizers& optimizers, const Metadata& about) {
  model_ = &model;
  optimizers_ = optimizers;
  metadata_.insert(about.begin(), about.end());
  metadata_.merge(app_.settings(plan_.model));
  metadata_.merge(app_.settings(plan_.training));
  metadata_.merge(app_.settings({"--steps"}));
  if (plan_.resume) {
    const Metadata& then = earlier_->metadata;
    step_ = metadata_number(then, "step");
    check<ValueError>(
        step_ <= plan_.steps,
        "--steps {}: the checkpoint {} has done {} already; ask for more steps, or {}", plan_.steps,
        file_.string(), step_, plan_.start_over);
    optimizers_->load_state_dict(earlier_->optimizer);
    default_generator().set_state(generator_state(*earlier_));
    if (const auto kept = then.find("curve"); kept != then.end())
      curve = LossCurve::from_text(kept->second);
    if (!earlier_->latest.empty()) {
      best_ = std::move(earlier_->model);
      model.load_state_dict(earlier_->latest);
    }
    owns_file_ = true;
    fmt::print("resuming at step {} of {}\n", step_, plan_.steps);
  }
  earlier_.reset();
  signals_.emplace();
  bar_.emplace("training", plan_.steps - step_);
}

bool TrainingRun::count_step() {
  ++step_;
  due_ = step_ % plan_.every == 0 || finished();
  return due_;
}

void TrainingRun::validated(double loss) {
  curve.add_point(step_, loss);
  if (curve.best() + 1 < curve.steps.size()) return;
  best_ = model_->state_dict();
  for (auto& [_, x] : best_) x = clone(x);
}

bool TrainingRun::next() {
  const bool stop = signals_->asked();
  if (due_ || stop) save();
  const bool enough = due_ && plan_.stop_after > 0 && step_ >= plan_.stop_after;
  if (stop || (enough && !finished())) {
    bar_.reset();  // the last line is what to do, not the bar
    fmt::print("stopped and saved at step {} of {}, in {}; {}\n", step_, plan_.steps,
               file_.string(), plan_.go_on);
  }
  if (stop) signals_->leave();
  if (!enough && !finished()) return true;
  bar_.reset();
  signals_.reset();
  if (!best_.empty()) model_->load_state_dict(best_);
  return false;
}

void TrainingRun::save() {
  if (!owns_file_) keep_earlier(file_);
  owns_file_ = true;
  metadata_["step"] = std::to_string(step_);
  Metadata metadata = metadata_;
  metadata["curve"] = curve.text();
  const NamedTensors weights = model_->state_dict();
  save_checkpoint(file_.string(), {.model = best_.empty() ? weights : best_,
                                   .optimizer = optimizers_->state_dict(),
                                   .latest = best_.empty() ? NamedTensors() : weights,
                                   .generators = {{"default", default_generator().state()}},
                                   .metadata = metadata});
}

void TrainingRun::publish(const fs::path& file, const Metadata& more) {
  keep_earlier(file);
  metadata_.insert(more.begin(), more.end());
  metadata_["step"] = std::to_string(step_);
  save_checkpoint(file.string(), {.model = model_->state_dict(), .metadata = metadata_});
  fs::remove(file_);
}

}  // namespace gradus::support
