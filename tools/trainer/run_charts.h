// The curves of a training run.
#pragma once

#include <vector>

#include "tools/report/html/page.h"
#include "tools/trainer/run_log.h"

namespace mrcnn {

// The total loss, its five parts, AP, learning rate and speed over steps; without those that the
// log has no value of.
std::vector<PageFigure> run_charts(const RunLog& log);

}  // namespace mrcnn
