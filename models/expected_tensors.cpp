#include "models/expected_tensors.h"

#include "layers/state_dict.h"
#include "models/mask_rcnn/tree.h"
#include "models/zoo.h"

namespace mrcnn {

std::vector<NameAndShape> expected_tensors(std::string_view model, int64_t num_classes) {
  const MaskRcnnTree tree = build_tree(model_config(model, num_classes));
  std::vector<NameAndShape> list;
  for (ParameterInfo& info : parameter_list(*tree.root)) {
    list.push_back({std::move(info.name), std::move(info.file_shape)});
  }
  return list;
}

}  // namespace mrcnn
