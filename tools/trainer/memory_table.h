// Who holds the memory of a training run, for the message that there is no more.
#pragma once

#include <string>

#include "tools/trainer/training_state.h"

namespace mrcnn {

// "on the host 1.2 GiB are in use by tensors, 3.4 GiB at most, 0.5 GiB kept for reuse; of the most,
// weights 170 MiB, ...". state may be null.
std::string memory_text(const TrainingState* state);

}  // namespace mrcnn
