#include "tools/trainer/step.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/autograd/engine.h"
#include "core/error.h"
#include "core/primitives.h"
#include "kernels/optim/all_finite.h"
#include "kernels/optim/global_norm.h"
#include "tools/clock.h"

namespace mrcnn {
namespace {

constexpr size_t kMostIds = 16;  // named in a message

std::string ids_text(const std::vector<int64_t>& ids) {
  std::string text;
  for (size_t i = 0; i < ids.size() && i < kMostIds; ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(ids[i]);
  }
  if (ids.size() > kMostIds) text += fmt::format(" and {} more", ids.size() - kMostIds);
  return text;
}

// Which sign a NaN has tells nobody anything.
double unsigned_nan(double value) {
  return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
}

double number(const Tensor& tensor) { return static_cast<double>(tensor.data<const float>()[0]); }

}  // namespace

double StepLosses::total() const { return std::accumulate(parts.begin(), parts.end(), 0.0); }

StepRunner::StepRunner(TrainableMaskRcnn& model, TrainingState& state, const TrainConfig& config)
    : model_(model), state_(state), config_(config) {
  feed_.resize = model.config().input.resize;
  feed_.jitter_canvas = config.lsj ? config.lsj_size : 0;
}

void StepRunner::add_batch(LoadedBatch batch, int64_t step) {
  if (batch.samples.empty()) return;
  for (const Sample& sample : batch.samples) current_.image_ids.push_back(sample.image_id);
  const double began_s = monotonic_seconds();
  const std::vector<TrainingImage> images = training_images(batch.samples, feed_);
  const ImageSize canvas{feed_.jitter_canvas, feed_.jitter_canvas};
  const TrainingBatch inputs =
      make_training_batch(images, model_.config(), model_.execution(), canvas);
  TrainingLosses losses = model_.losses(
      inputs, {.seed = config_.seed, .step = static_cast<uint32_t>(step), .first_image = images_});
  const double passed_s = monotonic_seconds();
  backward(losses, 1.0 / static_cast<double>(config_.accumulate));
  times_.model_s += passed_s - began_s;
  times_.backward_s += monotonic_seconds() - passed_s;
  for (Tensor& loss : losses) loss = loss.detach();
  current_.losses.push_back(std::move(losses));
  images_ += static_cast<int64_t>(images.size());
}

void StepRunner::update(int64_t step, double lr) {
  Sgd& sgd = state_.sgd();
  const std::vector<Tensor> gradients = sgd.gradients();
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
  state_.update_ema();
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
    StepLosses step{.step = pending.step};
    const auto batches = static_cast<double>(pending.losses.size());
    for (size_t i = 1; i < values.size(); ++i) {
      step.parts[(i - 1) % kLossNames.size()] += number(values[i]) / batches;
    }
    if (values[0].data<const int32_t>()[0] == 0 || !std::isfinite(step.total())) {
      std::string parts;
      for (size_t k = 0; k < kLossNames.size(); ++k) {
        parts += fmt::format(" {} {:.4g}", kLossNames[k], unsigned_nan(step.parts[k]));
      }
      throw Error(ExitCode::kDiverged,
                  fmt::format("step {}: a loss or a gradient is not finite, and the step was not "
                              "taken; images {}; losses{}. A lower lr or clip_norm may help",
                              pending.step + 1, ids_text(pending.image_ids), parts));
    }
    steps.push_back(step);
  }
  return steps;
}

}  // namespace mrcnn
