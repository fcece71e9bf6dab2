// A training run at work: its state, and what it does step by step. trainer.h is the way in.
//   run_begin.cpp    how it begins, goes on from a checkpoint, and goes back to one
//   run.cpp          steps, and when to do what
//   run_outputs.cpp  what it leaves behind: evaluations, checkpoints, weights, the page
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/device.h"
#include "core/exit_code.h"
#include "data/loader/loader.h"
#include "tools/clock.h"
#include "tools/trainer/checkpoint_directory.h"
#include "tools/trainer/event_file.h"
#include "tools/trainer/metric_history.h"
#include "tools/trainer/model_setup.h"
#include "tools/trainer/nonfinite.h"
#include "tools/trainer/open_data.h"
#include "tools/trainer/original_report.h"
#include "tools/trainer/resume.h"
#include "tools/trainer/run_lock.h"
#include "tools/trainer/run_reporter.h"
#include "tools/trainer/run_watch.h"
#include "tools/trainer/save_retries.h"
#include "tools/trainer/schedule.h"
#include "tools/trainer/signals.h"
#include "tools/trainer/step.h"
#include "tools/trainer/step_log.h"
#include "tools/trainer/throughput.h"
#include "tools/trainer/trainer.h"
#include "tools/trainer/training_line.h"
#include "tools/trainer/training_state.h"

namespace mrcnn {

class Run {
 public:
  Run(const TrainerOptions& options, const DeviceChoice& device);

  ExitCode go();

 private:
  using Say = std::function<void(const std::string&)>;

  void start(bool resume);
  void introduce();
  void restore(const ResumePoint& point);
  // What stands at a step: the loader, the logs.
  void begin_here();
  // To the newest checkpoint, because of `problem`, with a lower learning rate.
  void go_back(const std::string& problem);

  void train_step();
  void show(const StepLosses& losses);
  bool losses_are_due() const;
  // Shows the losses of the steps since the last call. Returns whether the run went back because
  // of one.
  bool take_losses();
  bool went_back_because_of(const StepLosses& bad);
  std::string keep(const StepLosses& bad) const;
  void note_skipped(const LoadedBatch& batch);
  void begin_original_epoch();
  bool is_due(int64_t every) const;
  bool epoch_ended() const;
  bool nothing_better() const;
  bool is_best() const;
  double lr_at(int64_t step) const;
  // Why to stop before the end of the run, if there is a reason other than a signal.
  std::optional<std::string> reason_to_stop() const;
  void evaluate();
  TrainFacts facts_at(int64_t step, const LoaderPosition& position) const;
  // Returns whether the run went back instead.
  bool save(bool is_last);
  void write_checkpoint();
  void write_final();
  ExitCode train();
  ExitCode finish();
  void report(const std::string& outcome);
  [[noreturn]] void end_without_memory(const std::string& problem);
  double elapsed_s() const { return elapsed_before_s_ + monotonic_seconds() - start_s_; }
  double epoch() const { return static_cast<double>(step_) / length_.steps_per_epoch; }

  const TrainConfig config_;
  RunWatch watch_;  // over all that follows, to the last destructor
  const Say say_;
  std::unique_ptr<TrainingLine> line_;
  const std::unique_ptr<OriginalReport> original_;
  const bool quiet_;
  TrainingSignals signals_;
  const RunLock lock_;
  CheckpointDirectory checkpoints_;
  const DeviceChoice device_;
  TrainData data_;
  ModelSetup setup_;
  std::unique_ptr<TrainingState> state_;
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<StepRunner> runner_;
  std::unique_ptr<StepLog> log_;
  std::unique_ptr<EventFile> events_;
  std::unique_ptr<RunReporter> reporter_;
  std::unique_ptr<Throughput> speed_;
  RunLength length_;
  LrSchedule schedule_;
  LoaderPosition position_;
  LoaderPosition position_before_;  // the latest step
  MetricHistory history_;
  SaveRetries retries_;
  NonFinitePolicy policy_;
  double lr_scale_ = 1;     // below 1 after going back
  int64_t first_step_ = 0;  // of this process
  int64_t step_ = 0;        // done
  int64_t saved_step_ = -1;
  int64_t evaluated_step_ = -1;
  int64_t num_skipped_ = 0;
  double elapsed_before_s_ = 0;
  double start_s_ = monotonic_seconds();
};

}  // namespace mrcnn
