#include "tools/evaluate/score_table.h"

#include <doctest/doctest.h>

#include <string>

namespace mrcnn {
namespace {

TEST_CASE("The twelve lines are those of pycocotools") {
  const CocoValues values = {0.40708, 0.64313, 0.42886, 0.44527, -1,      0.47986,
                             0.34356, 0.47871, 0.4840,  0.4853,  0.54351, 1};
  CHECK(format_coco_table(values) ==
        R"( Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.407
 Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ] = 0.643
 Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 0.429
 Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.445
 Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = -1.000
 Average Precision  (AP) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = 0.480
 Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = 0.344
 Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets= 10 ] = 0.479
 Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.484
 Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.485
 Average Recall     (AR) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = 0.544
 Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = 1.000
)");
}

TEST_CASE("Intervals stand beside their numbers") {
  CocoValues values{};
  CocoIntervals intervals{};
  values[0] = 0.5;
  intervals[0] = {.low = 0.4321, .high = 0.6};
  values[5] = -1;
  const std::string text = format_intervals(values, intervals);
  CHECK(text.starts_with(" AP     0.500 [0.432, 0.600]\n AP50   0.000 -\n"));
  CHECK(text.find(" APl        - -\n") != std::string::npos);
  CHECK(format_voc({.ap_2007 = 0.5, .ap_2012 = 0.625}) ==
        " VOC AP at IoU 0.50: 0.625 (2012), 0.500 (2007)\n");
}

TEST_CASE("A line for every class, as wide as its longest name") {
  Scores scores{.type = "bbox", .values = {}, .classes = {}};
  scores.classes.push_back({.category_id = 1,
                            .name = "person",
                            .num_truths = 155,
                            .num_detections = 229,
                            .values = {0.4559, 0.731, 0.5, 0.4, 0.5, 0.4, 0, 0, 0.537, 0, 0, 0}});
  CocoValues nothing;
  nothing.fill(-1);
  scores.classes.push_back({.category_id = 2,
                            .name = "caf\xC3\xA9\n\xFF",
                            .num_truths = 0,
                            .num_detections = 1,
                            .values = nothing});
  CHECK(format_class_table(scores) ==
        R"(class   objects    found     AP   AP50   AP75    APs    APm    APl  AR100
person      155      229  0.456  0.731  0.500  0.400  0.500  0.400  0.537
)"
        "caf\xC3\xA9?\xEF\xBF\xBD        0        1      -      -      -      -      -      -      "
        "-\n");
}

TEST_CASE("A line of a class has what its scores have") {
  Scores scores{.type = "bbox",
                .values = {},
                .intervals = CocoIntervals{},
                .voc = VocAp{.ap_2007 = 0.1, .ap_2012 = 0.2},
                .classes = {}};
  scores.classes.push_back({.category_id = 1,
                            .name = "a",
                            .num_truths = 1,
                            .num_detections = 2,
                            .values = {},
                            .ap_interval = Interval{.low = 0.25, .high = 0.75},
                            .voc = VocAp{.ap_2007 = -1, .ap_2012 = 0.5}});
  CHECK(
      format_class_table(scores) ==
      R"(class  objects    found     AP   AP50   AP75    APs    APm    APl  AR100  VOC12  VOC07      AP within
a            1        2  0.000  0.000  0.000  0.000  0.000  0.000  0.000  0.500      - [0.250, 0.750]
)");
}

}  // namespace
}  // namespace mrcnn
