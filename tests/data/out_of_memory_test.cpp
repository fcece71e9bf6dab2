// Memory that runs out at any allocation, once or for good, in everything that reads data sets: it
// ends with an error that says so, and nothing leaks.
#include <doctest/doctest.h>

#include <memory>
#include <span>
#include <string>

#include "core/parallel.h"
#include "data/coco/coco_dataset.h"
#include "data/coco/detection_file.h"
#include "data/image/image.h"
#include "data/voc/annotation.h"
#include "tests/support/failing_memory.h"

namespace mrcnn {
namespace {

const std::string kGolden = MRCNN_TEST_DATA "/golden/";

TEST_CASE("COCO annotations and results") {
  set_num_threads(1);  // so that every run makes the same allocations
  const std::string path = kGolden + "coco/instances_cut.json";
  const std::string results = kGolden + "coco/results_cut.json";
  test::check_each_allocation("annotations", [&] { open_coco(path, "", {.cache_directory = ""}); });
  const std::unique_ptr<Dataset> dataset = open_coco(path, "", {.cache_directory = ""});
  test::check_each_allocation("results", [&] { DetectionFile(results, *dataset); });
}

TEST_CASE("VOC annotations") {
  const std::string text =
      "<annotation><size><width>64</width><height>48</height><depth>3</depth></size>"
      "<object><name>a cat with a name of some length</name><difficult>0</difficult><bndbox>"
      "<xmin>9</xmin><ymin>9</ymin><xmax>28</xmax><ymax>40</ymax></bndbox></object></annotation>";
  test::check_each_allocation(
      "VOC", [&] { parse_voc_annotation(std::as_bytes(std::span(text)), "a.xml"); });
}

TEST_CASE("Images") {
  for (const char* name : {"rgb_420_q90.jpg", "rgb_420_progressive.jpg", "orientation6.jpg",
                           "rgb8.png", "palette4_interlaced.png", "rgb16.png"}) {
    test::check_each_allocation(name, [path = kGolden + "images/" + name] { load_image(path); });
  }
}

}  // namespace
}  // namespace mrcnn
