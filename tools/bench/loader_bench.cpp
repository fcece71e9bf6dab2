#include "tools/bench/loader_bench.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "core/stream.h"
#include "data/loader/loader.h"
#include "models/zoo.h"
#include "tools/clock.h"
#include "tools/trainer/feed.h"

namespace mrcnn {
namespace {

constexpr int64_t kMostKept = 64;  // decoded photos that the op is timed with

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Stopped {};

// repetition: returns the number of images it did. Throws Stopped.
LoaderStage time_stage(const std::string& name, const LoaderBenchOptions& options,
                       const std::function<int64_t()>& repetition) {
  LoaderStage stage{.name = name, .wall_ms = {}, .cpu_ms = {}};
  for (int i = -options.warmup; i < options.repeat; ++i) {
    if (options.stop_requested && options.stop_requested()) throw Stopped();
    const double wall = monotonic_seconds(), cpu = cpu_seconds();
    const auto images = static_cast<double>(repetition());
    if (i < 0) continue;
    stage.wall_ms.push_back(1000 * (monotonic_seconds() - wall) / images);
    stage.cpu_ms.push_back(1000 * (cpu_seconds() - cpu) / images);
  }
  return stage;
}

LoaderOptions loader_options(const LoaderBenchOptions& options) {
  LoaderOptions result;
  result.plan.batch = options.batch;
  result.augmentation.min_sizes = {options.min_size};
  result.augmentation.flip_probability = 1;
  result.threads = options.threads;
  return result;
}

// The op, over batches that are decoded already.
class Placing {
 public:
  Placing(const std::vector<LoadedBatch>& batches, int64_t num_classes, const Execution& execution)
      : batches_(batches),
        config_(model_config("maskrcnn_resnet50_fpn", num_classes)),
        execution_(execution) {
    feed_.resize = config_.input.resize;
  }

  // From now on photos keep their size.
  void keep_sizes() {
    keep_sizes_ = true;
    feed_.resize.max_size = std::numeric_limits<int32_t>::max();
    feed_.resize.rule = SizeRule::kOriginalRound;
  }

  // Goes through the batches until at least so many images are placed; returns how many.
  int64_t place(int64_t images) const {
    int64_t done = 0;
    for (size_t next = 0; done < images; next = (next + 1) % batches_.size()) {
      std::vector<Sample> samples = batches_[next].samples;
      for (Sample& sample : samples) {
        if (!keep_sizes_) continue;
        sample.augmentation.min_size = std::min(sample.pixels.size(0), sample.pixels.size(1));
      }
      const std::vector<TrainingImage> placed = training_images(samples, feed_);
      make_training_batch(placed, config_, execution_);
      synchronize(execution_.device);
      done += static_cast<int64_t>(placed.size());
    }
    return done;
  }

 private:
  const std::vector<LoadedBatch>& batches_;
  MaskRcnnConfig config_;
  Execution execution_;
  FeedOptions feed_;
  bool keep_sizes_ = false;
};

LoaderStage sum(const LoaderStage& a, const LoaderStage& b) {
  LoaderStage both{.name = a.name + " + " + b.name, .wall_ms = a.wall_ms, .cpu_ms = a.cpu_ms};
  for (size_t i = 0; i < both.wall_ms.size(); ++i) {
    both.wall_ms[i] += b.wall_ms[i];
    both.cpu_ms[i] += b.cpu_ms[i];
  }
  return both;
}

// Times next() and leaves some batches for the op.
LoaderStage time_decoding(const Dataset& dataset, const LoaderBenchOptions& options,
                          std::vector<LoadedBatch>& batches) {
  Loader loader(dataset, loader_options(options));
  const int64_t kept = std::min(kMostKept, loader.images_per_epoch());
  for (int64_t count = 0; count < kept;) {
    batches.push_back(loader.next());
    count += static_cast<int64_t>(batches.back().samples.size());
  }
  return time_stage("decode", options, [&] {
    int64_t done = 0;
    while (done < options.images) done += static_cast<int64_t>(loader.next().samples.size());
    return done;
  });
}

void describe(const std::vector<LoadedBatch>& batches, LoaderBenchResult& result) {
  double count = 0;
  for (const LoadedBatch& batch : batches) {
    for (const Sample& sample : batch.samples) {
      ++count;
      result.file_bytes += static_cast<double>(std::filesystem::file_size(sample.path));
      result.pixels += static_cast<double>(sample.pixels.size(0) * sample.pixels.size(1));
      result.objects += static_cast<double>(sample.masks.size());
    }
  }
  for (double* total : {&result.file_bytes, &result.pixels, &result.objects}) *total /= count;
}

}  // namespace

std::optional<LoaderBenchResult> bench_loader(const Dataset& dataset,
                                              const LoaderBenchOptions& options) try {
  LoaderBenchResult result;
  std::vector<LoadedBatch> batches;
  const LoaderStage decode = time_decoding(dataset, options, batches);
  describe(batches, result);
  Placing placing(batches, dataset.num_classes(), options.execution);
  const auto place = [&] { return placing.place(options.images); };
  const LoaderStage resize = time_stage("flip, resize", options, place);
  placing.keep_sizes();
  const LoaderStage flip = time_stage("flip", options, place);
  result.stages = {decode, flip, resize, sum(decode, flip), sum(decode, resize)};
  return result;
} catch (const Stopped&) {
  return std::nullopt;
}

}  // namespace mrcnn
