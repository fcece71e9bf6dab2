#include "tools/trainer/training_state.h"

#include <map>
#include <utility>

#include "core/autograd/grad_mode.h"
#include "core/error.h"
#include "core/primitives.h"
#include "kernels/optim/ema_update.h"
#include "layers/state_dict.h"
#include "models/mask_rcnn/trainable.h"
#include "tools/trainer/checkpoint_format.h"

namespace mrcnn {
namespace {

Sgd make_sgd(TrainableMaskRcnn& model, const TrainConfig& config, const Execution& execution) {
  model.place(execution);
  return {select_trainable(model.root(), {.trainable_body_parts = 5 - config.freeze_stages}),
          {.momentum = config.momentum, .weight_decay = config.weight_decay}};
}

// Writes a stored tensor into `parameter`, whose storage is shared with others.
void restore_into(const Parameter& parameter, const std::string& name, const TensorArchive& archive,
                  const std::string& path) {
  const FileTensor* stored = archive.find(name);
  if (stored == nullptr) throw FileError(ExitCode::kModel, path, "", "has no tensor " + name);
  if (stored->shape != parameter.file_shape) {
    throw FileError(ExitCode::kModel, path, name, "is of another shape than the model's");
  }
  const NoGradGuard no_grad;
  const Tensor value = to_memory_order(tensor_of(*stored), parameter);
  copy_(parameter.value, copy_to(value, parameter.value.device()));
}

}  // namespace

TrainingState::TrainingState(TrainableMaskRcnn& model, const TrainConfig& config,
                             const Execution& execution)
    : model_(model), ema_decay_(config.ema_decay), sgd_(make_sgd(model, config, execution)) {
  if (ema_decay_ <= 0) return;
  for (const NamedParameter& named : sgd_.parameters()) {
    Parameter mean = *named.parameter;
    mean.value = named.parameter->value.detach().clone();
    ema_.push_back(std::move(mean));
  }
}

int64_t TrainingState::num_trained() const {
  int64_t count = 0;
  for (const NamedParameter& named : sgd_.parameters()) count += named.parameter->numel();
  return count;
}

void TrainingState::update_ema() {
  if (ema_.empty()) return;
  std::vector<EmaTensor> tensors;
  for (size_t i = 0; i < ema_.size(); ++i) {
    tensors.push_back(
        {.average = ema_[i].value, .value = sgd_.parameters()[i].parameter->value.detach()});
  }
  ema_update_(tensors, ema_decay_);
}

MemoryUse TrainingState::memory_use() const {
  constexpr auto kElement = static_cast<int64_t>(sizeof(float));
  MemoryUse use;
  model_.root().visit_parameters([&use](const std::string&, const Parameter& parameter) {
    use.weights += parameter.numel() * kElement;
  });
  use.gradients = use.momenta = num_trained() * kElement;
  use.means = ema_.empty() ? 0 : use.momenta;
  return use;
}

std::vector<StateTensor> TrainingState::tensors() {
  std::vector<StateTensor> tensors;
  model_.root().visit_parameters([&](const std::string& name, Parameter& parameter) {
    tensors.push_back(state_tensor(name, parameter));
  });
  for (size_t i = 0; i < sgd_.parameters().size(); ++i) {
    tensors.push_back(
        state_tensor(std::string(kMomentumPrefix) + sgd_.parameters()[i].name, sgd_.momenta()[i]));
  }
  for (size_t i = 0; i < ema_.size(); ++i) {
    tensors.push_back(state_tensor(std::string(kEmaPrefix) + sgd_.parameters()[i].name, ema_[i]));
  }
  return tensors;
}

void TrainingState::restore(const TensorArchive& archive, const std::string& path) {
  const TensorArchive weights = tensors_under(archive, "");
  model_.root().visit_parameters([&](const std::string& name, Parameter& parameter) {
    restore_into(parameter, name, weights, path);
  });
  const TensorArchive momenta = tensors_under(archive, kMomentumPrefix);
  const TensorArchive means = tensors_under(archive, kEmaPrefix);
  for (size_t i = 0; i < sgd_.parameters().size(); ++i) {
    const std::string& name = sgd_.parameters()[i].name;
    restore_into(sgd_.momenta()[i], name, momenta, path);
    if (!ema_.empty()) restore_into(ema_[i], name, means, path);
  }
}

std::unique_ptr<MaskRcnn> TrainingState::inference_model() const {
  std::map<std::string, Tensor> values;
  model_.root().visit_parameters([&](const std::string& name, const Parameter& parameter) {
    values[name] = parameter.value.detach();
  });
  for (size_t i = 0; i < ema_.size(); ++i) values[sgd_.parameters()[i].name] = ema_[i].value;
  auto inference = std::make_unique<MaskRcnn>(model_.config());
  inference->root().visit_parameters([&](const std::string& name, Parameter& parameter) {
    parameter.value = copy_to(values.at(name), Device{});
  });
  inference->prepare(model_.execution());
  return inference;
}

}  // namespace mrcnn
