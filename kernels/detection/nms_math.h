// The comparison that NMS makes, shared by host and device.
#pragma once

#include <cmath>
#include <limits>

#include "kernels/detection/box_math.h"

namespace mrcnn {

// The largest float that is not above `value`: comparing floats with it is comparing them with
// `value` in double, as the reference does.
inline float float_not_above(double value) {
  const auto rounded = static_cast<float>(value);
  return static_cast<double>(rounded) > value
             ? std::nextafter(rounded, -std::numeric_limits<float>::infinity())
             : rounded;
}

// Is inter / joint > threshold, for threshold >= 0? A quotient that rounds to more than the
// threshold is more than it, so inter >= threshold * joint, rounded too: most pairs need no
// division. False where the quotient is NaN.
HOST_DEVICE inline bool overlaps_more(const Box& better, float better_area, const Box& box,
                                      float area, float threshold) {
  const float inter = intersection_area(better, box);
  const float joint = better_area + area - inter;
  return inter >= threshold * joint && inter / joint > threshold;
}

}  // namespace mrcnn
