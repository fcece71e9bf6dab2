// What a name in a pickle stands for here. Nothing is ever imported or called.
#pragma once

#include <string_view>

namespace mrcnn::pth {

enum class Meaning {
  kOpaque,            // kept by name, arguments and state swallowed
  kDenied,            // only of use for running code: the file is refused
  kDict,              // OrderedDict, defaultdict, dict
  kRebuildTensor,     // torch._utils._rebuild_tensor: 4 arguments
  kRebuildTensorV2,   // 6 or 7
  kRebuildTensorV3,   // with a dtype, over an untyped storage
  kRebuildParameter,  // the tensor it wraps
  kRebuildFromType,   // (function, type, arguments, state)
  kTensorClass,       // Parameter, FloatTensor: made empty, filled by its state
  kSize,              // torch.Size: its tuple
  kStorageType,       // in persistent ids
  kTorchDType,
  kEncodeLatin1,  // _codecs.encode: bytes under pickle protocol 2
  kNumpyDType,
  kNumpyReconstruct,
  kNumpyFromBuffer,
  kNumpyScalar,
};

Meaning meaning_of_global(std::string_view module, std::string_view name);
std::string_view meaning_text(Meaning meaning);  // for listings

}  // namespace mrcnn::pth
