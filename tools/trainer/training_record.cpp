#include "tools/trainer/training_record.h"

#include <cmath>

#include "models/mask_rcnn/training.h"

namespace mrcnn {

TrainingView view_of(const StepLosses& losses) {
  TrainingView view;
  view.step = losses.step + 1;
  view.loss = losses.total();
  for (size_t k = 0; k < kLossNames.size(); ++k) {
    view.parts.emplace_back(kLossNames[k], losses.parts[k]);
  }
  return view;
}

LogRecord record_of(const TrainingView& view) {
  LogRecord record{"train", view.step, view.epoch, {}};
  record.values.emplace_back("loss", view.loss);
  for (const auto& [name, value] : view.parts) record.values.emplace_back("loss_" + name, value);
  record.values.emplace_back("lr", view.lr);
  record.values.emplace_back("images_per_s", view.images_per_s.value_or(std::nan("")));
  return record;
}

}  // namespace mrcnn
