// Scores for reading.
#pragma once

#include <string>

#include "tools/evaluate/scores.h"

namespace mrcnn {

// The twelve lines of pycocotools, letter by letter.
std::string format_coco_table(const CocoValues& values);

// A line a number: " AP     0.407 [0.361, 0.452]".
std::string format_intervals(const CocoValues& values, const CocoIntervals& intervals);

// " VOC AP at IoU 0.50: 0.512 (2012), 0.498 (2007)"
std::string format_voc(const VocAp& voc);

// A line a class: objects, detections, AP and AR, and what else the scores have; "-" where there is
// nothing to find.
std::string format_class_table(const Scores& scores);

}  // namespace mrcnn
