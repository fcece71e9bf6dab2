#include "tools/trainer/step.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/autograd/engine.h"
#include "core/fault.h"
#include "core/primitives.h"
#include "kernels/optim/all_finite.h"
#include "kernels/optim/global_norm.h"
#include "tools/clock.h"

namespace mrcnn {
namespace {

// Makes the first of a tensor's numbers none, where a test wants it (core/fault.h).
void poison_if_ordered(const char* place, int64_t step, const Tensor& tensor) {
  if (fault_at({.name = place, .number = step + 1}).kind != FaultKind::kNan) return;
  const Tensor flat = tensor.detach().reshape(Shape{tensor.numel()});
  fill_(flat.slice(0, 1), std::numeric_limits<double>::quiet_NaN());
}

double number(const Tensor& tensor) { return static_cast<double>(tensor.data<const float>()[0]); }

bool is_set(const Tensor& flag) { return copy_to(flag, Device{}).data<const int32_t>()[0] != 0; }

}  // namespace

double StepLosses::total() const { return std::accumulate(parts.begin(), parts.end(), 0.0); }

StepRunner::StepRunner(TrainableMaskRcnn& model, TrainingState& state, const TrainConfig& config)
    : model_(model), state_(state), config_(config), statistics_(model.root()) {
  feed_.resize = model.config().input.resize;
  feed_.jitter_canvas = config.lsj ? config.lsj_size : 0;
}

bool StepRunner::can_undo() const {
  return model_.execution().device.is_cpu() || config_.on_nonfinite == OnNonFinite::kSkip;
}

void StepRunner::add_batch(LoadedBatch batch, int64_t step) {
  if (batch.samples.empty()) return;
  if (current_.image_ids.empty() && can_undo()) statistics_.keep();
  for (const Sample& sample : batch.samples) current_.image_ids.push_back(sample.image_id);
  const double began_s = monotonic_seconds();
  const std::vector<TrainingImage> images = training_images(batch.samples, feed_);
  const ImageSize canvas{feed_.jitter_canvas, feed_.jitter_canvas};
  const TrainingBatch inputs =
      make_training_batch(images, model_.config(), model_.execution(), canvas);
  poison_if_ordered("image", step, inputs.images.pixels);
  TrainingLosses losses = model_.losses(
      inputs, {.seed = config_.seed, .step = static_cast<uint32_t>(step), .first_image = images_});
  const double passed_s = monotonic_seconds();
  backward(losses, 1.0 / static_cast<double>(config_.accumulate));
  times_.model_s += passed_s - began_s;
  times_.backward_s += monotonic_seconds() - passed_s;
  for (Tensor& loss : losses) loss = loss.detach();
  poison_if_ordered("loss", step, losses.front());
  current_.losses.push_back(std::move(losses));
  images_ += static_cast<int64_t>(images.size());
}

void StepRunner::update(int64_t step, double lr) {
  Sgd& sgd = state_.sgd();
  const std::vector<Tensor> gradients = sgd.gradients();
  if (!gradients.empty()) poison_if_ordered("gradient", step, gradients.front());
  current_.step = step;
  std::vector<Tensor> watched = gradients;
  for (const TrainingLosses& losses : current_.losses) {
    watched.insert(watched.end(), losses.begin(), losses.end());
  }
  current_.finite = all_finite(watched);
  Tensor scale;
  if (config_.clip_norm > 0 && !gradients.empty()) {
    scale = clip_coefficient(global_norm(gradients), config_.clip_norm);
  }
  sgd.step(lr, scale, current_.finite);
  sgd.clear_gradients();
  if (can_undo() && !is_set(current_.finite)) {
    statistics_.restore();
  } else {
    state_.update_ema();
  }
  pending_.push_back(std::exchange(current_, {}));
  images_ = 0;
}

std::vector<StepLosses> StepRunner::read() {
  std::vector<StepLosses> steps;
  while (!pending_.empty()) {
    const Pending pending = std::move(pending_.front());
    pending_.pop_front();
    std::vector<Tensor> tensors{pending.finite};
    for (const TrainingLosses& losses : pending.losses) {
      tensors.insert(tensors.end(), losses.begin(), losses.end());
    }
    const std::vector<Tensor> values = download(tensors);
    StepLosses step;
    step.step = pending.step;
    step.image_ids = pending.image_ids;
    const auto batches = static_cast<double>(pending.losses.size());
    for (size_t i = 1; i < values.size(); ++i) {
      step.parts[(i - 1) % kLossNames.size()] += number(values[i]) / batches;
    }
    step.finite = values[0].data<const int32_t>()[0] != 0 && std::isfinite(step.total());
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace mrcnn
