#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "core/error.h"
#include "tools/trainer/config_file.h"
#include "tools/trainer/evaluation_log.h"
#include "tools/trainer/feed.h"
#include "tools/trainer/memory_table.h"
#include "tools/trainer/run.h"
#include "tools/trainer/run_facts.h"
#include "tools/trainer/training_record.h"

namespace mrcnn {
namespace {

ProgressMode line_mode(const TrainerOptions& options) {
  const bool shown = !options.quiet && options.config.console == Console::kDefault;
  return shown ? ProgressMode::kAuto : ProgressMode::kOff;
}

std::unique_ptr<OriginalReport> original_report(
    const TrainerOptions& options, const Device& device,
    const std::function<void(const std::string&)>& say) {
  if (options.quiet || options.config.console != Console::kOriginal) return nullptr;
  OriginalReport::Options report = OriginalReport::options_of(options.config, device);
  report.write = [](std::string_view text) {
    fmt::print("{}", text);
    std::fflush(stdout);  // each line when it is due, in a file too
  };
  report.say = say;
  return std::make_unique<OriginalReport>(report);
}

}  // namespace

Run::Run(const TrainerOptions& options, const DeviceChoice& device)
    : config_(options.config),
      watch_(config_, device.device),
      say_([this](const std::string& line) { line_->message("train: " + line); }),
      line_(std::make_unique<TrainingLine>(line_mode(options), stderr_screen(), config_.log_every)),
      original_(original_report(options, device.device, say_)),
      quiet_(options.quiet),
      lock_(config_.out),
      checkpoints_(config_.out),
      device_(device),
      policy_(config_.on_nonfinite) {
  try {
    start(options.resume);
  } catch (const MemoryError& error) {
    throw MemoryError(fmt::format("{}; {}", error.what(), memory_text(state_.get())));
  }
}

void Run::start(bool resume) {
  const Watchdog::Phase watched = watch_.setup();
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
  if (point) {
    restore(*point);
    first_step_ = step_;
    elapsed_before_s_ = point->facts.elapsed_s;
    say_(fmt::format("resumed at step {} from {}", step_, point->path));
  }
  point.reset();  // it holds the whole file
  write_config(config_.out + "/config.txt", config_);
  begin_here();
  length_ = run_length(config_, loader_->batches_per_epoch());
  schedule_ = schedule_of(config_, length_);
  reporter_ = std::make_unique<RunReporter>(
      config_, run_facts(config_, setup_.summary_line, data_, device_), data_.val.get());
}

void Run::introduce() {
  if (quiet_) return;
  for (const std::string& line :
       introduction(config_, setup_, state_->num_trained(), data_, device_)) {
    say_(line);
  }
}

void Run::restore(const ResumePoint& point) {
  state_->restore(point.archive, point.path);
  step_ = saved_step_ = point.facts.step;
  position_ = {.epoch = point.facts.epoch, .batch = point.facts.sampler_position};
  history_ = MetricHistory::parse(point.facts.history);
  evaluated_step_ = -1;
  if (!history_.entries().empty()) evaluated_step_ = history_.entries().back().step;
  lr_scale_ = lr_scale_of(point.facts);
}

void Run::begin_here() {
  loader_ = std::make_unique<Loader>(*data_.train, loader_options(config_), position_);
  runner_ = std::make_unique<StepRunner>(*setup_.model, *state_, config_);
  log_ = std::make_unique<StepLog>(config_.out, log_columns(), step_ > 0 ? step_ : -1);
  events_ = std::make_unique<EventFile>(config_.out, step_ + 1);
  speed_ = std::make_unique<Throughput>(monotonic_seconds());
}

void Run::go_back(const std::string& problem) {
  const Watchdog::Phase watched = watch_.setup();
  loader_.reset();  // its threads first
  const ResumeSearch search = checkpoints_.find_newest();
  for (const DamagedCheckpoint& damaged : search.damaged) say_("passed over: " + damaged.problem);
  if (!search.found) {
    throw Error(ExitCode::kDiverged, problem + "; there is no checkpoint to go back to");
  }
  const double lr_scale = lr_scale_ * NonFinitePolicy::kRollbackLrFactor;
  restore(*search.found);
  lr_scale_ = lr_scale;
  begin_here();
  say_(problem);
  say_(fmt::format("went back to step {}; the learning rate is {} of the schedule's", step_,
                   lr_scale_));
  begin_original_epoch();
}

}  // namespace mrcnn
