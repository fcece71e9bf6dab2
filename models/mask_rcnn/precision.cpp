#include "models/mask_rcnn/precision.h"

namespace mrcnn {

std::vector<PrecisionRow> precision_table(Precision precision) {
  const std::string tensor = precision == Precision::kBf16 ? "bf16" : "f32";
  const std::string products = precision == Precision::kFp32   ? "f32, sums f32"
                               : precision == Precision::kTf32 ? "tf32, sums f32"
                                                               : "bf16, sums f32";
  return {
      {"photo: resize, normalise, pad", "u8", "f32", tensor},
      {"convolutions, linear layers", tensor, products, tensor},
      {"bias, residual, ReLU after them", "f32 bias, " + tensor, "f32", tensor},
      {"max pool, upsample + add", tensor, "f32", tensor},
      {"anchors, box decoding, clipping", tensor + " deltas", "f32", "f32"},
      {"scores: sigmoid, softmax", tensor + " logits", "f32, softmax sums f64", "f32"},
      {"top-k, non-maximum suppression", "f32", "f32", "i32 indices"},
      {"RoIAlign", tensor + " maps, f32 boxes", "f32", tensor},
      {"mask: predicted class, sigmoid", tensor, "f32", "f32"},
      {"boxes and scores that come out", "f32", "f32", "f32"},
  };
}

}  // namespace mrcnn
