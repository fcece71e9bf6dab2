// Finds the tensors in an unpickled object.
#pragma once

#include <string>
#include <vector>

#include "tools/pth/checkpoint.h"
#include "tools/pth/extract.h"

namespace mrcnn::pth {

// The tensors of the state dict. Without a key: the object itself if at least nine tenths of its
// values are tensors, else what lies under the names that training programs use ("model",
// "state_dict", ...), searched inwards. With a key: what lies there; a dot goes one dict deeper.
// Values that are not tensors, and names that are not text, are reported and left out.
std::vector<NamedValue> find_state_dict(const Checkpoint& checkpoint, const std::string& key,
                                        const Warn& warn);

// Every tensor anywhere in the object, under its path: "optimizer/state/0/momentum_buffer".
std::vector<NamedValue> find_all_tensors(const Checkpoint& checkpoint);

}  // namespace mrcnn::pth
