// How fast a training runs and how long it still takes.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace mrcnn {

// Means over the latest steps, so that they follow a change of speed. Time between pause() and
// resume() (evaluations, checkpoints) counts in neither. Times are seconds of any monotonic clock.
class Throughput {
 public:
  explicit Throughput(double now) : last_s_(now) {}

  void step(int64_t images, double now);
  void pause(double now);
  void resume(double now);

  // Nothing before the first step. The first step warms caches up; it counts only until there is a
  // second one.
  std::optional<double> images_per_s() const;
  std::optional<double> seconds_per_step() const;
  std::optional<double> remaining_s(int64_t steps) const;

 private:
  struct Step {
    int64_t images;
    double seconds;
  };
  Step total() const;

  std::deque<Step> recent_;
  int64_t num_steps_ = 0;
  double last_s_;
  double carried_s_ = 0;  // of the step that a pause interrupted
  bool paused_ = false;
};

}  // namespace mrcnn
