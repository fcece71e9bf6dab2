// Which part of Mask R-CNN is computed in which type, for each precision a user can choose.
#pragma once

#include <string>
#include <vector>

#include "layers/execution.h"

namespace mrcnn {

struct PrecisionRow {
  std::string part;      // "backbone, neck, RPN head: convolutions"
  std::string operands;  // what is read
  std::string products;  // what multiplications and sums are done in
  std::string result;    // what is written
};

// One row per part, in the order of the data. The code that holds each part to its row is the
// Execution the layers were prepared with; a test compares the stages' tensors with this table.
std::vector<PrecisionRow> precision_table(Precision precision);

}  // namespace mrcnn
