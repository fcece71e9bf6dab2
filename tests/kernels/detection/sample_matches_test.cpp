#include "kernels/detection/sample_matches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/primitives.h"
#include "kernels/detection/match_boxes.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

constexpr RandomStream kStream{.seed = 11, .purpose = RandomPurpose::kRpnSampler, .step = 5};

// Labels of which about `positive` and `ignored` are the shares; the rest is background.
Tensor random_labels(const Shape& shape, uint64_t seed, float positive, float ignored) {
  const Tensor numbers = test::random_tensor(shape, seed, 0, 1);
  const Tensor labels = Tensor::empty(shape, DType::kI32);
  for (int64_t i = 0; i < labels.numel(); ++i) {
    const float number = numbers.data<const float>()[i];
    labels.data<int32_t>()[i] = number < positive             ? static_cast<int32_t>(i % 7)
                                : number < positive + ignored ? kIgnored
                                                              : kBackground;
  }
  return labels;
}

std::vector<int32_t> values(const Tensor& tensor) {
  const auto span = tensor.span<const int32_t>();
  return {span.begin(), span.end()};
}

// The rule as it is written: all members sorted by (key, t), the first ones taken.
std::vector<int32_t> plain_choice(const std::vector<int32_t>& labels, bool positive, size_t most,
                                  const RandomStream& stream, uint64_t image) {
  std::vector<std::pair<uint32_t, int32_t>> keys;
  for (size_t t = 0; t < labels.size(); ++t) {
    if (positive ? labels[t] >= 0 : labels[t] == kBackground) {
      keys.emplace_back(stream.word((image << 32) + t), static_cast<int32_t>(t));
    }
  }
  std::sort(keys.begin(), keys.end());
  keys.resize(std::min(most, keys.size()));
  std::vector<int32_t> chosen;
  for (const auto& [key, t] : keys) chosen.push_back(t);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

void check_choice(const SampledMatches& samples, const Tensor& matched, const SampleParams& params,
                  int64_t first_image) {
  const int64_t images = matched.size(0);
  REQUIRE(samples.indices.shape() == Shape{images, params.num_samples});
  for (int64_t n = 0; n < images; ++n) {
    const std::vector<int32_t> labels = values(matched.slice(n, n + 1));
    const auto image = static_cast<uint64_t>(first_image + n);
    const auto size = static_cast<size_t>(params.num_samples);
    const auto most = static_cast<size_t>(static_cast<double>(size) * params.positive_fraction);
    std::vector<int32_t> expected = plain_choice(labels, true, most, kStream, image);
    const size_t positives = expected.size();
    const std::vector<int32_t> negatives =
        plain_choice(labels, false, size - positives, kStream, image);
    expected.insert(expected.end(), negatives.begin(), negatives.end());
    expected.resize(size, -1);
    CHECK(values(samples.indices.slice(n, n + 1)) == expected);
    CHECK(samples.num_positive.data<const int32_t>()[n] == static_cast<int32_t>(positives));
    CHECK(samples.num_negative.data<const int32_t>()[n] == static_cast<int32_t>(negatives.size()));
  }
}

TEST_CASE("Rejects inputs that do not fit") {
  const Tensor matched = random_labels({2, 9}, 1, 0.3F, 0);
  CHECK_THROWS_WITH_AS(sample_matches(random_labels({9}, 1, 0, 0), {}, kStream),
                       doctest::Contains("matched must be [N,T]"), ShapeError);
  CHECK_THROWS_WITH_AS(sample_matches(Tensor::zeros({2, 9}), {}, kStream),
                       doctest::Contains("matched must be i32"), DTypeError);
  CHECK_THROWS_WITH_AS(sample_matches(matched, {.num_samples = 0}, kStream),
                       doctest::Contains("num_samples 0 must be positive"), ShapeError);
  CHECK_THROWS_WITH_AS(sample_matches(matched, {.positive_fraction = 1.5}, kStream),
                       doctest::Contains("positive_fraction 1.5 in 0..1"), ShapeError);
  CHECK_THROWS_WITH_AS(sample_matches(matched, {}, kStream, -1),
                       doctest::Contains("first_image -1"), ShapeError);
}

TEST_CASE("Takes the smallest keys of each side, ascending by index") {
  for (const int64_t boxes : {1, 5, 300, 20001}) {
    for (const float positive : {0.0F, 0.002F, 0.5F, 1.0F}) {
      CAPTURE(boxes);
      CAPTURE(positive);
      const Tensor matched = random_labels({3, boxes}, 2, positive, 0.1F);
      for (const SampleParams& params :
           {SampleParams{.num_samples = 256},
            SampleParams{.num_samples = 100, .positive_fraction = 0.255},
            SampleParams{.num_samples = 1}}) {
        check_choice(sample_matches(matched, params, kStream, 6), matched, params, 6);
      }
    }
  }
}

TEST_CASE("An image's choice does not depend on the rest of the batch") {
  const Tensor matched = random_labels({4, 3000}, 3, 0.2F, 0.2F);
  const SampledMatches all = sample_matches(matched, {}, kStream, 10);
  for (int64_t n = 0; n < 4; ++n) {
    const SampledMatches one = sample_matches(matched.slice(n, n + 1), {}, kStream, 10 + n);
    CHECK(values(one.indices) == values(all.indices.slice(n, n + 1)));
  }
}

TEST_CASE("Every box is chosen about equally often") {
  const Tensor matched = random_labels({1, 100}, 4, 0, 0);
  std::vector<int> chosen(100, 0);
  constexpr int kSteps = 2000;
  for (uint32_t step = 0; step < kSteps; ++step) {
    RandomStream stream = kStream;
    stream.step = step;
    for (const int32_t t : values(sample_matches(matched, {.num_samples = 25}, stream).indices)) {
      ++chosen[static_cast<size_t>(t)];
    }
  }
  // 500 on average, standard deviation 19.4.
  for (const int count : chosen) CHECK(std::abs(count - 500) < 5 * 20);
}

TEST_CASE("Edges: no images, no boxes") {
  CHECK(sample_matches(Tensor::empty({0, 5}, DType::kI32), {}, kStream).indices.shape() ==
        Shape{0, 256});
  const SampledMatches none =
      sample_matches(Tensor::empty({2, 0}, DType::kI32), {.num_samples = 3}, kStream);
  CHECK(values(none.indices) == std::vector<int32_t>(6, -1));
  CHECK(values(none.num_positive) == std::vector<int32_t>{0, 0});
}

TEST_CASE("CUDA makes the CPU's choice around block edges") {
  test::on_cuda(
      [](Device device) {
        const auto check = [&](const Tensor& matched, const SampleParams& params) {
          const SampledMatches expected = sample_matches(matched, params, kStream, 3);
          const SampledMatches samples =
              sample_matches(copy_to(matched, device), params, kStream, 3);
          CHECK(test::count_different_bits(samples.indices, expected.indices) == 0);
          CHECK(test::count_different_bits(samples.num_positive, expected.num_positive) == 0);
          CHECK(test::count_different_bits(samples.num_negative, expected.num_negative) == 0);
        };
        for (const int64_t boxes : {0, 1, 33, 4097}) {
          CAPTURE(boxes);
          check(random_labels({2, boxes}, 5, 0.3F, 0.1F), {.num_samples = 40});
        }
        check(random_labels({1, 600}, 6, 0.001F, 0), {.num_samples = 64});
        check(random_labels({1, 600}, 7, 1.0F, 0), {.num_samples = 64, .positive_fraction = 1});
        check(random_labels({1, 600}, 8, 0.5F, 0), {.num_samples = 9, .positive_fraction = 0});
      },
      4);
}

}  // namespace
}  // namespace mrcnn
