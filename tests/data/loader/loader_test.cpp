#include "data/loader/loader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "tests/data/loader/fake_dataset.h"

namespace mrcnn {
namespace {

// What identifies a batch: images, choices, pixels, objects.
std::vector<double> trace(const LoadedBatch& batch) {
  std::vector<double> values{static_cast<double>(batch.position.epoch),
                             static_cast<double>(batch.position.batch)};
  for (const Sample& sample : batch.samples) {
    values.push_back(static_cast<double>(sample.image_id));
    values.push_back(sample.augmentation.flip ? 1 : 0);
    values.push_back(sample.augmentation.jitter_scale);
    values.push_back(sample.pixels.data<const uint8_t>()[0]);
    values.push_back(static_cast<double>(sample.masks.size()));
  }
  return values;
}

std::vector<std::vector<double>> run(const Dataset& dataset, LoaderOptions options, int batches,
                                     LoaderPosition start = {}) {
  Loader loader(dataset, options, start);
  std::vector<std::vector<double>> traces;
  for (int i = 0; i < batches; ++i) traces.push_back(trace(loader.next()));
  return traces;
}

TEST_CASE("Any number of threads gives the same batches") {
  const test::FakeDataset dataset(23);
  const LoaderOptions options{.seed = 3, .plan = {.batch = 4}, .threads = 0};
  const auto expected = run(dataset, options, 15);
  for (const int threads : {1, 2, 8}) {
    LoaderOptions threaded = options;
    threaded.threads = threads;
    threaded.batches_ahead = threads;
    CHECK(run(dataset, threaded, 15) == expected);
  }
}

TEST_CASE("Goes on from any position as if it had run from the start") {
  const test::FakeDataset dataset(23);
  const LoaderOptions options{.seed = 3, .plan = {.batch = 4}};
  Loader loader(dataset, options);
  CHECK(loader.batches_per_epoch() == 6);
  const auto expected = run(dataset, options, 15);
  LoaderPosition position;
  for (int i = 0; i < 14; ++i) {
    position = loader.next().next;
    CHECK(run(dataset, options, 1, position).front() == expected[static_cast<size_t>(i) + 1]);
  }
  CHECK(position == LoaderPosition{.epoch = 2, .batch = 2});
}

TEST_CASE("A sample has what the data set says") {
  test::FakeDataset dataset(3);
  dataset.set_extra([&dataset](int64_t index, std::vector<DatasetObject>& objects) {
    if (index != 2) return;
    objects[0].box = {-5, 2, 12.5, 1000};  // leaves the image
    DatasetObject crowd = dataset.rectangle(2, 0);
    crowd.crowd = true;
    objects.push_back(crowd);
    DatasetObject flat = dataset.rectangle(2, 0);
    flat.box[2] = flat.box[0];
    objects.push_back(flat);
    DatasetObject empty = dataset.rectangle(2, 0);
    empty.mask.counts = {static_cast<uint32_t>(empty.mask.height * empty.mask.width)};
    objects.push_back(empty);
  });
  const Sample sample = load_sample(dataset, 2, {});
  CHECK(sample.image_id == 1002);
  CHECK(sample.pixels.shape() == Shape{42, 32, 3});
  REQUIRE(sample.masks.size() == 2);
  CHECK(sample.labels.data<const int32_t>()[1] == 2);
  CHECK(sample.boxes.data<const float>()[0] == 0.0F);
  CHECK(sample.boxes.data<const float>()[2] == 12.5F);
  CHECK(sample.boxes.data<const float>()[3] == 42.0F);
  CHECK(load_sample(dataset, 2, {.keep_crowd = true}).masks.size() == 3);
  CHECK(load_sample(dataset, 0, {}).boxes.shape() == Shape{0, 4});
}

void truncate_file(const std::string& path) { std::ofstream(path) << "not a picture"; }

TEST_CASE("A bad image ends the run or is left out and named") {
  const test::FakeDataset dataset(9);
  truncate_file(dataset.image(4).path);
  LoaderOptions options{.plan = {.batch = 3, .shuffle = false, .aspect_groups = 0}};
  Loader strict(dataset, options);
  CHECK(strict.next().samples.size() == 3);
  CHECK_THROWS_WITH_AS(strict.next(), doctest::Contains("1004.png"), FileError);
  CHECK(strict.next().samples.size() == 3);  // it can go on

  options.bad_samples = BadSamplePolicy::kSkip;
  Loader lenient(dataset, options);
  lenient.next();
  const LoadedBatch batch = lenient.next();
  CHECK(batch.samples.size() == 2);
  REQUIRE(batch.skipped.size() == 1);
  CHECK(batch.skipped[0].image_id == 1004);
  CHECK(batch.skipped[0].problem.find("1004.png") != std::string::npos);
}

TEST_CASE("An image of another size than annotated is bad") {
  const test::FakeDataset dataset(2);
  write_image(dataset.image(1).path, Tensor::zeros({5, 6, 3}, DType::kU8));
  CHECK_THROWS_WITH_AS(load_sample(dataset, 1, {}), doctest::Contains("is 6x5 pixels"), FileError);
}

TEST_CASE("A set without one good image is an error, not an endless loop") {
  const test::FakeDataset dataset(4);
  for (int64_t i = 0; i < 4; ++i) truncate_file(dataset.image(i).path);
  Loader loader(dataset, {.plan = {.batch = 2}, .bad_samples = BadSamplePolicy::kSkip});
  CHECK(loader.next().samples.empty());
  CHECK_THROWS_WITH_AS(loader.next(), doctest::Contains("not one image of an epoch"), Error);
  const test::FakeDataset none(0);
  CHECK_THROWS_WITH_AS(Loader(none, {}), doctest::Contains("no images"), Error);
}

TEST_CASE("Can be left at any time") {
  const test::FakeDataset dataset(40);
  for (int batches = 0; batches < 5; ++batches) {
    Loader loader(dataset, {.plan = {.batch = 3}, .threads = 4, .batches_ahead = 6});
    for (int i = 0; i < batches; ++i) loader.next();
  }
  CHECK_THROWS_WITH_AS(Loader(dataset, {}, {.epoch = 0, .batch = 40}),
                       doctest::Contains("does not exist"), UsageError);
}

}  // namespace
}  // namespace mrcnn
