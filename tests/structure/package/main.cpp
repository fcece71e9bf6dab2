// Links every exported library and uses a piece of it.
#include <cstdio>
#include <vector>

#include "core/tensor.h"

int main() {
  const mrcnn::Tensor tensor =
      mrcnn::Tensor::from(std::vector<float>{1.0F, 2.0F, 3.0F, 4.0F}, {2, 2});
  std::printf("%s\n", tensor.describe().c_str());
  return tensor.slice(1, 2).data<float>()[1] == 4.0F ? 0 : 1;
}
