// Which class is taken for which, as tables of a page.
#pragma once

#include <span>

#include "data/dataset.h"
#include "data/evaluation/confusion.h"
#include "tools/report/html/page.h"

namespace mrcnn {

// A section of two tables: what became of the objects of each class, and the pairs of classes that
// are mixed up most.
void add_confusion(Page& page, std::span<const DatasetClass> classes,
                   const ConfusionMatrix& confusion);

}  // namespace mrcnn
