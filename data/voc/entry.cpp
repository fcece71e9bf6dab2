#include "data/voc/entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "core/error.h"
#include "data/image/image.h"
#include "data/masks/rle.h"
#include "data/voc/annotation.h"
#include "data/voc/instance_masks.h"
#include "data/voc/layout.h"

namespace mrcnn {
namespace {

std::array<double, 4> box_of(const VocObject& object, bool compat) {
  const auto& [x1, y1, x2, y2] = object.box;
  if (compat) return object.box;
  return {x1 - 1, y1 - 1, x2, y2};
}

// The share of the mask's box that lies in the object's box.
double share_inside(const Rle& mask, const std::array<double, 4>& box) {
  const PixelBox own = rle_bbox(mask);
  const auto x = static_cast<double>(own.x);
  const auto y = static_cast<double>(own.y);
  const auto width = static_cast<double>(own.width);
  const auto height = static_cast<double>(own.height);
  const double inside_x = std::min(x + width, box[2]) - std::max(x, box[0]);
  const double inside_y = std::min(y + height, box[3]) - std::max(y, box[1]);
  return std::max(inside_x, 0.0) * std::max(inside_y, 0.0) / (width * height);
}

class Loader {
 public:
  Loader(const std::string& root, const std::vector<DatasetClass>& classes, bool compat)
      : root_(root), classes_(classes), compat_(compat) {}

  VocEntry load(const std::string& name) const {
    const std::string xml_path = voc_annotation_path(root_, name);
    const VocAnnotation annotation = load_voc_annotation(xml_path);
    VocEntry entry;
    entry.image.path = voc_image_path(root_, name);
    entry.image.file_name = std::filesystem::path(entry.image.path).filename().string();
    entry.image.height = annotation.height;
    entry.image.width = annotation.width;

    const std::string mask_path = voc_mask_path(root_, name);
    const Tensor indices = load_png_indices(mask_path);
    if (indices.size(0) != annotation.height || indices.size(1) != annotation.width) {
      throw FileError(ExitCode::kData, mask_path, "",
                      fmt::format("is of {}x{} pixels, but {} says {}x{}", indices.size(1),
                                  indices.size(0), xml_path, annotation.width, annotation.height));
    }
    pair(annotation, voc_instance_masks(indices), xml_path, entry);
    return entry;
  }

 private:
  void pair(const VocAnnotation& annotation, std::vector<Rle> masks, const std::string& xml_path,
            VocEntry& entry) const {
    if (masks.size() != annotation.objects.size()) {
      entry.mismatch =
          fmt::format("{} masks for {} objects", masks.size(), annotation.objects.size());
      return;
    }
    if (masks.empty() && compat_) entry.mismatch = "no objects";
    for (size_t k = 0; k < masks.size(); ++k) {
      const VocObject& source = annotation.objects[k];
      DatasetObject object;
      object.label = label_of(source.name, k, xml_path);
      object.box = box_of(source, compat_);
      object.difficult = source.difficult;
      const double share = share_inside(masks[k], box_of(source, false));
      if (share < 0.5 && !compat_ && entry.mismatch.empty()) {
        entry.mismatch =
            fmt::format("{:.0f} % of the box of mask {} lie in the box of object {} ({})",
                        100 * share, k + 1, k + 1, source.name);
      }
      object.area = compat_ ? (object.box[2] - object.box[0]) * (object.box[3] - object.box[1])
                            : static_cast<double>(rle_area(masks[k]));
      object.mask = std::move(masks[k]);
      entry.objects.push_back(std::move(object));
    }
  }

  int64_t label_of(const std::string& name, size_t k, const std::string& xml_path) const {
    const auto found = std::find_if(classes_.begin(), classes_.end(),
                                    [&](const DatasetClass& one) { return one.name == name; });
    if (found != classes_.end()) return found->label;
    std::vector<std::string> names;
    for (const DatasetClass& one : classes_) names.push_back(one.name);
    throw FileError(ExitCode::kData, xml_path, fmt::format("object {}", k + 1),
                    fmt::format("class '{}' is none of: {}", name, fmt::join(names, ", ")));
  }

  const std::string& root_;
  const std::vector<DatasetClass>& classes_;
  bool compat_;
};

}  // namespace

VocEntry load_voc_entry(const std::string& root, const std::string& name,
                        const std::vector<DatasetClass>& classes, bool compat) {
  return Loader(root, classes, compat).load(name);
}

}  // namespace mrcnn
