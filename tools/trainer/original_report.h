// What a training tells as the original system does: its lines, epoch by epoch, and gpu_info.json.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/cuda/probe.h"
#include "tools/trainer/gpu_info.h"
#include "tools/trainer/original_console.h"
#include "tools/trainer/train_config.h"

namespace mrcnn {

// All times are seconds, of any monotonic clock.
class OriginalReport {
 public:
  struct Options {
    OriginalConsole::Write write;
    int64_t log_every = 100;
    std::string gpu_info_path;
    std::vector<CudaProperties> gpus;             // of the machine, if the run uses one
    std::function<void(const std::string&)> say;  // what went wrong and ends nothing
  };
  // Without write and say, which are the program's.
  static Options options_of(const TrainConfig& config, const Device& device);
  explicit OriginalReport(const Options& options);

  const OriginalConsole& console() const { return console_; }

  void begin_epoch(double now, int64_t epoch, double lr, double factor);
  // total_s: without waiting for the images.
  void step(int64_t images, double total_s, const PassTimes& passes);
  void end_training(double now);
  void evaluated(int64_t images, double seconds, const std::map<std::string, double>& metrics);
  // Records the speed if there was an evaluation.
  void end_epoch(double now);

 private:
  struct Epoch {
    double began_s = 0;
    double trained_s = 0;  // when the last step ended
    int64_t steps = 0;
    int64_t images = 0;
    double total_s = 0;
    PassTimes passes;
    double evaluated_per_s = 0;
    std::map<std::string, double> metrics;
  };

  const Options options_;
  const OriginalConsole console_;
  Epoch epoch_;
};

}  // namespace mrcnn
