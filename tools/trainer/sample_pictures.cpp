#include "tools/trainer/sample_pictures.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/error.h"
#include "data/image/image.h"
#include "tools/draw/found_object.h"
#include "tools/draw/overlay.h"

namespace mrcnn {
namespace {

constexpr int64_t kNumPictures = 4;
constexpr float kLeastScore = 0.5F;  // of what is drawn

std::string name_of(const Dataset& dataset, int64_t label) {
  for (const DatasetClass& one : dataset.classes()) {
    if (one.label == label) return one.name;
  }
  return std::to_string(label);
}

Tensor draw_found(const MaskRcnn& model, const Dataset& dataset, const Tensor& pixels) {
  const Instances found = model.detect(std::span(&pixels, 1)).front();
  std::vector<Rle> masks = encode_masks(found, model.config());
  std::vector<OverlayItem> items;
  for (int64_t i = 0; i < found.size(); ++i) {
    if (found.scores.data<const float>()[i] < kLeastScore) continue;
    const std::string name = name_of(dataset, found.labels.data<const int64_t>()[i]);
    items.push_back(found_object(found, i, std::move(masks[static_cast<size_t>(i)]), name));
  }
  return draw_overlay(pixels, items);
}

Tensor draw_annotated(const Dataset& dataset, int64_t index, const Tensor& pixels) {
  std::vector<OverlayItem> items;
  for (DatasetObject& object : dataset.objects(index)) {
    OverlayItem item;
    item.mask = std::move(object.mask);
    for (size_t e = 0; e < 4; ++e) item.box[e] = static_cast<float>(object.box[e]);
    item.label = object.label;
    item.text = name_of(dataset, object.label);
    items.push_back(std::move(item));
  }
  return draw_overlay(pixels, items);
}

// One above the other.
Tensor stacked(const Tensor& top, const Tensor& bottom) {
  Tensor both = Tensor::empty({top.size(0) + bottom.size(0), top.size(1), 3}, DType::kU8);
  std::copy_n(top.data<const uint8_t>(), top.numel(), both.data<uint8_t>());
  std::copy_n(bottom.data<const uint8_t>(), bottom.numel(), both.data<uint8_t>() + top.numel());
  return both;
}

}  // namespace

std::vector<SamplePicture> draw_samples(const MaskRcnn& model, const Dataset& dataset) {
  std::vector<SamplePicture> samples;
  for (int64_t i = 0; i < std::min(kNumPictures, dataset.size()); ++i) {
    Tensor pixels;
    try {
      pixels = load_image(dataset.image(i).path, {.exif = ExifPolicy::kIgnore}).pixels;
    } catch (const FileError&) {
      continue;  // the evaluation says so
    }
    samples.push_back({.index = i,
                       .file_name = dataset.image(i).file_name,
                       .pixels = stacked(draw_annotated(dataset, i, pixels),
                                         draw_found(model, dataset, pixels))});
  }
  return samples;
}

}  // namespace mrcnn
