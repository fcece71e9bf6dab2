// Batches of a data set, epoch after epoch, made ahead by threads.
// What comes in which order depends on the seed and the position only: a run that starts at (epoch,
// batch) gets what an uninterrupted one would, with any number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/loader/augmentation.h"
#include "data/loader/epoch_plan.h"
#include "data/loader/sample.h"

namespace mrcnn {

enum class BadSamplePolicy {
  kFail,  // the batch that would hold it throws
  kSkip,  // the batch goes without it and lists it
};

struct LoaderOptions {
  uint64_t seed = 0;
  EpochPlanOptions plan{};
  AugmentationOptions augmentation{};
  bool augment = true;
  SampleOptions sample{};
  BadSamplePolicy bad_samples = BadSamplePolicy::kFail;
  int threads = 2;            // 0: samples are made by the caller of next()
  int64_t epoch_batches = 0;  // an epoch ends after so many batches; 0: after all images
  int64_t batches_ahead = 4;  // at most so many are held ready, which bounds the memory
};

struct LoaderPosition {
  int64_t epoch = 0;
  int64_t batch = 0;  // of the epoch
  friend bool operator==(const LoaderPosition&, const LoaderPosition&) = default;
};

struct SkippedSample {
  int64_t image_id = 0;
  std::string problem;  // names the file
};

struct LoadedBatch {
  LoaderPosition position;           // of this batch
  LoaderPosition next;               // where to go on after it
  std::vector<Sample> samples = {};  // fewer, even none, when some were skipped
  std::vector<SkippedSample> skipped = {};
};

class Loader {
 public:
  // The data set must outlive the loader. Throws UsageError on an option out of range, an Error
  // with ExitCode::kData if the set has no images.
  Loader(const Dataset& dataset, const LoaderOptions& options, const LoaderPosition& start = {});
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  int64_t batches_per_epoch() const;
  int64_t images_per_epoch() const;  // at most

  // Waits for the next batch. Throws what loading one of its samples threw (kFail); an Error with
  // ExitCode::kData when a whole epoch had no usable sample.
  LoadedBatch next();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mrcnn
