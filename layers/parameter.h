// A named array of a module: a trainable weight or a constant buffer.
// Weight files keep the reference's order of elements; memory is channels last (design: weights
// [O, KH, KW, I]). A parameter knows both, so that only loading and saving convert.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace mrcnn {

enum class FileLayout {
  kPlain,            // the same in both
  kConv,             // file [O, I, KH, KW], memory [O, KH, KW, I]
  kConvTranspose,    // file [I, O, KH, KW], memory [O, KH, KW, I]
  kFlattenedLinear,  // file [O, C * S], memory [O, S * C]; S positions of a flattened map
};

struct Parameter {
  std::vector<int64_t> file_shape;
  FileLayout layout = FileLayout::kPlain;
  int64_t positions = 1;  // S of kFlattenedLinear
  DType dtype = DType::kF32;
  bool is_buffer = false;  // never trained
  Tensor value;            // memory order; undefined until loaded or initialised

  int64_t numel() const {
    int64_t count = 1;
    for (const int64_t extent : file_shape) count *= extent;
    return count;
  }
};

}  // namespace mrcnn
