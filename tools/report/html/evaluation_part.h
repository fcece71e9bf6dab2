// What a page shows of an evaluation: all of it follows from the outcomes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "data/evaluation/coco_evaluator.h"
#include "data/evaluation/confusion.h"
#include "data/evaluation/resampling.h"
#include "data/evaluation/voc_evaluator.h"
#include "tools/report/html/page.h"

namespace mrcnn {

struct EvaluatedPart {
  IouKind kind = IouKind::kBox;
  MatchTable matches;
  Mistakes mistakes;                            // shown if there are any
  const ConfusionMatrix* confusion = nullptr;   // as mistakes
  std::optional<CocoIntervals> intervals = {};  // of 95 %
  std::optional<VocAp> voc = {};
};

EvaluatedPart evaluated_part(IouKind kind, const CocoEvaluator& evaluator);

// "box", "mask"
std::string_view kind_name(IouKind kind);

// Sections: the twelve numbers and a table of classes, curves of precision and histograms of
// scores, which class is taken for which, the worst mistakes as pictures. The last of `parts` is
// the one whose confusion and mistakes are shown. Pictures that cannot be read are left out;
// categories are the labels of the data set. `note`: a line to begin with.
void add_evaluation(Page& page, const Dataset& dataset, std::span<const EvaluatedPart> parts,
                    const std::string& note = "");

}  // namespace mrcnn
