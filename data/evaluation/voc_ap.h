// PASCAL VOC's two ways from recall and precision after each detection, by falling score, to
// average precision.
#pragma once

#include <span>

namespace mrcnn {

// The mean of the largest precision at a recall of 0, 0.1 .. 1 or above.
// Source: Everingham et al. 2010, section 4.2; VOC2007 devkit VOCevaldet.m.
double voc_ap_2007(std::span<const double> recall, std::span<const double> precision);

// The area below the precision once it is made to fall with recall.
// Source: VOC2012 devkit VOCap.m.
double voc_ap_2012(std::span<const double> recall, std::span<const double> precision);

}  // namespace mrcnn
