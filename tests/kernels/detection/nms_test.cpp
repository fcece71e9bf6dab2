#include "kernels/detection/nms.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "core/device_memory.h"
#include "core/error.h"
#include "core/graph.h"
#include "core/parallel.h"
#include "core/primitives.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/golden.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

// The definition on one image: quadratic, forward suppression, f32 arithmetic as documented.
std::vector<int32_t> plain_nms(const float* boxes, const float* scores, const int32_t* groups,
                               int64_t count, double threshold) {
  std::vector<int32_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [scores](int32_t a, int32_t b) {
    if (std::isnan(scores[a]) || std::isnan(scores[b])) {
      return !std::isnan(scores[a]) && std::isnan(scores[b]);
    }
    return scores[a] > scores[b];
  });
  const auto area = [](const float* b) { return (b[2] - b[0]) * (b[3] - b[1]); };
  std::vector<int32_t> keep;
  for (const int32_t j : order) {
    bool suppressed = false;
    for (const int32_t i : keep) {
      if (groups != nullptr && groups[i] != groups[j]) continue;
      const float* a = boxes + 4 * i;
      const float* b = boxes + 4 * j;
      const float w = std::max(0.0F, std::min(a[2], b[2]) - std::max(a[0], b[0]));
      const float h = std::max(0.0F, std::min(a[3], b[3]) - std::max(a[1], b[1]));
      const float iou = w * h / (area(a) + area(b) - w * h);
      suppressed = suppressed || double{iou} > threshold;
    }
    if (!suppressed) keep.push_back(j);
  }
  return keep;
}

std::vector<int32_t> kept(const NmsResult& result, int64_t image = 0) {
  const int32_t* row = result.keep.data<const int32_t>() + image * result.keep.size(1);
  return {row, row + result.count.data<const int32_t>()[image]};
}

// Boxes of 5..60 pixels in a field of 200: many overlaps.
Tensor crowded_boxes(int64_t images, int64_t count, uint64_t seed) {
  Tensor boxes = random_tensor({images, count, 4}, seed, 0, 1);
  for (int64_t i = 0; i < images * count; ++i) {
    float* box = boxes.data<float>() + 4 * i;
    box[0] *= 200;
    box[1] *= 200;
    box[2] = box[0] + 5 + 55 * box[2];
    box[3] = box[1] + 5 + 55 * box[3];
  }
  return boxes;
}

Tensor random_groups(int64_t images, int64_t count, int32_t num_groups) {
  const Tensor values = random_tensor({images, count}, 77, 0, num_groups);
  Tensor groups = Tensor::empty({images, count}, DType::kI32);
  for (int64_t i = 0; i < groups.numel(); ++i) {
    // Negative ids too: groups are labels, not indices.
    groups.data<int32_t>()[i] = static_cast<int32_t>(values.data<const float>()[i]) - 1;
  }
  return groups;
}

TEST_CASE("Rejects inputs that do not fit") {
  const Tensor boxes = crowded_boxes(2, 5, 1);
  const Tensor scores = random_tensor({2, 5}, 2);
  CHECK_THROWS_WITH_AS(nms(scores, scores, {}, {}), doctest::Contains("boxes must be [N,M,4]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(nms(boxes, random_tensor({2, 4}, 2), {}, {}),
                       doctest::Contains("scores must be [N,M]"), ShapeError);
  CHECK_THROWS_WITH_AS(nms(boxes, scores, scores, {}), doctest::Contains("groups must be i32"),
                       DTypeError);
  CHECK_THROWS_WITH_AS(nms(boxes, scores, {}, Tensor::from(std::vector<int32_t>{3, 6}, {2})),
                       doctest::Contains("count 6 is not in 0..5"), ShapeError);
  CHECK_THROWS_WITH_AS(nms(boxes, scores, {}, {}, {.iou_threshold = -0.1}),
                       doctest::Contains("negative"), ShapeError);
  CHECK_THROWS_WITH_AS(nms(boxes, scores, {}, {}, {.max_keep = -1}), doctest::Contains("negative"),
                       ShapeError);
}

TEST_CASE("Matches torchvision, with equal scores and groups") {
  const test::GoldenFile file("torchvision_ops.safetensors");
  const Tensor boxes = file.golden("nms/boxes").reshape({1, 400, 4});
  const Tensor scores = file.golden("nms/scores").reshape({1, 400});
  const Tensor labels = file.golden("nms/idxs");
  Tensor groups = Tensor::empty({1, 400}, DType::kI32);
  std::transform(labels.span<const int64_t>().begin(), labels.span<const int64_t>().end(),
                 groups.data<int32_t>(), [](int64_t id) { return static_cast<int32_t>(id); });
  const auto expected = [&](const std::string& name) {
    const Tensor keep = file.golden("nms/" + name);
    return std::vector<int32_t>(keep.span<const int64_t>().begin(),
                                keep.span<const int64_t>().end());
  };
  CHECK(kept(nms(boxes, scores, {}, {}, {.iou_threshold = 0.5})) == expected("keep_050"));
  CHECK(kept(nms(boxes, scores, {}, {}, {.iou_threshold = 0.7})) == expected("keep_070"));
  CHECK(kept(nms(boxes, scores, groups, {}, {.iou_threshold = 0.5})) == expected("batched_050"));
}

TEST_CASE("Matches the definition: sizes around blocks, groups, images, thresholds") {
  for (const int64_t count : {1, 2, 63, 64, 65, 257, 900}) {
    const Tensor boxes = crowded_boxes(3, count, static_cast<uint64_t>(count));
    const Tensor scores = random_tensor({3, count}, 5);
    for (const int32_t num_groups : {0, 1, 7}) {
      const Tensor groups = num_groups == 0 ? Tensor{} : random_groups(3, count, num_groups);
      for (const double threshold : {0.0, 0.3, 0.6, 1.0}) {
        const NmsResult result = nms(boxes, scores, groups, {}, {.iou_threshold = threshold});
        for (int64_t n = 0; n < 3; ++n) {
          const int32_t* group =
              groups.defined() ? groups.data<const int32_t>() + n * count : nullptr;
          CHECK(kept(result, n) == plain_nms(boxes.data<const float>() + n * count * 4,
                                             scores.data<const float>() + n * count, group, count,
                                             threshold));
        }
      }
    }
  }
}

TEST_CASE("Limits keep the best boxes; entries past the count are 0") {
  const int64_t count = 500;
  const Tensor boxes = crowded_boxes(1, count, 4);
  const Tensor scores = random_tensor({1, count}, 5);
  const Tensor groups = random_groups(1, count, 4);
  const std::vector<int32_t> all = kept(nms(boxes, scores, groups, {}));
  std::vector<int32_t> first(all.begin(), all.begin() + 20);
  const NmsResult limited = nms(boxes, scores, groups, {}, {.max_keep = 20});
  CHECK(limited.keep.shape() == Shape{1, 20});
  CHECK(kept(limited) == first);

  std::map<int32_t, int> seen;
  std::vector<int32_t> per_group;
  for (const int32_t i : all) {
    if (++seen[groups.data<const int32_t>()[i]] <= 3) per_group.push_back(i);
  }
  const NmsResult three = nms(boxes, scores, groups, {}, {.max_keep_per_group = 3});
  CHECK(kept(three) == per_group);
  CHECK(std::all_of(three.keep.data<const int32_t>() + per_group.size(),
                    three.keep.data<const int32_t>() + count, [](int32_t i) { return i == 0; }));
  CHECK(nms(boxes, scores, groups, {}, {.max_keep = 0}).keep.shape() == Shape{1, 0});
}

TEST_CASE("Boxes past an image's count take no part") {
  const Tensor boxes = crowded_boxes(2, 100, 6);
  const Tensor scores = random_tensor({2, 100}, 7);
  const Tensor count = Tensor::from(std::vector<int32_t>{0, 40}, {2});
  const NmsResult result = nms(boxes, scores, {}, count);
  CHECK(kept(result, 0).empty());
  CHECK(kept(result, 1) == plain_nms(boxes.data<const float>() + 400,
                                     scores.data<const float>() + 100, nullptr, 40, 0.5));
}

TEST_CASE("An IoU equal to the threshold suppresses nothing, compared in double") {
  // IoU 0.5 exactly, and 3/5 whose f32 quotient is above 0.6 in double.
  const Tensor half = Tensor::from(std::vector<float>{0, 0, 2, 2, 0, 0, 2, 1}, {1, 2, 4});
  const Tensor fifths = Tensor::from(std::vector<float>{0, 0, 5, 5, 0, 0, 5, 3}, {1, 2, 4});
  const Tensor scores = Tensor::from(std::vector<float>{2, 1}, {1, 2});
  CHECK(kept(nms(half, scores, {}, {}, {.iou_threshold = 0.5})).size() == 2);
  CHECK(kept(nms(fifths, scores, {}, {}, {.iou_threshold = 0.6})).size() == 1);
  CHECK(kept(nms(fifths, scores, {}, {}, {.iou_threshold = 0.6F})).size() == 2);
}

TEST_CASE("Does not depend on the number of threads") {
  const Tensor boxes = crowded_boxes(2, 2000, 8);
  const Tensor scores = random_tensor({2, 2000}, 9);
  const Tensor groups = random_groups(2, 2000, 5);
  const int threads = num_threads();
  const NmsResult many = nms(boxes, scores, groups, {});
  set_num_threads(1);
  const NmsResult one = nms(boxes, scores, groups, {});
  set_num_threads(threads);
  CHECK(kept(many, 0) == kept(one, 0));
  CHECK(kept(many, 1) == kept(one, 1));
}

TEST_CASE("Edges: nothing, equal boxes, no area, NaN and infinity") {
  CHECK(nms(Tensor::empty({2, 0, 4}), Tensor::empty({2, 0}), {}, {}).keep.shape() == Shape{2, 0});
  CHECK(nms(Tensor::empty({0, 3, 4}), Tensor::empty({0, 3}), {}, {}).count.shape() == Shape{0});

  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor boxes = Tensor::from(
      std::vector<float>{0, 0, 4,   4, 0, 0, 4, 4, 2, 2, 2,         2,         2,        2,
                         2, 2, nan, 0, 4, 4, 0, 0, 4, 4, -infinity, -infinity, infinity, infinity},
      {1, 7, 4});
  const Tensor scores = Tensor::from(std::vector<float>{1, 1, 5, 4, 3, nan, nan}, {1, 7});
  const std::vector<int32_t> expected =
      plain_nms(boxes.data<const float>(), scores.data<const float>(), nullptr, 7, 0.5);
  CHECK(kept(nms(boxes, scores, {}, {})) == expected);
  // The empty boxes, the NaN box, the first of the equal ones, the infinite box.
  CHECK(expected == std::vector<int32_t>{2, 3, 4, 0, 6});
}

void check_on_device(Device device, const Tensor& boxes, const Tensor& scores, const Tensor& groups,
                     const Tensor& count, const NmsParams& params) {
  CAPTURE(boxes.shape().to_string());
  const auto moved = [device](const Tensor& tensor) {
    return tensor.defined() ? copy_to(tensor, device) : Tensor{};
  };
  const NmsResult actual = nms(moved(boxes), moved(scores), moved(groups), moved(count), params);
  const NmsResult expected = nms(boxes, scores, groups, count, params);
  CHECK(test::count_different_bits(actual.keep, expected.keep) == 0);
  CHECK(test::count_different_bits(actual.count, expected.count) == 0);
}

// Scores of few values, so that many are equal.
Tensor coarse_scores(int64_t images, int64_t count, uint64_t seed) {
  Tensor scores = random_tensor({images, count}, seed, 0, 20);
  for (float& score : scores.span<float>()) score = std::round(score);
  return scores;
}

TEST_CASE("CUDA matches the CPU at warp and block edges, with and without groups") {
  test::on_cuda([](Device device) {
    for (const int64_t count : {0, 1, 31, 32, 33, 63, 64, 65, 257}) {
      const Tensor boxes = crowded_boxes(2, count, static_cast<uint64_t>(count));
      const Tensor scores = coarse_scores(2, count, 5);
      check_on_device(device, boxes, scores, {}, {}, {.iou_threshold = 0.3});
      check_on_device(device, boxes, scores, random_groups(2, count, 4), {},
                      {.iou_threshold = 0.6});
    }
    check_on_device(device, crowded_boxes(0, 3, 1), random_tensor({0, 3}, 2), {}, {}, {});
  });
}

TEST_CASE("CUDA matches the CPU: more groups than blocks, groups larger than promised") {
  test::on_cuda([](Device device) {
    const Tensor boxes = crowded_boxes(1, 300, 1);
    const Tensor scores = random_tensor({1, 300}, 2);
    check_on_device(device, boxes, scores, random_groups(1, 300, 250), {}, {.max_group_size = 32});
    // Some groups of this have a mask, others are larger than it.
    check_on_device(device, boxes, scores, random_groups(1, 300, 9), {}, {.max_group_size = 32});
    check_on_device(device, boxes, scores, {}, {}, {.iou_threshold = 0.3, .max_group_size = 64});
  });
}

TEST_CASE("CUDA matches the CPU: one group larger than a block") {
  test::on_cuda([](Device device) {
    const Tensor boxes = crowded_boxes(1, 1100, 1);
    check_on_device(device, boxes, random_tensor({1, 1100}, 2), {}, {}, {.iou_threshold = 0.8});
  });
}

TEST_CASE("CUDA matches the CPU: images larger than shared memory") {
  test::on_cuda([](Device device) {
    const int64_t size = 8200;
    const Tensor boxes = crowded_boxes(2, size, 1);
    const Tensor scores = random_tensor({2, size}, 2);
    const Tensor count = Tensor::from(std::vector<int32_t>{300, 45}, {2});
    check_on_device(device, boxes, scores, random_groups(2, size, 5), count,
                    {.max_keep = 50, .max_group_size = 64});
  });
}

TEST_CASE("CUDA keeps to the limits, and takes any count") {
  test::on_cuda([](Device device) {
    const int64_t size = 120;
    const Tensor boxes = crowded_boxes(3, size, 4);
    const Tensor scores = coarse_scores(3, size, 5);
    const Tensor groups = random_groups(3, size, 3);
    for (const int64_t most : {0, 1, 20}) {
      check_on_device(device, boxes, scores, groups, {}, {.max_keep = most});
      check_on_device(device, boxes, scores, groups, {}, {.max_keep_per_group = most});
      check_on_device(device, boxes, scores, groups, {},
                      {.max_keep_per_group = most, .max_group_size = 32});
    }
    const Tensor count = Tensor::from(std::vector<int32_t>{0, 33, 120}, {3});
    check_on_device(device, boxes, scores, groups, count, {.max_keep = 30});
    // On a GPU nobody reads the counts in advance.
    const Tensor wild = Tensor::from(std::vector<int32_t>{-5, 33, 100000}, {3});
    const NmsResult actual = nms(copy_to(boxes, device), copy_to(scores, device),
                                 copy_to(groups, device), copy_to(wild, device));
    const NmsResult expected = nms(boxes, scores, groups, count);
    CHECK(test::count_different_bits(actual.keep, expected.keep) == 0);
    CHECK(test::count_different_bits(actual.count, expected.count) == 0);
  });
}

TEST_CASE("CUDA treats NaN, infinity, empty boxes and exact thresholds as the CPU") {
  test::on_cuda([](Device device) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> odd = {
        0, 0, 4, 4, 0, 0, 4,         4,         2,        2,        2, 2, 2, 2, 2, 2,   nan, 0,
        4, 4, 0, 0, 4, 4, -infinity, -infinity, infinity, infinity, 4, 4, 0, 0, 1, nan, 3,   3};
    const Tensor boxes = Tensor::from(odd, {1, 9, 4});
    const Tensor scores =
        Tensor::from(std::vector<float>{1, 1, 5, 4, 3, nan, nan, -0.0F, 0.0F}, {1, 9});
    for (const double threshold : {0.0, 0.5, 1.0, 1e300}) {
      for (const int64_t promise : {1, 9}) {
        check_on_device(device, boxes, scores, {}, {},
                        {.iou_threshold = threshold, .max_group_size = promise});
      }
    }
    const Tensor fifths = Tensor::from(std::vector<float>{0, 0, 5, 5, 0, 0, 5, 3}, {1, 2, 4});
    const Tensor two = Tensor::from(std::vector<float>{2, 1}, {1, 2});
    check_on_device(device, fifths, two, {}, {}, {.iou_threshold = 0.6});
    check_on_device(device, fifths, two, {}, {}, {.iou_threshold = 0.6F});
  });
}

TEST_CASE("CUDA: a captured graph works on what its inputs hold when it is replayed") {
  test::on_cuda([](Device device) {
    const Tensor boxes = crowded_boxes(2, 100, 1);
    const Tensor others = crowded_boxes(2, 100, 2);
    const Tensor scores = random_tensor({2, 100}, 3);
    const Tensor groups = random_groups(2, 100, 3);
    const Tensor device_boxes = copy_to(boxes, device);
    const Tensor device_scores = copy_to(scores, device);
    const Tensor device_groups = copy_to(groups, device);
    MemoryArena arena(device);
    CapturedGraph graph(device, arena);
    const NmsResult actual =
        graph.capture([&] { return nms(device_boxes, device_scores, device_groups, {}); });
    CHECK(graph.num_nodes() == 4);
    upload_bytes(device_boxes.raw(), device, others.raw(), others.bytes());
    graph.replay();
    const NmsResult expected = nms(others, scores, groups, {});
    CHECK(test::count_different_bits(actual.keep, expected.keep) == 0);
    CHECK(test::count_different_bits(actual.count, expected.count) == 0);
  });
}

}  // namespace
}  // namespace mrcnn
