// Somebody's program: pieces of every exported library, to see that they link.
#include <cstdio>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"
#include "data/image/image.h"
#include "layers/state_dict.h"
#include "models/mask_rcnn/mask_rcnn.h"
#include "models/zoo.h"

int main() {
  const mrcnn::MaskRcnn model(mrcnn::model_config("maskrcnn_resnet18_fpn", 3));
  std::printf("%zu parameters and buffers\n", mrcnn::parameter_list(model.root()).size());
  try {
    mrcnn::load_image("no such file.jpg");
  } catch (const mrcnn::Error& error) {
    std::printf("%s\n", error.what());
    return error.exit_code() == mrcnn::ExitCode::kData ? 0 : 1;
  }
  return 1;
}
