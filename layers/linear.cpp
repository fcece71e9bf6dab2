#include "layers/linear.h"

#include <fmt/core.h>

namespace mrcnn {

Linear::Linear(int64_t in_features, int64_t out_features, int64_t positions)
    : in_features_(in_features), out_features_(out_features) {
  weight_.file_shape = {out_features, in_features};
  if (positions > 1) {
    weight_.layout = FileLayout::kFlattenedLinear;
    weight_.positions = positions;
  }
  bias_.file_shape = {out_features};
  register_parameter("weight", weight_);
  register_parameter("bias", bias_);
}

std::string Linear::arguments() const {
  return fmt::format("in_features={}, out_features={}, bias=True", in_features_, out_features_);
}

}  // namespace mrcnn
