// Small training states for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "tools/trainer/checkpoint_file.h"
#include "tools/trainer/checkpoint_format.h"
#include "tools/trainer/train_facts.h"

namespace mrcnn::test {

// `count` numbers that differ from tensor to tensor.
inline Tensor numbers(int64_t count, float first) {
  Tensor tensor = Tensor::empty(Shape{count});
  for (int64_t i = 0; i < count; ++i)
    tensor.data<float>()[i] = first + static_cast<float>(i) * 0.5F;
  return tensor;
}

inline std::vector<StateTensor> small_state(int64_t step, bool with_ema = false) {
  const auto first = static_cast<float>(step);
  std::vector<StateTensor> tensors;
  tensors.push_back(state_tensor("backbone.weight", numbers(24, first).reshape({2, 3, 4})));
  tensors.push_back(state_tensor("head.bias", numbers(5, first + 1)));
  const std::string momentum(kMomentumPrefix);
  tensors.push_back(state_tensor(momentum + "head.bias", numbers(5, first + 2)));
  if (with_ema) {
    tensors.push_back(state_tensor(std::string(kEmaPrefix) + "head.bias", numbers(5, first + 3)));
  }
  return tensors;
}

inline TrainFacts small_facts(int64_t step) {
  TrainFacts facts;
  facts.step = step;
  facts.epoch = step / 10;
  facts.sampler_position = step % 10;
  facts.seed = 18446744073709551615U;
  facts.data_fingerprint = "abc";
  facts.config = "lr = 0.1\ndata = \"a #b\"\n";
  facts.config_hash = "def";
  facts.history = "5 mask_ap=0.5\n";
  facts.elapsed_s = 12.5;
  facts.metrics = {{"mask_ap", 0.1 + 0.2}, {"loss", -0.0}};
  facts.best_metric = 0.5;
  facts.best_step = 0;
  facts.extra = {{"list of bad images", "17\n19"}};
  facts.model = {{"format_version", "1"}, {"model", "maskrcnn_resnet50_fpn"}};
  return facts;
}

}  // namespace mrcnn::test
