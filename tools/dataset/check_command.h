// dataset check: everything that is wrong with a COCO data set, and a copy without it.
#pragma once

#include "tools/dataset/command.h"

namespace mrcnn {

DatasetCommand add_check_command(CLI::App& app);

}  // namespace mrcnn
