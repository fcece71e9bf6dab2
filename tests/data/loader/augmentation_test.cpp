#include "data/loader/augmentation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "core/error.h"

namespace mrcnn {
namespace {

TEST_CASE("Choices have the frequencies that were asked for") {
  const AugmentationOptions options{
      .flip_probability = 0.3, .min_sizes = {10, 20, 30}, .jitter_low = 0.5, .jitter_high = 1.5};
  int flips = 0;
  double jitter = 0, crops = 0;
  std::map<int64_t, int> sizes;
  for (int64_t i = 0; i < 3000; ++i) {
    const Augmentation chosen = choose_augmentation(options, 11, i % 3, i);
    flips += chosen.flip;
    ++sizes[chosen.min_size];
    jitter += chosen.jitter_scale / 3000;
    crops += (chosen.crop_x + chosen.crop_y) / 6000;
    CHECK(chosen.jitter_scale >= 0.5);
    CHECK(chosen.jitter_scale < 1.5);
  }
  CHECK(std::abs(flips - 900) < 125);  // five standard deviations of 25
  REQUIRE(sizes.size() == 3);
  for (const auto& [size, count] : sizes) CHECK(std::abs(count - 1000) < 130);
  CHECK(std::abs(jitter - 1.0) < 0.03);
  CHECK(std::abs(crops - 0.5) < 0.03);
}

TEST_CASE("Choices are a function of seed, epoch and image") {
  const AugmentationOptions options{.jitter_canvas = 64};
  const auto scale = [&](uint64_t seed, int64_t epoch, int64_t image) {
    return choose_augmentation(options, seed, epoch, image).jitter_scale;
  };
  CHECK(scale(1, 2, 3) == scale(1, 2, 3));
  CHECK(scale(1, 2, 3) != scale(2, 2, 3));
  CHECK(scale(1, 2, 3) != scale(1, 3, 3));
  CHECK(scale(1, 2, 3) != scale(1, 2, 4));
}

TEST_CASE("Never or always, and nothing at all") {
  for (int64_t i = 0; i < 100; ++i) {
    CHECK(!choose_augmentation({.flip_probability = 0}, 1, 0, i).flip);
    CHECK(choose_augmentation({.flip_probability = 1}, 1, 0, i).flip);
  }
  CHECK(no_augmentation({.min_sizes = {5, 7}}).min_size == 7);
  CHECK(!no_augmentation({.flip_probability = 1}).flip);
}

TEST_CASE("Rejects options out of range") {
  CHECK_THROWS_WITH_AS(check_augmentation({.flip_probability = 1.5}),
                       doctest::Contains("flip probability"), UsageError);
  CHECK_THROWS_WITH_AS(check_augmentation({.flip_probability = std::nan("")}),
                       doctest::Contains("flip probability"), UsageError);
  CHECK_THROWS_WITH_AS(check_augmentation({.min_sizes = {}}), doctest::Contains("no size"),
                       UsageError);
  CHECK_THROWS_WITH_AS(check_augmentation({.min_sizes = {800, 0}}), doctest::Contains("size 0"),
                       UsageError);
  CHECK_THROWS_WITH_AS(check_augmentation({.jitter_low = 2, .jitter_high = 1}),
                       doctest::Contains("jitter"), UsageError);
}

}  // namespace
}  // namespace mrcnn
