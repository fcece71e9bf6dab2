#include "tools/bench/timing.h"

#include <algorithm>
#include <cmath>

namespace mrcnn {
namespace {

double milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

TimingSummary summarize_samples(std::vector<double> samples_ms) {
  if (samples_ms.empty()) return {};
  std::sort(samples_ms.begin(), samples_ms.end());
  const size_t n = samples_ms.size();
  const double median =
      n % 2 == 1 ? samples_ms[n / 2] : 0.5 * (samples_ms[n / 2 - 1] + samples_ms[n / 2]);
  const auto rank = static_cast<size_t>(std::ceil(0.9 * static_cast<double>(n)));
  return {.median_ms = median, .p90_ms = samples_ms[rank - 1], .min_ms = samples_ms.front()};
}

void StageClock::begin_repetition() {
  current_ms_.clear();
  start_ = last_ = Clock::now();
}

void StageClock::stage_ended(std::string_view stage) {
  const Clock::time_point now = Clock::now();
  row(stage);  // keeps the order of first appearance
  current_ms_[std::string(stage)] += milliseconds(now - last_);
  last_ = now;
}

void StageClock::end_repetition() {
  const double total = milliseconds(Clock::now() - start_);
  for (const auto& [stage, sum] : current_ms_) row(stage).samples_ms.push_back(sum);
  row("total").samples_ms.push_back(total);
}

StageClock::Row& StageClock::row(std::string_view stage) {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [stage](const Row& r) { return r.stage == stage; });
  if (found != rows_.end()) return *found;
  return rows_.emplace_back(Row{.stage = std::string(stage), .samples_ms = {}});
}

DeviceCounters difference(const DeviceCounters& after, const DeviceCounters& before) {
  return {.launches = after.launches - before.launches,
          .graph_launches = after.graph_launches - before.graph_launches,
          .syncs = after.syncs - before.syncs,
          .uploads = after.uploads - before.uploads,
          .downloads = after.downloads - before.downloads};
}

std::vector<double> time_repeated(int warmup, int repeat, const std::function<void()>& f) {
  for (int i = 0; i < warmup; ++i) f();
  std::vector<double> samples;
  for (int i = 0; i < repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    samples.push_back(milliseconds(std::chrono::steady_clock::now() - start));
  }
  return samples;
}

}  // namespace mrcnn
