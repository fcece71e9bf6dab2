// The loader under pressure: many threads, exceptions, and ends and new beginnings at any time. It
// is meant for ThreadSanitizer (tests/run.sh tsan), and fails without it too if a batch is wrong,
// a thread stays behind or something waits for ever.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "data/loader/loader.h"
#include "tests/data/loader/fake_dataset.h"

namespace mrcnn {
namespace {

// The images of a small set over and over; some objects throw what is not an error of ours.
class RepeatedDataset : public Dataset {
 public:
  RepeatedDataset(const Dataset& dataset, int64_t times) : dataset_(dataset), times_(times) {}

  const std::string& name() const override { return dataset_.name(); }
  int64_t size() const override { return dataset_.size() * times_; }
  const std::vector<DatasetClass>& classes() const override { return dataset_.classes(); }
  DatasetImage image(int64_t index) const override {
    DatasetImage image = dataset_.image(index % dataset_.size());
    image.id = index;
    return image;
  }
  std::vector<DatasetObject> objects(int64_t index) const override {
    if (index == thrower) throw std::runtime_error("planted");
    return dataset_.objects(index % dataset_.size());
  }
  std::string fingerprint() const override { return dataset_.fingerprint(); }

  int64_t thrower = -1;

 private:
  const Dataset& dataset_;
  int64_t times_;
};

int num_threads_of_process() {
  std::thread([] {}).join();  // with the first one, ThreadSanitizer starts one of its own
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    count += entry.is_directory() ? 1 : 0;
  }
  return count;
}

constexpr int64_t kImages = 40;
constexpr int64_t kTimes = 50;  // 2,000 images
const LoaderOptions kOptions{.seed = 5, .plan = {.batch = 4}, .threads = 8, .batches_ahead = 12};

std::vector<int64_t> ids(const LoadedBatch& batch) {
  std::vector<int64_t> ids;
  for (const Sample& sample : batch.samples) ids.push_back(sample.image_id);
  return ids;
}

TEST_CASE("Three epochs of 2,000 images by 8 threads, with other numbers of threads midway") {
  const test::FakeDataset files(kImages);
  const RepeatedDataset dataset(files, kTimes);
  LoaderOptions options = kOptions;
  options.threads = 0;
  Loader expected(dataset, options);
  const int64_t batches = 3 * expected.batches_per_epoch();
  REQUIRE(batches == 1500);
  const int before = num_threads_of_process();
  LoaderPosition position;
  int64_t done = 0;
  for (const int threads : {8, 3, 8, 1, 16, 8}) {
    options.threads = threads;
    Loader loader(dataset, options, position);
    for (int64_t i = 0; i < batches / 6; ++i, ++done) {
      const LoadedBatch batch = loader.next();
      position = batch.next;
      REQUIRE(ids(batch) == ids(expected.next()));
    }
  }
  CHECK(done == batches);
  CHECK(position == LoaderPosition{.epoch = 3, .batch = 0});
  CHECK(num_threads_of_process() == before);
}

TEST_CASE("Fifty loaders left at any time, and fifty that a thread's exception ends") {
  const test::FakeDataset files(kImages);
  RepeatedDataset dataset(files, kTimes);
  const int before = num_threads_of_process();
  for (int64_t trial = 0; trial < 50; ++trial) {
    Loader loader(dataset, kOptions, {.epoch = 0, .batch = trial});
    for (int64_t i = 0; i < trial % 7; ++i) loader.next();
  }
  CHECK(num_threads_of_process() == before);
  for (int64_t trial = 0; trial < 50; ++trial) {
    LoaderOptions options = kOptions;
    options.bad_samples = trial % 2 == 0 ? BadSamplePolicy::kFail : BadSamplePolicy::kSkip;
    dataset.thrower = -1;
    const LoaderPosition start{.epoch = trial, .batch = 3 * trial};
    int64_t thrower = 0;
    {
      Loader scout(dataset, options, start);
      for (int64_t i = 0; i < trial % 5; ++i) scout.next();
      const std::vector<int64_t> next = ids(scout.next());
      thrower = next.at(static_cast<size_t>(trial) % next.size());
    }
    dataset.thrower = thrower;  // while no thread reads it
    Loader loader(dataset, options, start);
    for (int64_t i = 0; i < trial % 5; ++i) loader.next();
    CHECK_THROWS_WITH_AS(loader.next(), "planted", std::runtime_error);
  }
  CHECK(num_threads_of_process() == before);
}

// Opened as a file is, a pipe without a writer would be waited for by each of the threads.
TEST_CASE("A pipe, a socket's or a device's file in the place of an image is not waited for") {
  const test::FakeDataset dataset(kImages);
  for (const int64_t index : {3, 20, 33}) {
    const std::string path = dataset.image(index).path;
    std::filesystem::remove(path);
    if (index == 33) {
      std::filesystem::create_symlink("/dev/zero", path);
    } else {
      REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    }
  }
  const auto began = std::chrono::steady_clock::now();
  LoaderOptions options = kOptions;
  options.bad_samples = BadSamplePolicy::kSkip;
  for (int trial = 0; trial < 50; ++trial) {
    Loader loader(dataset, options, {.epoch = trial, .batch = 0});
    size_t used = 0, skipped = 0;
    for (int64_t i = 0; i < loader.batches_per_epoch(); ++i) {
      const LoadedBatch batch = loader.next();
      used += batch.samples.size();
      skipped += batch.skipped.size();
      for (const SkippedSample& sample : batch.skipped) {
        CHECK(sample.problem.ends_with("is not a regular file"));
      }
    }
    CHECK(skipped == 3);
    CHECK(used == kImages - 3);
  }
  options.bad_samples = BadSamplePolicy::kFail;
  Loader loader(dataset, options);
  CHECK_THROWS_AS(
      [&loader] {
        while (true) loader.next();
      }(),
      FileError);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(60));
}

}  // namespace
}  // namespace mrcnn
