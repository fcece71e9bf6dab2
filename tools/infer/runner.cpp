#include "tools/infer/runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "tools/clock.h"
#include "tools/infer/naming.h"
#include "tools/report/utf8.h"

namespace mrcnn {
namespace {

std::string plural(int64_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

class Run {
 public:
  Run(const Runner& runner, const std::vector<InputImage>& images,
      std::span<const std::unique_ptr<ResultSink>> sinks, Progress& progress)
      : runner_(runner),
        images_(images),
        sinks_(sinks),
        progress_(progress),
        ids_(assign_image_ids(images)),
        names_(assign_picture_names(images)),
        needs_masks_(std::any_of(sinks.begin(), sinks.end(),
                                 [](const auto& sink) { return sink->needs_masks(); })),
        prefetcher_(paths_of(images), runner.load, runner.batch) {}

  RunSummary run() {
    const double start = monotonic_seconds();
    while (next_ < images_.size() && !stop()) {
      const std::vector<Pending> batch = take_batch();
      if (!batch.empty()) work_on(batch);
    }
    if (!summary_.stopped) {
      for (const auto& sink : sinks_) sink->finish();
    }
    summary_.seconds = monotonic_seconds() - start;
    return summary_;
  }

 private:
  struct Pending {
    size_t index;
    Tensor pixels;
  };

  static std::vector<std::string> paths_of(const std::vector<InputImage>& images) {
    std::vector<std::string> paths;
    for (const InputImage& image : images) paths.push_back(image.path);
    return paths;
  }

  bool stop() {
    if (runner_.stop_requested) summary_.stopped = runner_.stop_requested();
    return summary_.stopped.has_value();
  }

  // The next images that can be read, at most a batch of them.
  std::vector<Pending> take_batch() {
    std::vector<Pending> batch;
    while (next_ < images_.size() && static_cast<int64_t>(batch.size()) < runner_.batch) {
      const size_t index = next_++;
      try {
        const Image image = prefetcher_.next();
        batch.push_back({index, image.pixels});
        for (const std::string& warning : image.warnings) {
          progress_.message(printable("infer: warning: " + images_[index].path + ": " + warning));
        }
      } catch (const Error& error) {
        if (error.exit_code() != ExitCode::kData || runner_.strict) throw;
        progress_.message(printable(std::string("infer: skipped: ") + error.what()));
        ++summary_.num_skipped;
        progress_.advance(1);
      }
    }
    return batch;
  }

  void work_on(const std::vector<Pending>& batch) {
    std::vector<Tensor> pixels;
    for (const Pending& pending : batch) pixels.push_back(pending.pixels);
    const std::vector<Instances> detected = runner_.detect(pixels);
    if (detected.size() != batch.size()) {
      throw Error(ExitCode::kInternal,
                  fmt::format("[infer] {} results for {} images", detected.size(), batch.size()));
    }
    for (size_t i = 0; i < batch.size(); ++i) hand_out(batch[i], detected[i]);
    progress_.advance(static_cast<int64_t>(batch.size()));
  }

  void hand_out(const Pending& pending, const Instances& detected) {
    const Instances instances = runner_.classes.apply(detected);
    const std::vector<Rle> masks =
        needs_masks_ ? runner_.encode_masks(instances) : std::vector<Rle>{};
    const ImageResult result{.path = images_[pending.index].path,
                             .image_id = ids_[pending.index],
                             .picture_name = names_[pending.index],
                             .image = pending.pixels,
                             .instances = instances,
                             .masks = masks};
    for (const auto& sink : sinks_) sink->consume(result);
    ++summary_.num_images;
    summary_.num_objects += instances.size();
  }

  const Runner& runner_;
  const std::vector<InputImage>& images_;
  const std::span<const std::unique_ptr<ResultSink>> sinks_;
  Progress& progress_;
  const std::vector<int64_t> ids_;
  const std::vector<std::string> names_;
  const bool needs_masks_;
  RunSummary summary_;
  size_t next_ = 0;
  ImagePrefetcher prefetcher_;
};

}  // namespace

RunSummary run_inference(const Runner& runner, const std::vector<InputImage>& images,
                         std::span<const std::unique_ptr<ResultSink>> sinks, Progress& progress) {
  return Run(runner, images, sinks, progress).run();
}

std::string format_summary(const RunSummary& summary) {
  const double rate =
      summary.seconds > 0 ? static_cast<double>(summary.num_images) / summary.seconds : 0;
  return fmt::format("{}, {}, {:.1f} s, {:.2f} images/s, {} skipped",
                     plural(summary.num_images, "image"), plural(summary.num_objects, "object"),
                     summary.seconds, rate, summary.num_skipped);
}

}  // namespace mrcnn
