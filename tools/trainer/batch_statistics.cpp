#include "tools/trainer/batch_statistics.h"

#include <set>
#include <string>
#include <string_view>

#include "core/autograd/grad_mode.h"
#include "core/primitives.h"
#include "layers/parameter.h"

namespace mrcnn {
namespace {

// Only batch norms that gather statistics have a counter (layers/norm.h).
constexpr std::string_view kCounter = "num_batches_tracked";

std::string_view module_of(std::string_view name) { return name.substr(0, name.rfind('.') + 1); }

}  // namespace

BatchStatistics::BatchStatistics(Module& root) {
  std::set<std::string, std::less<>> gathering;
  root.visit_parameters([&](const std::string& name, Parameter&) {
    if (name.ends_with(kCounter)) gathering.emplace(module_of(name));
  });
  root.visit_parameters([&](const std::string& name, Parameter& parameter) {
    if (parameter.is_buffer && gathering.contains(module_of(name))) {
      values_.push_back(parameter.value);
    }
  });
}

void BatchStatistics::keep() {
  const NoGradGuard no_grad;
  if (kept_.empty()) {
    for (const Tensor& value : values_) kept_.push_back(value.clone());
    return;
  }
  for (size_t i = 0; i < values_.size(); ++i) copy_(kept_[i], values_[i]);
}

void BatchStatistics::restore() const {
  const NoGradGuard no_grad;
  for (size_t i = 0; i < kept_.size(); ++i) copy_(values_[i], kept_[i]);
}

}  // namespace mrcnn
