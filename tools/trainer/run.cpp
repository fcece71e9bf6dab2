#include "tools/trainer/run.h"

#include <fmt/format.h>

#include <cmath>
#include <new>
#include <utility>

#include "core/allocator.h"
#include "core/error.h"
#include "core/fault.h"
#include "tools/trainer/memory_table.h"
#include "tools/trainer/nonfinite_bundle.h"
#include "tools/trainer/training_record.h"

namespace mrcnn {

void Run::note_skipped(const LoadedBatch& batch) {
  for (const SkippedSample& skipped : batch.skipped) {
    say_("skipped: " + skipped.problem);
    ++num_skipped_;
  }
}

void Run::train_step() {
  const Watchdog::Phase watched = watch_.step(step_ + 1);
  static_cast<void>(fault_at({.name = "step", .number = step_ + 1}));
  position_before_ = position_;
  const double began_s = monotonic_seconds();
  double waited_s = 0;
  for (int64_t i = 0; i < config_.accumulate; ++i) {
    const double asked_s = monotonic_seconds();
    LoadedBatch batch = loader_->next();
    waited_s += monotonic_seconds() - asked_s;
    note_skipped(batch);
    position_ = batch.next;
    runner_->add_batch(std::move(batch), step_);
    watch_.batch_done(monotonic_seconds() - asked_s);
  }
  const int64_t images = runner_->images();
  runner_->update(step_, lr_at(step_));
  ++step_;
  speed_->step(images, monotonic_seconds());
  if (!original_) return;
  original_->step(images, monotonic_seconds() - began_s - waited_s, runner_->take_times());
}

void Run::show(const StepLosses& losses) {
  TrainingView view = view_of(losses);
  view.num_steps = length_.total_steps;
  view.epoch = epoch();
  view.lr = lr_at(losses.step);
  view.images_per_s = speed_->images_per_s();
  view.remaining_s = speed_->remaining_s(length_.total_steps - step_);
  line_->show(view);
  if (original_) original_->console().losses(losses);
  if (view.step % config_.log_every != 0 && view.step != length_.total_steps) return;
  const LogRecord record = record_of(view);
  log_->write(record);
  events_->scalars(view.step, record.values);
}

// On a GPU the losses of several steps are fetched at once, so that it need not wait for the host.
bool Run::losses_are_due() const {
  return device_.device.is_cpu() || step_ % config_.log_every == 0 || is_due(config_.eval_every) ||
         is_due(config_.save_every) || (original_ && original_->console().is_due(step_ - 1)) ||
         step_ == length_.total_steps || signals_.stop_requested();
}

bool Run::take_losses() {
  for (const StepLosses& losses : runner_->read()) {
    if (losses.finite) {
      policy_.passed();
      show(losses);
    } else if (went_back_because_of(losses)) {
      return true;
    }
  }
  return false;
}

bool Run::went_back_because_of(const StepLosses& bad) {
  const std::string kept = keep(bad);
  const std::string problem = nonfinite_text(bad);
  try {
    if (policy_.judge(problem) == NonFinitePolicy::Action::kRollback) {
      go_back(problem + "; " + kept);
      return true;
    }
  } catch (const Error& error) {
    if (error.exit_code() == ExitCode::kDiverged) say_(kept);
    throw;
  }
  say_(problem + "; " + kept);
  return false;
}

std::string Run::keep(const StepLosses& bad) const {
  NonFiniteStep step{.config = config_,
                     .losses = bad,
                     .lr = lr_at(bad.step),
                     .facts = {},
                     .tensors = [this] { return state_->tensors(); },
                     .checkpoints = checkpoints_};
  // A GPU is steps further when its losses are read.
  if (device_.device.is_cpu()) step.facts = facts_at(bad.step, position_before_);
  return keep_nonfinite_step(step);
}

void Run::begin_original_epoch() {
  if (!original_) return;
  LrSchedule without_warmup = schedule_;
  without_warmup.warmup_steps = 0;
  const double factor = lr_factor(without_warmup, step_);
  original_->begin_epoch(monotonic_seconds(), position_.epoch, config_.lr * lr_scale_ * factor,
                         factor);
}

// Whether the last step finished a pass over the data, or began one.
bool Run::epoch_ended() const {
  return position_.epoch > 0 && position_.batch < config_.accumulate;
}

bool Run::is_due(int64_t every) const {
  if (step_ == 0) return false;
  return every > 0 ? step_ % every == 0 : epoch_ended();
}

bool Run::nothing_better() const {
  return history_.should_stop(config_.best_metric, config_.patience);
}

bool Run::is_best() const {
  const std::optional<MetricHistory::Best> best = history_.best(config_.best_metric);
  return best && best->step == step_;
}

double Run::lr_at(int64_t step) const {
  return config_.lr * lr_scale_ * lr_factor(schedule_, step);
}

std::optional<std::string> Run::reason_to_stop() const {
  if (config_.stop_at > 0 && step_ >= config_.stop_at) return "stop_at is reached";
  if (config_.max_time > 0 && monotonic_seconds() - start_s_ >= config_.max_time) {
    return "max_time is over";
  }
  return std::nullopt;
}

ExitCode Run::go() {
  try {
    const ExitCode code = train();
    report(code != ExitCode::kOk          ? "stopped by a signal"
           : step_ == length_.total_steps ? "finished"
           : nothing_better()             ? "ended, as nothing got better,"
                                          : "stopped, as it was asked to,");
    return code;
  } catch (const MemoryError& error) {
    end_without_memory(error.what());
  } catch (const std::bad_alloc&) {
    end_without_memory("out of memory");
  } catch (const Error& error) {
    report(fmt::format("ended with an error ({})", error.what()));
    throw;
  }
}

void Run::end_without_memory(const std::string& problem) {
  const std::string text = problem + "; " + memory_text(state_.get());
  loader_.reset();
  runner_.reset();
  release_host_cache();
  try {
    report("ended for want of memory");
  } catch (const std::exception&) {  // a page is not worth losing what to say
  }
  throw MemoryError(text);
}

ExitCode Run::train() {
  if (original_) {
    const auto epochs =
        std::ceil(static_cast<double>(length_.total_steps) / length_.steps_per_epoch);
    original_->console().begin(position_.epoch, static_cast<int64_t>(epochs));
  }
  // Where a run may go back, there is something to go back to.
  if (config_.on_nonfinite == OnNonFinite::kRollback && step_ == 0) save(false);
  // A run that was stopped at the end of an epoch has its evaluation before it.
  if (is_due(config_.eval_every)) evaluate();
  begin_original_epoch();
  const auto stops_here = [this] { return config_.stop_at > 0 && step_ >= config_.stop_at; };
  while (step_ < length_.total_steps && !nothing_better() && !stops_here()) {
    train_step();
    if (losses_are_due() && take_losses()) continue;
    if (original_ && epoch_ended()) original_->end_training(monotonic_seconds());
    if (!signals_.stop_requested() && is_due(config_.eval_every)) evaluate();
    if (original_ && epoch_ended()) original_->end_epoch(monotonic_seconds());
    const std::optional<ExitCode> stop = signals_.stop_requested();
    const std::optional<std::string> reason = reason_to_stop();
    if (stop || reason || is_due(config_.save_every) || is_best() || signals_.take_save_request()) {
      if (save(stop || reason)) continue;
    }
    if (stop) return *stop;
    if (reason) {
      say_(*reason + ": stopped; --resume goes on");
      break;
    }
    if (epoch_ended() && step_ < length_.total_steps) begin_original_epoch();
  }
  return finish();
}

ExitCode Run::finish() {
  if (nothing_better()) {
    say_(fmt::format("{} evaluations brought nothing better: stopped", config_.patience));
  }
  evaluate();
  save(true);
  line_->finish();
  if (const std::optional<ExitCode> stop = signals_.stop_requested()) return *stop;
  write_final();
  if (original_) original_->console().end(monotonic_seconds() - start_s_, position_.epoch);
  return ExitCode::kOk;
}

}  // namespace mrcnn
