// Fully connected layer: y = x W^T + b. Parameters: weight [O, I], bias [O] (torch.nn.Linear).
#pragma once

#include <string>

#include "layers/module.h"

namespace mrcnn {

class Linear : public Module {
 public:
  // `positions` > 1: the input is a flattened map of that many positions. The reference flattens
  // it (channel, position), this project (position, channel); the parameter converts.
  Linear(int64_t in_features, int64_t out_features, int64_t positions = 1);
  std::string type_name() const override { return "Linear"; }
  std::string arguments() const override;

  const Tensor& weight() const { return weight_.value; }  // [O, I]
  const Tensor& bias() const { return bias_.value; }      // [O]

 private:
  int64_t in_features_;
  int64_t out_features_;
  Parameter weight_;
  Parameter bias_;
};

}  // namespace mrcnn
