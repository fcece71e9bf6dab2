#include "tools/trainer/throughput.h"

#include <algorithm>

namespace mrcnn {
namespace {

constexpr size_t kRecentSteps = 100;

}  // namespace

void Throughput::step(int64_t images, double now) {
  if (++num_steps_ == 2) recent_.clear();
  recent_.push_back({images, std::max(carried_s_ + now - last_s_, 0.0)});
  if (recent_.size() > kRecentSteps) recent_.pop_front();
  carried_s_ = 0;
  last_s_ = now;
}

void Throughput::pause(double now) {
  if (!paused_) carried_s_ += now - last_s_;
  paused_ = true;
}

void Throughput::resume(double now) {
  if (paused_) last_s_ = now;
  paused_ = false;
}

Throughput::Step Throughput::total() const {
  Step sum{0, 0};
  for (const Step& step : recent_) sum = {sum.images + step.images, sum.seconds + step.seconds};
  return sum;
}

std::optional<double> Throughput::images_per_s() const {
  const Step sum = total();
  if (!(sum.seconds > 0)) return std::nullopt;
  return static_cast<double>(sum.images) / sum.seconds;
}

std::optional<double> Throughput::seconds_per_step() const {
  if (recent_.empty()) return std::nullopt;
  return total().seconds / static_cast<double>(recent_.size());
}

std::optional<double> Throughput::remaining_s(int64_t steps) const {
  const std::optional<double> each = seconds_per_step();
  if (!each) return std::nullopt;
  return *each * static_cast<double>(std::max<int64_t>(steps, 0));
}

}  // namespace mrcnn
