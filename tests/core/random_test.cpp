#include "core/random.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

namespace mrcnn {
namespace {

using Words = std::array<uint32_t, 4>;

TEST_CASE("Matches golden: Random123's published vectors for Philox4x32-10") {
  constexpr uint32_t kOnes = 0xffffffff;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  // The digits of pi.
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("A stream's block is Philox of (index, step, purpose) under the seed") {
  const RandomStream stream{.seed = 0x0123456789abcdef, .purpose = RandomPurpose::kTest, .step = 7};
  static_assert(static_cast<uint32_t>(RandomPurpose::kTest) == 5);
  CHECK(stream.block(0x123456789abcdef0) ==
        philox4x32({0x9abcdef0, 0x12345678, 7, 5}, {0x89abcdef, 0x01234567}));
  for (uint64_t index = 0; index < 9; ++index) {
    CHECK(stream.word(index) == stream.block(index / 4)[index % 4]);
  }
}

TEST_CASE("Seed, step and purpose each give another stream") {
  std::set<uint32_t> words;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    for (const RandomPurpose purpose : {RandomPurpose::kInit, RandomPurpose::kSampler}) {
      for (uint32_t step = 0; step < 3; ++step) {
        words.insert(RandomStream{.seed = seed, .purpose = purpose, .step = step}.word(0));
      }
    }
  }
  CHECK(words.size() == 18);
}

TEST_CASE("uniform is in [0, 1), a multiple of 2^-24, with the right mean and spread") {
  const RandomStream stream{.seed = 42};
  constexpr uint64_t kCount = 100000;
  double sum = 0, sum_of_squares = 0;
  bool is_in_range = true, is_on_grid = true;
  for (uint64_t index = 0; index < kCount; ++index) {
    const auto value = static_cast<double>(stream.uniform(index));
    is_in_range = is_in_range && value >= 0 && value < 1;
    is_on_grid = is_on_grid && std::floor(value * 0x1p24) == value * 0x1p24;
    sum += value;
    sum_of_squares += value * value;
  }
  CHECK(is_in_range);
  CHECK(is_on_grid);
  // Four standard deviations of the mean and of the mean square.
  CHECK(std::abs(sum / kCount - 0.5) < 4 * std::sqrt(1.0 / 12 / kCount));
  CHECK(std::abs(sum_of_squares / kCount - 1.0 / 3) < 4 * std::sqrt(4.0 / 45 / kCount));
}

}  // namespace
}  // namespace mrcnn
