// How long a large annotation file takes to load, where one is named:
//   python3 tests/data/coco/make_large_annotations.py /tmp/large.json
//   MRCNN_LARGE_ANNOTATIONS=/tmp/large.json build/cpu/tests/data/data.coco.load_time_test
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/parallel.h"
#include "data/coco/coco_dataset.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn {
namespace {

struct Load {
  double seconds = 0;
  std::string fingerprint;
};

Load load(const std::string& path, const std::string& cache, const char* how) {
  const auto begin = std::chrono::steady_clock::now();
  const auto data = open_coco(path, "", {.keep = CocoKeep::kTorchvision, .cache_directory = cache});
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("%-24s %6.3f s, %lld images, peak memory so far %ld MiB, %d threads\n", how,
              taken.count(), static_cast<long long>(data->size()), usage.ru_maxrss / 1024,
              num_threads());
  return {taken.count(), data->fingerprint()};
}

TEST_CASE("AFileAsLargeAsCocosLoadsInSecondsAndFromTheCacheAtOnce") {
  const char* const path = std::getenv("MRCNN_LARGE_ANNOTATIONS");
  if (path == nullptr) {
    std::printf("[SKIP] MRCNN_LARGE_ANNOTATIONS names no file\n");
    return;
  }
  const test::TemporaryDirectory folder;
  const Load parsed = load(path, "", "parsed");
  const Load stored = load(path, folder.path(), "parsed and cached");
  const Load cached = load(path, folder.path(), "from the cache");
  const Load again = load(path, folder.path(), "from the cache, again");
  CHECK(parsed.seconds < 3);
  CHECK(again.seconds < 0.1);
  CHECK(parsed.fingerprint == stored.fingerprint);
  CHECK(parsed.fingerprint == cached.fingerprint);
}

}  // namespace
}  // namespace mrcnn
