// Wall-clock samples and what is reported of them.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/stream.h"

namespace mrcnn {

struct TimingSummary {
  double median_ms = 0;
  double p90_ms = 0;  // nearest rank
  double min_ms = 0;
};

TimingSummary summarize_samples(std::vector<double> samples_ms);

// Samples per stage, in the order in which stages first ended. A stage that ends several times in
// one repetition (once per image) is summed.
class StageClock {
 public:
  void begin_repetition();
  void stage_ended(std::string_view stage);
  void end_repetition();  // adds the sample of "total"

  struct Row {
    std::string stage;
    std::vector<double> samples_ms;
  };
  const std::vector<Row>& rows() const { return rows_; }

 private:
  using Clock = std::chrono::steady_clock;
  Row& row(std::string_view stage);

  std::vector<Row> rows_;
  std::map<std::string, double, std::less<>> current_ms_;
  Clock::time_point start_;
  Clock::time_point last_;
};

// What the host asked of the GPU between two readings.
DeviceCounters difference(const DeviceCounters& after, const DeviceCounters& before);

// Runs f `warmup` times unmeasured, then `repeat` times; returns the samples in milliseconds.
std::vector<double> time_repeated(int warmup, int repeat, const std::function<void()>& f);

}  // namespace mrcnn
