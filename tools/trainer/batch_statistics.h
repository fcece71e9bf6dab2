// The running statistics of batch norms. A forward pass changes them, before anybody knows whether
// the step will be taken.
#pragma once

#include <vector>

#include "core/tensor.h"
#include "layers/module.h"

namespace mrcnn {

class BatchStatistics {
 public:
  explicit BatchStatistics(Module& root);  // its parameters are loaded; it must outlive this

  bool empty() const { return values_.empty(); }  // a model with frozen norms only
  void keep();                                    // as they are now
  void restore() const;                           // as they were kept

 private:
  std::vector<Tensor> values_;
  std::vector<Tensor> kept_;
};

}  // namespace mrcnn
