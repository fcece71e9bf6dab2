// A polygon cut off at the borders of its image.
#pragma once

#include <span>
#include <vector>

namespace mrcnn {

// corners: x0, y0, x1, y1, ..., not closed. What lies in [0, width] x [0, height], the same way
// round; empty if nothing does. Parts that become separate stay tied to each other along the
// border. Source: Sutherland and Hodgman, Reentrant polygon clipping, CACM 17 (1974).
std::vector<double> clip_polygon(std::span<const double> corners, double height, double width);

}  // namespace mrcnn
