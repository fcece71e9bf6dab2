// Charts as a drawing of its own, for documents that take no page.
#pragma once

#include <string>
#include <vector>

#include "tools/report/html/page.h"

namespace mrcnn {

// One SVG file: the charts below each other, their captions above them.
std::string chart_file(const std::vector<PageFigure>& figures);

}  // namespace mrcnn
