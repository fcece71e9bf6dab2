#include "tools/trainer/detect_dataset.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/error.h"
#include "data/image/image.h"
#include "tools/infer/prefetch.h"
#include "tools/trainer/background_worker.h"

namespace mrcnn {
namespace {

Image load_as_stored(const std::string& path) {
  return load_image(path, {.exif = ExifPolicy::kIgnore});
}

std::vector<std::string> first_paths(const Dataset& dataset, int64_t count) {
  std::vector<std::string> paths;
  for (int64_t i = 0; i < count; ++i) paths.push_back(dataset.image(i).path);
  return paths;
}

}  // namespace

DetectDatasetRun detect_dataset(const MaskRcnn& model, const Dataset& dataset,
                                const DetectDatasetOptions& options, const TakeFound& take) {
  const int64_t count =
      options.max_images > 0 ? std::min(options.max_images, dataset.size()) : dataset.size();
  DetectDatasetRun run;
  ImagePrefetcher images(first_paths(dataset, count), load_as_stored, options.batch);
  // Two batches wait, so that neither side waits for the other's odd image.
  const auto worker =
      options.take_behind
          ? std::make_unique<BackgroundWorker>(2 * static_cast<size_t>(options.batch))
          : nullptr;
  const auto hand_on = [&](int64_t index, const Instances& found) {
    ++run.images;
    if (!worker) return take(index, found);
    worker->add([&take, index, found] { take(index, found); });
  };
  for (int64_t first = 0; first < count; first += options.batch) {
    if (options.stop_requested && options.stop_requested()) {
      run.complete = false;
      break;
    }
    std::vector<Tensor> pixels;
    std::vector<int64_t> indices;
    const int64_t last = std::min(count, first + options.batch);
    for (int64_t i = first; i < last; ++i) {
      try {
        pixels.push_back(images.next().pixels);
        indices.push_back(i);
      } catch (const FileError& error) {
        if (error.exit_code() != ExitCode::kData) throw;  // no fault of the image
        run.skipped.emplace_back(error.what());
        hand_on(i, {});
      }
    }
    const std::vector<Instances> found = model.detect(pixels);
    for (size_t k = 0; k < found.size(); ++k) hand_on(indices[k], found[k]);
    if (options.progress) options.progress(last);
  }
  if (worker) worker->finish();
  return run;
}

std::vector<EvaluatedDetection> evaluated_detections(const Instances& found,
                                                     const MaskRcnnConfig& config) {
  std::vector<EvaluatedDetection> detections;
  if (found.size() == 0) return detections;
  std::vector<Rle> masks = encode_masks(found, config);
  for (int64_t i = 0; i < found.size(); ++i) {
    const float* corners = found.boxes.data<const float>() + i * 4;
    const double x1 = corners[0], y1 = corners[1], x2 = corners[2], y2 = corners[3];
    detections.push_back({.category = found.labels.data<const int64_t>()[i],
                          .score = static_cast<double>(found.scores.data<const float>()[i]),
                          .box = {x1, y1, x2 - x1, y2 - y1},
                          .mask = std::move(masks[static_cast<size_t>(i)])});
  }
  return detections;
}

}  // namespace mrcnn
