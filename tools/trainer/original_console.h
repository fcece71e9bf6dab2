// What the original system prints while it trains, line for line, for scripts that read it.
// Source: the original's train.py and engine.py.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/device.h"
#include "tools/trainer/step.h"

namespace mrcnn {

// Means of an epoch, a step each.
struct OriginalTimes {
  double iter_ms = 0;   // with waiting for the images
  double total_ms = 0;  // without
  double model_ms = 0;
  double backward_ms = 0;
};

class OriginalConsole {
 public:
  using Write = std::function<void(std::string_view)>;  // takes whole lines

  OriginalConsole(Write write, int64_t log_every)
      : write_(std::move(write)), log_every_(log_every) {}

  // The GPUs, if one is used, and the device.
  void device(const Device& device) const;
  void begin(int64_t trained_epochs, int64_t num_epochs) const;
  // lr: without the warm-up, which changes it at every step; factor: its part of the base rate.
  void begin_epoch(int64_t epoch, double lr, double factor) const;
  // Whether the losses of a step (from 0) have a line.
  bool is_due(int64_t step) const { return step % log_every_ == 0; }
  void losses(const StepLosses& losses) const;
  void times(const OriginalTimes& times) const;
  // metrics: evaluation_log.h's, or empty if there was no evaluation.
  void end_epoch(double training_s, double evaluation_s,
                 const std::map<std::string, double>& metrics) const;
  void end(double total_s, int64_t trained_epochs) const;

 private:
  Write write_;
  int64_t log_every_;
};

}  // namespace mrcnn
