#include "tools/trainer/open_data.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"
#include "data/coco/coco_dataset.h"
#include "data/coco/layout.h"
#include "data/shapes/shapes_files.h"
#include "data/voc/layout.h"
#include "data/voc/voc.h"

namespace mrcnn {
namespace {

constexpr size_t kMostNames = 5;  // of images that are left out

std::unique_ptr<Dataset> open_coco_part(const std::string& dir, const std::string& split,
                                        CocoKeep keep) {
  const CocoLayout layout = find_coco_layout(dir, split);
  CocoOptions options;
  options.keep = keep;
  return open_coco(layout.annotations, layout.images, options);
}

std::unique_ptr<Dataset> open_voc_part(const TrainConfig& config, const std::string& split,
                                       std::vector<std::string>& notes) {
  VocOptions options;
  options.compat = config.compat;
  std::unique_ptr<VocDataset> dataset = open_voc(config.data, split, options);
  const std::vector<VocDropped>& dropped = dataset->dropped();
  for (size_t i = 0; i < dropped.size() && i < kMostNames; ++i) {
    notes.push_back(fmt::format("left out: {}: {}", dropped[i].name, dropped[i].problem));
  }
  if (dropped.size() > kMostNames) {
    notes.push_back(fmt::format("left out: {} more images", dropped.size() - kMostNames));
  }
  return dataset;
}

std::string make_shapes(const TrainConfig& config) {
  const std::string dir = config.out + "/shapes";
  ShapesParams params;
  params.seed = config.seed;
  params.height = config.shapes_size;
  params.width = config.shapes_size;
  write_shapes_files(dir, shapes_splits(config.shapes_images, config.shapes_val_images), params,
                     ExistingFiles::kKeep);
  return dir;
}

void check_classes(const Dataset& train, const Dataset& val) {
  for (const DatasetClass& one : val.classes()) {
    for (const DatasetClass& other : train.classes()) {
      if (one.label == other.label && one.name != other.name) {
        throw Error(ExitCode::kData, fmt::format("{} calls class {} '{}' but {} '{}'", train.name(),
                                                 one.label, other.name, val.name(), one.name));
      }
    }
  }
  if (val.num_classes() > train.num_classes()) {
    throw Error(ExitCode::kData,
                fmt::format("{} has {} classes but {} only {}", val.name(), val.num_classes() - 1,
                            train.name(), train.num_classes() - 1));
  }
}

}  // namespace

TrainData open_train_data(const TrainConfig& config) {
  if (config.data.empty()) throw UsageError("no data is given: --data DIR, or --data shapes");
  TrainData data;
  const bool shapes = config.data == "shapes";
  const std::string dir = shapes ? make_shapes(config) : config.data;
  if (!shapes && is_voc_folder(dir)) {
    data.train = open_voc_part(config, config.train_split, data.notes);
    if (!config.val_split.empty()) {
      data.val = open_voc_part(config, config.val_split, data.notes);
    }
  } else {
    const std::string train_split = shapes ? "train" : config.train_split;
    const std::string val_split = shapes && !config.val_split.empty() ? "val" : config.val_split;
    const CocoKeep keep = config.compat ? CocoKeep::kOriginal : CocoKeep::kTorchvision;
    data.train = open_coco_part(dir, train_split, keep);
    if (!val_split.empty()) data.val = open_coco_part(dir, val_split, CocoKeep::kAll);
  }
  if (data.val) check_classes(*data.train, *data.val);
  return data;
}

}  // namespace mrcnn
