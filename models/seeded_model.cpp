#include "models/seeded_model.h"

#include <vector>

#include "core/parallel.h"
#include "layers/state_dict.h"
#include "models/seeded_weights.h"

namespace mrcnn {

void load_seeded(Module& root, uint64_t seed) {
  std::vector<std::pair<std::string, Parameter*>> parameters;
  root.visit_parameters([&parameters](const std::string& name, Parameter& parameter) {
    parameters.emplace_back(name, &parameter);
  });
  const auto count = static_cast<int64_t>(parameters.size());
  parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto& [name, parameter] = parameters[static_cast<size_t>(i)];
      const Shape shape{std::span<const int64_t>(parameter->file_shape)};
      if (parameter->dtype == DType::kI64) {
        parameter->value = Tensor::zeros(shape, DType::kI64);
        continue;
      }
      const Tensor values = Tensor::from(seeded_values(seed, name, parameter->file_shape), shape);
      parameter->value = to_memory_order(values, *parameter);
    }
  });
}

}  // namespace mrcnn
