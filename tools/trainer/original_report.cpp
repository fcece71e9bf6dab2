#include "tools/trainer/original_report.h"

#include <algorithm>

namespace mrcnn {

OriginalReport::Options OriginalReport::options_of(const TrainConfig& config,
                                                   const Device& device) {
  Options options;
  options.log_every = config.log_every;
  options.gpu_info_path = config.out + "/gpu_info.json";
  if (device.is_cuda()) options.gpus = cuda_devices().properties;
  return options;
}

OriginalReport::OriginalReport(const Options& options)
    : options_(options), console_(options.write, options.log_every) {}

void OriginalReport::begin_epoch(double now, int64_t epoch, double lr, double factor) {
  epoch_ = {};
  epoch_.began_s = epoch_.trained_s = now;
  console_.begin_epoch(epoch, lr, factor);
}

void OriginalReport::step(int64_t images, double total_s, const PassTimes& passes) {
  ++epoch_.steps;
  epoch_.images += images;
  epoch_.total_s += total_s;
  epoch_.passes.model_s += passes.model_s;
  epoch_.passes.backward_s += passes.backward_s;
}

void OriginalReport::end_training(double now) {
  epoch_.trained_s = now;
  if (epoch_.steps == 0) return;
  const double per_step_ms = 1000 / static_cast<double>(epoch_.steps);
  console_.times({.iter_ms = (now - epoch_.began_s) * per_step_ms,
                  .total_ms = epoch_.total_s * per_step_ms,
                  .model_ms = epoch_.passes.model_s * per_step_ms,
                  .backward_ms = epoch_.passes.backward_s * per_step_ms});
}

void OriginalReport::evaluated(int64_t images, double seconds,
                               const std::map<std::string, double>& metrics) {
  epoch_.evaluated_per_s = seconds > 0 ? static_cast<double>(images) / seconds : 0;
  epoch_.metrics = metrics;
}

void OriginalReport::end_epoch(double now) {
  const double training_s = epoch_.trained_s - epoch_.began_s;
  console_.end_epoch(training_s, now - epoch_.trained_s, epoch_.metrics);
  if (epoch_.metrics.empty() || !(training_s > 0)) return;
  const std::string problem =
      record_gpu_speed(options_.gpu_info_path, options_.gpus,
                       {.train = static_cast<double>(epoch_.images) / training_s,
                        .evaluate = epoch_.evaluated_per_s});
  if (!problem.empty()) options_.say(problem);
}

}  // namespace mrcnn
