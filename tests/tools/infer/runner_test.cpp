#include "tools/infer/runner.h"

#include <doctest/doctest.h>

#include <atomic>

#include "core/error.h"
#include "tests/tools/infer/fake_instances.h"

using namespace mrcnn;

namespace {

// Notes what it is given.
struct Notes {
  std::vector<std::string> lines;
  int64_t num_finished = 0;
};

class NotingSink : public ResultSink {
 public:
  NotingSink(Notes& notes, bool needs_masks) : notes_(notes), needs_masks_(needs_masks) {}
  bool needs_masks() const override { return needs_masks_; }
  void consume(const ImageResult& result) override {
    notes_.lines.push_back(result.path + " id " + std::to_string(result.image_id) + " " +
                           result.picture_name + ": " + std::to_string(result.instances.size()) +
                           " objects, " + std::to_string(result.masks.size()) + " masks, " +
                           std::to_string(result.image.size(0)) + " rows");
  }
  void finish() override { ++notes_.num_finished; }

 private:
  Notes& notes_;
  const bool needs_masks_;
};

struct Bench {
  Notes notes;
  std::string screen;
  std::vector<size_t> batches;
  Runner runner;
  bool needs_masks = true;

  Bench() {
    // An image's name says how many rows it has; the detector finds one object per row.
    runner.load = [](const std::string& path) -> Image {
      if (path.starts_with("bad")) throw FileError(ExitCode::kData, path, "", "is damaged");
      if (path == "full") throw FileError(ExitCode::kResources, path, "", "too many open files");
      Image image;
      image.pixels = Tensor::zeros({std::stoll(path), 4, 3}, DType::kU8);
      return image;
    };
    runner.detect = [this](std::span<const Tensor> images) {
      batches.push_back(images.size());
      std::vector<Instances> found;
      for (const Tensor& image : images) {
        const std::vector<int64_t> labels(static_cast<size_t>(image.size(0)), 1);
        found.push_back(test::fake_instances(image.size(0), image.size(1), labels));
      }
      return found;
    };
    runner.encode_masks = [](const Instances& instances) {
      return std::vector<Rle>(static_cast<size_t>(instances.size()));
    };
  }

  RunSummary run(const std::vector<std::string>& paths) {
    std::vector<InputImage> images;
    for (const std::string& path : paths) images.push_back({path, path});
    std::vector<std::unique_ptr<ResultSink>> sinks;
    sinks.push_back(std::make_unique<NotingSink>(notes, needs_masks));
    Progress progress("infer", "images", static_cast<int64_t>(paths.size()), ProgressMode::kOff,
                      {.write = [this](std::string_view text) { screen += text; },
                       .columns = [] { return 80; },
                       .seconds = [] { return 0.0; }});
    return run_inference(runner, images, sinks, progress);
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("RejectsADetectorThatForgetsImages") {
  Bench bench;
  bench.runner.detect = [](std::span<const Tensor>) { return std::vector<Instances>(); };
  CHECK_THROWS_WITH_AS(bench.run({"3"}), "[infer] 0 results for 1 images", Error);
}

TEST_CASE("HandsOutEveryImageInOrder") {
  Bench bench;
  const RunSummary summary = bench.run({"3", "1", "2"});
  CHECK(bench.notes.lines == Lines{"3 id 3 3: 3 objects, 3 masks, 3 rows",
                                   "1 id 1 1: 1 objects, 1 masks, 1 rows",
                                   "2 id 2 2: 2 objects, 2 masks, 2 rows"});
  CHECK(bench.notes.num_finished == 1);
  CHECK(summary.num_images == 3);
  CHECK(summary.num_objects == 6);
  CHECK(summary.num_skipped == 0);
  CHECK_FALSE(summary.stopped);
}

TEST_CASE("ResultsDoNotDependOnTheBatch") {
  const Lines paths = {"1", "bad", "2", "3", "bad2", "4", "5"};
  Bench reference;
  reference.run(paths);
  for (const int64_t batch : {2, 3, 100}) {
    Bench bench;
    bench.runner.batch = batch;
    bench.run(paths);
    CHECK(bench.notes.lines == reference.notes.lines);
    CHECK(bench.batches.front() == static_cast<size_t>(std::min<int64_t>(batch, 5)));
  }
}

TEST_CASE("SkipsAndReportsBadImages") {
  Bench bench;
  const RunSummary summary = bench.run({"bad", "2", "bad\n2"});
  CHECK(summary.num_images == 1);
  CHECK(summary.num_skipped == 2);
  CHECK(bench.screen == "infer: skipped: bad: is damaged\ninfer: skipped: bad?2: is damaged\n");
  CHECK(bench.notes.num_finished == 1);
}

TEST_CASE("ARunOfBadImagesOnlyStillFinishes") {
  Bench bench;
  CHECK(bench.run({"bad", "bad2"}).num_skipped == 2);
  CHECK(bench.batches.empty());
  CHECK(bench.notes.num_finished == 1);
}

TEST_CASE("StrictStopsAtTheFirstBadImage") {
  Bench bench;
  bench.runner.strict = true;
  CHECK_THROWS_WITH_AS(bench.run({"1", "bad", "2"}), "bad: is damaged", FileError);
  CHECK(bench.notes.lines.size() == 1);
  CHECK(bench.notes.num_finished == 0);
}

TEST_CASE("WhatIsNotTheImagesFaultEndsTheRun") {
  Bench bench;
  CHECK_THROWS_WITH_AS(bench.run({"1", "full", "2"}), "full: too many open files", FileError);
  CHECK(bench.notes.num_finished == 0);
}

TEST_CASE("AStopRequestFinishesTheBatchAndNothingElse") {
  Bench bench;
  bench.runner.batch = 2;
  bench.runner.stop_requested = [&bench]() -> std::optional<ExitCode> {
    return bench.batches.empty() ? std::nullopt : std::optional(ExitCode::kInterrupted);
  };
  const RunSummary summary = bench.run({"1", "2", "3", "4"});
  CHECK(summary.stopped == ExitCode::kInterrupted);
  CHECK(summary.num_images == 2);
  CHECK(bench.notes.lines.size() == 2);
  CHECK(bench.notes.num_finished == 0);
}

TEST_CASE("AStopRequestAfterTheLastImageComesTooLate") {
  Bench bench;
  bench.runner.stop_requested = [&bench]() -> std::optional<ExitCode> {
    return bench.batches.size() < 2 ? std::nullopt : std::optional(ExitCode::kInterrupted);
  };
  CHECK_FALSE(bench.run({"1", "2"}).stopped);
  CHECK(bench.notes.num_finished == 1);
}

TEST_CASE("MasksAreEncodedOnlyWhenWanted") {
  Bench bench;
  bench.needs_masks = false;
  bench.run({"2"});
  CHECK(bench.notes.lines == Lines{"2 id 2 2: 2 objects, 0 masks, 2 rows"});
}

TEST_CASE("AppliesTheClassFilter") {
  Bench bench;
  const std::vector<std::string> names = {"background", "cat", "dog"};
  bench.runner.classes = ClassFilter("dog", names);
  CHECK(bench.run({"2"}).num_objects == 0);
  CHECK(bench.notes.lines == Lines{"2 id 2 2: 0 objects, 0 masks, 2 rows"});
}

TEST_CASE("FormatsTheSummary") {
  CHECK(format_summary({.num_images = 12, .num_objects = 87, .num_skipped = 1, .seconds = 14.2}) ==
        "12 images, 87 objects, 14.2 s, 0.85 images/s, 1 skipped");
  CHECK(format_summary({.num_images = 1, .num_objects = 1}) ==
        "1 image, 1 object, 0.0 s, 0.00 images/s, 0 skipped");
}
