#include "tools/dataset/open_dataset.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/error.h"
#include "data/coco/coco_dataset.h"
#include "data/coco/layout.h"

namespace mrcnn {

std::unique_ptr<VocDataset> open_voc_dataset(const std::string& dir, const std::string& split,
                                             const VocOptions& options,
                                             const DatasetWarning& warn) {
  std::unique_ptr<VocDataset> dataset = open_voc(dir, split, options);
  for (const VocDropped& dropped : dataset->dropped()) {
    warn(fmt::format("{} is left out: {}", dropped.name, dropped.problem));
  }
  return dataset;
}

std::unique_ptr<Dataset> open_dataset(const std::string& path, const std::string& split,
                                      const VocOptions& options, const DatasetWarning& warn,
                                      const std::string& images) {
  if (is_voc_folder(path)) return open_voc_dataset(path, split, options, warn);
  if (options.compat || !options.classes.empty()) {
    throw UsageError(path + " is no PASCAL VOC data set: --compat and --classes are for those");
  }
  CocoOptions coco;
  if (options.mismatch == VocOptions::Mismatch::kDrop) {
    coco.on_problem = [warn](const std::string& place, const std::string& problem) {
      warn(fmt::format("{} is left out: {}", place, problem));
    };
  }
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) return open_coco(path, images, coco);
  const CocoLayout layout = find_coco_layout(path, split);
  return open_coco(layout.annotations, images.empty() ? layout.images : images, coco);
}

}  // namespace mrcnn
