#include "tools/infer/prefetch.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "core/error.h"

using namespace mrcnn;

namespace {

std::vector<std::string> numbers(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

Image image_of(const std::string& path) {
  Image image;
  image.pixels = Tensor::zeros({1, 1, 3}, DType::kU8);
  image.stored_height = std::stoll(path);
  return image;
}

}  // namespace

TEST_CASE("RethrowsWhatTheLoaderThrewForThatImage") {
  const auto loader = [](const std::string& path) {
    if (path == "1") throw FileError(ExitCode::kData, path, "", "is damaged");
    return image_of(path);
  };
  ImagePrefetcher prefetcher(numbers(3), loader, 2);
  CHECK(prefetcher.next().stored_height == 0);
  CHECK_THROWS_WITH_AS(prefetcher.next(), "1: is damaged", FileError);
  CHECK(prefetcher.next().stored_height == 2);
}

TEST_CASE("KeepsTheOrder") {
  for (const int64_t ahead : {0, 1, 3, 1000}) {
    ImagePrefetcher prefetcher(numbers(200), image_of, ahead);
    for (int64_t i = 0; i < 200; ++i) CHECK(prefetcher.next().stored_height == i);
  }
}

TEST_CASE("StaysAFewImagesAhead") {
  std::atomic<int64_t> loaded{0};
  int64_t taken = 0;
  const auto loader = [&loaded](const std::string& path) {
    ++loaded;
    return image_of(path);
  };
  ImagePrefetcher prefetcher(numbers(30), loader, 2);
  while (taken < 20) {
    prefetcher.next();
    ++taken;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(loaded <= taken + 2);
  }
}

TEST_CASE("StopsWhenItIsNoLongerWanted") {
  std::atomic<int64_t> loaded{0};
  {
    ImagePrefetcher prefetcher(
        numbers(1000),
        [&loaded](const std::string& path) {
          ++loaded;
          return image_of(path);
        },
        1);
    prefetcher.next();
  }
  CHECK(loaded <= 3);
  const ImagePrefetcher nothing({}, image_of, 1);
}
