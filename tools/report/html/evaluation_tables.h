// The numbers of an evaluation as tables of a page.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "data/evaluation/coco_curves.h"
#include "data/evaluation/resampling.h"
#include "data/evaluation/voc_evaluator.h"
#include "tools/report/html/page.h"

namespace mrcnn {

struct NamedValues {
  std::string name;  // "box"
  CocoValues values{};
  std::optional<CocoIntervals> intervals = {};  // of 95 %
  std::optional<VocAp> voc = {};
};

struct NamedCurves {
  std::string_view name;
  CocoCurves curves;
};

// "0.312" with a bar; "-" where there is nothing to find.
PageCell precision_cell(double value);

// A row a number, a column a kind of IoU, beside it its intervals, and below it VOC's two, where
// there are any.
PageTable coco_table(const std::string& caption, std::span<const NamedValues> values);

// A row a class: objects, and AP, AP50 and AP75 of every kind of IoU.
PageTable class_table(std::span<const DatasetClass> classes, std::span<const NamedCurves> curves);

// The name of a class, or its number where it has none.
std::string class_name(std::span<const DatasetClass> classes, int64_t label);

}  // namespace mrcnn
