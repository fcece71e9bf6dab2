// An evaluation as charts of a page.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "data/evaluation/match_table.h"
#include "tools/report/html/evaluation_tables.h"

namespace mrcnn {

// The mean precision of all classes that have objects, by recall, at IoU 0.5, 0.75 and the mean of
// all thresholds: the areas below are AP50, AP75 and AP.
PageFigure precision_recall_figure(const NamedCurves& curves);

// A line a class at IoU 0.5: those with most objects, as many as colours can tell apart. Nothing
// where fewer than two classes have objects.
std::optional<PageFigure> class_precision_figure(std::span<const DatasetClass> classes,
                                                 const NamedCurves& curves);

// Right and wrong detections by score, at IoU 0.5.
PageFigure score_histogram_figure(std::string_view name, const MatchTable& matches);

}  // namespace mrcnn
