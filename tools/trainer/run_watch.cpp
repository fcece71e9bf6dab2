#include "tools/trainer/run_watch.h"

#include <fmt/format.h>

#include <algorithm>

namespace mrcnn {
namespace {

constexpr double kTimesTheSlowest = 10;
constexpr int64_t kFirstBatches = 4;  // in which kernels are chosen and memory is taken
constexpr double kGeneratedImageS = 0.1;

}  // namespace

RunWatch::RunWatch(const TrainConfig& config, const Device& device)
    : config_(config),
      on_cpu_(device.is_cpu()),
      dog_([](const std::string& what) { end_hanging_program("train", what); }),
      rest_(dog_, "the run", config.watchdog_save) {}

Watchdog::Phase RunWatch::setup() {
  double limit = config_.watchdog_setup;
  if (limit > 0 && config_.data == "shapes") {
    limit +=
        kGeneratedImageS * static_cast<double>(config_.shapes_images + config_.shapes_val_images);
  }
  return {dog_, "setting up", limit};
}

double RunWatch::batch_limit() const {
  if (config_.watchdog_step <= 0) return 0;
  double limit = config_.watchdog_step;
  if (on_cpu_) limit *= static_cast<double>(config_.batch);
  return std::max(limit, kTimesTheSlowest * slowest_s_);
}

Watchdog::Phase RunWatch::step(int64_t step) {
  const bool first = batches_ < kFirstBatches;
  const double limit = batch_limit();
  const bool none = limit <= 0 || (first && config_.watchdog_setup <= 0);
  return {dog_, fmt::format("step {}", step),
          none    ? 0
          : first ? std::max(limit, config_.watchdog_setup)
                  : limit};
}

Watchdog::Phase RunWatch::evaluation(int64_t step) {
  const double limit = batch_limit();
  const bool none = limit <= 0 || config_.watchdog_setup <= 0;
  return {dog_, fmt::format("the evaluation after step {}", step),
          none ? 0 : std::max(limit, config_.watchdog_setup)};
}

Watchdog::Phase RunWatch::save(int64_t step) {
  return {dog_, fmt::format("the checkpoint of step {}", step), config_.watchdog_save};
}

void RunWatch::batch_done(double seconds) {
  ++batches_;
  slowest_s_ = std::max(slowest_s_, seconds);
  dog_.beat();
}

}  // namespace mrcnn
