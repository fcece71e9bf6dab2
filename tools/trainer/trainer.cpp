#include "tools/trainer/trainer.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/io/safetensors.h"
#include "tools/clock.h"
#include "tools/report/html/evaluation_page.h"
#include "tools/trainer/checkpoint_directory.h"
#include "tools/trainer/config_file.h"
#include "tools/trainer/evaluation_log.h"
#include "tools/trainer/feed.h"
#include "tools/trainer/metric_history.h"
#include "tools/trainer/model_setup.h"
#include "tools/trainer/open_data.h"
#include "tools/trainer/original_report.h"
#include "tools/trainer/resume.h"
#include "tools/trainer/run_facts.h"
#include "tools/trainer/run_lock.h"
#include "tools/trainer/run_reporter.h"
#include "tools/trainer/save_retries.h"
#include "tools/trainer/schedule.h"
#include "tools/trainer/signals.h"
#include "tools/trainer/step.h"
#include "tools/trainer/step_log.h"
#include "tools/trainer/throughput.h"
#include "tools/trainer/training_line.h"
#include "tools/trainer/training_record.h"
#include "tools/trainer/training_state.h"

namespace mrcnn {
namespace {

ProgressMode line_mode(const TrainerOptions& options) {
  const bool shown = !options.quiet && options.config.console == Console::kDefault;
  return shown ? ProgressMode::kAuto : ProgressMode::kOff;
}

using Say = std::function<void(const std::string&)>;

std::unique_ptr<OriginalReport> original_report(const TrainerOptions& options, const Device& device,
                                                const Say& say) {
  if (options.quiet || options.config.console != Console::kOriginal) return nullptr;
  OriginalReport::Options report = OriginalReport::options_of(options.config, device);
  report.write = [](std::string_view text) {
    fmt::print("{}", text);
    std::fflush(stdout);  // each line when it is due, in a file too
  };
  report.say = say;
  return std::make_unique<OriginalReport>(report);
}

class Run {
 public:
  Run(const TrainerOptions& options, const DeviceChoice& device)
      : config_(options.config),
        say_([this](const std::string& line) { line_->message("train: " + line); }),
        line_(
            std::make_unique<TrainingLine>(line_mode(options), stderr_screen(), config_.log_every)),
        original_(original_report(options, device.device, say_)),
        quiet_(options.quiet),
        lock_(config_.out),
        checkpoints_(config_.out),
        device_(device) {
    start(options.resume);
  }

  ExitCode go();

 private:
  void start(bool resume);
  void introduce();
  void restore(const ResumePoint& point);
  void train_step();
  void show(const StepLosses& losses);
  void report_losses();
  void note_skipped(const LoadedBatch& batch);
  void begin_original_epoch();
  bool is_due(int64_t every) const;
  bool epoch_ended() const;
  bool nothing_better() const;
  bool is_best() const;
  void evaluate();
  void save(bool is_last);
  void write_final();
  ExitCode train();
  ExitCode finish();
  void report(const std::string& outcome);
  double elapsed_s() const { return elapsed_before_s_ + monotonic_seconds() - start_s_; }
  double epoch() const { return static_cast<double>(step_) / length_.steps_per_epoch; }

  const TrainConfig config_;
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
  MetricHistory history_;
  SaveRetries retries_;
  int64_t first_step_ = 0;  // of this process
  int64_t step_ = 0;        // done
  int64_t saved_step_ = -1;
  int64_t evaluated_step_ = -1;
  int64_t num_skipped_ = 0;
  double elapsed_before_s_ = 0;
  double start_s_ = monotonic_seconds();
};

void Run::restore(const ResumePoint& point) {
  state_->restore(point.archive, point.path);
  first_step_ = step_ = saved_step_ = point.facts.step;
  position_ = {.epoch = point.facts.epoch, .batch = point.facts.sampler_position};
  history_ = MetricHistory::parse(point.facts.history);
  if (!history_.entries().empty()) evaluated_step_ = history_.entries().back().step;
  elapsed_before_s_ = point.facts.elapsed_s;
  say_(fmt::format("resumed at step {} from {}", step_, point.path));
}

void Run::introduce() {
  if (quiet_) return;
  for (const std::string& line :
       introduction(config_, setup_, state_->num_trained(), data_, device_)) {
    say_(line);
  }
}

void Run::start(bool resume) {
  std::optional<ResumePoint> point = find_resume_point(config_, resume, checkpoints_, say_);
  data_ = open_train_data(config_);
  if (data_.val) check_metric_name(config_.best_metric);
  if (point) check_same_run(config_, *point, *data_.train);
  const Execution execution{.device = device_.device,
                            .precision = parse_precision(config_.precision)};
  check_execution(execution);
  setup_ = point ? model_of_checkpoint(config_, *data_.train, point->archive, point->path)
                 : set_up_model(config_, *data_.train);
  state_ = std::make_unique<TrainingState>(*setup_.model, config_, execution);
  introduce();
  if (point) restore(*point);
  point.reset();  // it holds the whole file
  loader_ = std::make_unique<Loader>(*data_.train, loader_options(config_), position_);
  length_ = run_length(config_, loader_->batches_per_epoch());
  schedule_ = schedule_of(config_, length_);
  runner_ = std::make_unique<StepRunner>(*setup_.model, *state_, config_);
  write_config(config_.out + "/config.txt", config_);
  log_ = std::make_unique<StepLog>(config_.out, log_columns(), step_ > 0 ? step_ : -1);
  events_ = std::make_unique<EventFile>(config_.out, step_ + 1);
  reporter_ = std::make_unique<RunReporter>(
      config_, run_facts(config_, setup_.summary_line, data_, device_), data_.val.get());
  speed_ = std::make_unique<Throughput>(monotonic_seconds());
}

void Run::note_skipped(const LoadedBatch& batch) {
  for (const SkippedSample& skipped : batch.skipped) {
    say_("skipped: " + skipped.problem);
    ++num_skipped_;
  }
}

void Run::train_step() {
  const double began_s = monotonic_seconds();
  double waited_s = 0;
  for (int64_t i = 0; i < config_.accumulate; ++i) {
    const double asked_s = monotonic_seconds();
    LoadedBatch batch = loader_->next();
    waited_s += monotonic_seconds() - asked_s;
    note_skipped(batch);
    position_ = batch.next;
    runner_->add_batch(std::move(batch), step_);
  }
  const int64_t images = runner_->images();
  runner_->update(step_, config_.lr * lr_factor(schedule_, step_));
  ++step_;
  speed_->step(images, monotonic_seconds());
  report_losses();
  if (!original_) return;
  original_->step(images, monotonic_seconds() - began_s - waited_s, runner_->take_times());
}

void Run::show(const StepLosses& losses) {
  TrainingView view = view_of(losses);
  view.num_steps = length_.total_steps;
  view.epoch = epoch();
  view.lr = config_.lr * lr_factor(schedule_, losses.step);
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
void Run::report_losses() {
  const bool due = device_.device.is_cpu() || step_ % config_.log_every == 0 ||
                   (original_ && original_->console().is_due(step_ - 1)) ||
                   step_ == length_.total_steps || signals_.stop_requested();
  if (!due) return;
  for (const StepLosses& losses : runner_->read()) show(losses);
}

void Run::begin_original_epoch() {
  if (!original_) return;
  LrSchedule without_warmup = schedule_;
  without_warmup.warmup_steps = 0;
  const double factor = lr_factor(without_warmup, step_);
  original_->begin_epoch(monotonic_seconds(), position_.epoch, config_.lr * factor, factor);
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

void Run::evaluate() {
  if (!data_.val || evaluated_step_ == step_) return;
  const double began_s = monotonic_seconds();
  speed_->pause(began_s);
  const std::unique_ptr<MaskRcnn> model = state_->inference_model();
  ModelEvaluation result =
      evaluate_model(*model, *data_.val,
                     {.batch = config_.batch,
                      .max_images = config_.eval_images,
                      .num_mistakes = kShownMistakes,
                      .stop_requested = [this] { return signals_.stop_requested().has_value(); },
                      .take_behind = device_.device.is_cuda()});
  const double ended_s = monotonic_seconds();
  speed_->resume(ended_s);
  if (!result.complete) return;  // interrupted: the numbers are of a part only
  evaluated_step_ = step_;
  for (const std::string& problem : result.skipped) say_("not evaluated: " + problem);
  const std::map<std::string, double> metrics = metrics_of(result);
  history_.add(step_, metrics);
  if (original_) original_->evaluated(result.images, ended_s - began_s, metrics);
  const LogRecord record{"eval", step_, epoch(), {metrics.begin(), metrics.end()}};
  log_->write(record);
  events_->scalars(step_, record.values);
  const std::vector<SamplePicture> samples = draw_samples(*model, *data_.val);
  add_sample_pictures(samples, step_, *events_);
  reporter_->evaluated(step_, std::move(result), samples);
  say_(fmt::format("step {}: {}", step_, metrics_text(metrics)));
}

void Run::save(bool is_last) {
  if (saved_step_ == step_) return;
  for (const StepLosses& losses : runner_->read()) show(losses);  // nothing bad is saved
  speed_->pause(monotonic_seconds());
  TrainFacts facts = facts_of_run(config_, *data_.train, history_);
  facts.step = step_;
  facts.epoch = position_.epoch;
  facts.sampler_position = position_.batch;
  facts.elapsed_s = elapsed_s();
  facts.model = setup_.metadata;
  const auto write = [&] {
    log_->sync();
    events_->sync();
    const SavedCheckpoint saved =
        checkpoints_.save(facts, state_->tensors(), config_.keep_checkpoints);
    saved_step_ = step_;
    say_("saved " + saved.path);
    for (const std::string& name : saved.not_removed) say_("could not remove " + name);
  };
  if (const std::optional<std::string> problem = retries_.attempt(write, is_last)) say_(*problem);
  speed_->resume(monotonic_seconds());
}

void Run::write_final() {
  const std::string path = config_.out + "/final.safetensors";
  const std::string last = checkpoints_.path_of(step_);
  write_safetensors(path, checkpoint_weights(read_file(last, ExitCode::kModel), last));
  say_("wrote " + path);
  if (num_skipped_ > 0) say_(fmt::format("{} images could not be used", num_skipped_));
}

void Run::report(const std::string& outcome) {
  if (step_ == first_step_ && reporter_->may_know_less()) return;
  say_(reporter_->write(outcome, step_, length_.total_steps, elapsed_s()));
}

ExitCode Run::go() {
  try {
    const ExitCode code = train();
    report(code != ExitCode::kOk          ? "stopped by a signal"
           : step_ == length_.total_steps ? "finished"
           : nothing_better()             ? "ended, as nothing got better,"
                                          : "stopped, as its time was over,");
    return code;
  } catch (const Error& error) {
    report(fmt::format("ended with an error ({})", error.what()));
    throw;
  }
}

ExitCode Run::train() {
  if (original_) {
    const auto epochs =
        std::ceil(static_cast<double>(length_.total_steps) / length_.steps_per_epoch);
    original_->console().begin(position_.epoch, static_cast<int64_t>(epochs));
  }
  // A run that was stopped at the end of an epoch has its evaluation before it.
  if (is_due(config_.eval_every)) evaluate();
  begin_original_epoch();
  while (step_ < length_.total_steps && !nothing_better()) {
    train_step();
    if (original_ && epoch_ended()) original_->end_training(monotonic_seconds());
    if (!signals_.stop_requested() && is_due(config_.eval_every)) evaluate();
    if (original_ && epoch_ended()) original_->end_epoch(monotonic_seconds());
    const std::optional<ExitCode> stop = signals_.stop_requested();
    const bool out_of_time =
        config_.max_time > 0 && monotonic_seconds() - start_s_ >= config_.max_time;
    if (stop || out_of_time || is_due(config_.save_every) || is_best() ||
        signals_.take_save_request()) {
      save(stop || out_of_time);
    }
    if (stop) return *stop;
    if (out_of_time) {
      say_("max_time is over: stopped; --resume goes on");
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

}  // namespace

ExitCode run_training(const TrainerOptions& options) {
  check_config(options.config);
  if (options.config.out.empty()) throw UsageError("no folder for the run is given: --out DIR");
  const DeviceChoice device = choose_device(options.config.device);
  std::error_code error;
  std::filesystem::create_directories(options.config.out, error);
  if (error) {
    throw FileError(ExitCode::kResources, options.config.out, "",
                    "cannot be made: " + error.message());
  }
  Run run(options, device);
  return run.go();
}

}  // namespace mrcnn
