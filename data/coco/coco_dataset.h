// Data sets of COCO annotations: files like instances_train2017.json.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/io/cache_directory.h"
#include "core/io/file.h"
#include "data/coco/table_builder.h"
#include "data/dataset.h"

namespace mrcnn {

// Which images and objects of a file make up the data set.
enum class CocoKeep {
  kAll,
  // As torchvision's training reference: no crowds and no box that has no extent once it is cut
  // off at the image's borders (compared in single precision, as there); no image without
  // annotations or with none whose box is more than a pixel wide and high. An image whose objects
  // are all left out stays.
  kTorchvision,
  // As the original system: crowds are objects; no image without objects.
  kOriginal,
};

// "all", "torchvision" or "original"; anything else throws UsageError.
CocoKeep coco_keep_from_name(std::string_view name);
const char* coco_keep_name(CocoKeep keep);

struct CocoOptions {
  CocoKeep keep = CocoKeep::kAll;
  // Where parsed annotations are kept (data/coco/annotation_cache.h); "": nowhere.
  std::string cache_directory = default_cache_directory();
  int64_t cache_min_bytes = int64_t{8} << 20;  // smaller files are parsed in a blink
  // If set, images and annotations that are wrong are left out, and told of in the order of the
  // file; files with any are not cached. If not, the first one is thrown.
  CocoProblemHandler on_problem = {};
};

// Images come in the order of their ids. Labels are the category ids as they are if these are
// positive and the largest is at most twice their number (COCO: 1..90 for 80 classes), else 1, 2,
// ... in the order of the ids. An object without "segmentation", or with null or [], has an empty
// mask. Throws FileError with ExitCode::kData for a file that cannot be read, is not JSON or is not
// what docs/file_formats.md says, with the byte or the JSON path and the annotation's id. Safe to
// use from any number of threads at the same time.
std::unique_ptr<Dataset> open_coco(const std::string& annotations_path,
                                   const std::string& image_root, const CocoOptions& options = {});

// The same for a file already in memory; `name` stands in messages. Nothing is cached.
std::unique_ptr<Dataset> parse_coco(const FileBytes& annotations, const std::string& name,
                                    const std::string& image_root, const CocoOptions& options = {});

}  // namespace mrcnn
