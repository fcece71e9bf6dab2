#include "models/seeded_weights.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "core/error.h"

using namespace mrcnn;

namespace {

struct Pinned {
  std::string name;
  std::vector<int64_t> shape;
  std::array<uint32_t, 3> picked;  // bits of the first, the (n/3)-th and the last value
  uint32_t folded;                 // xor over i of bits[i] * (i + 1)
};

// Printed by tests/golden/seeded_weights.py.
const Pinned kPinned[] = {
    {"backbone.body.conv1.weight", {64, 3, 7, 7}, {0xBC82C091, 0xBDBC672F, 0x3E4E63A0}, 0x1A769692},
    {"backbone.body.layer1.0.bn1.running_var",
     {64},
     {0x3F9D6BAC, 0x3F9863BF, 0x3F7E6D54},
     0x3A783895},
    {"backbone.body.layer1.0.bn1.num_batches_tracked",
     {},
     {0x00000000, 0x00000000, 0x00000000},
     0x00000000},
    {"backbone.body.layer2.0.bn3.weight", {512}, {0x3E4B22F2, 0x3E87B83C, 0x3E43BB2A}, 0x038F8C55},
    {"backbone.fpn.inner_blocks.1.1.weight",
     {256},
     {0x3F728788, 0x3F66D479, 0x3F4027A6},
     0x8D510932},
    {"backbone.fpn.layer_blocks.2.0.weight",
     {256, 256, 3, 3},
     {0xBC91D3A1, 0x3C5E43A3, 0x3CB1E001},
     0x2A14D4D0},
    {"roi_heads.box_head.fc6.weight",
     {1024, 12544},
     {0xBBAA94E9, 0xBC8A413B, 0xBC2D1793},
     0xC595DC3E},
    {"roi_heads.box_predictor.bbox_pred.bias",
     {364},
     {0x405ED2D3, 0x405ADA68, 0x405DB267},
     0x07DB902A},
    {"roi_heads.mask_predictor.conv5_mask.weight",
     {256, 256, 2, 2},
     {0xBD1CFA2D, 0xBE0D948F, 0xBD72940A},
     0xA3B1A7CF},
    {"head.box_predictor.bbox_pred.bias", {364}, {0x3FC9F71E, 0x3FC56879, 0x3FB7E8C7}, 0x5DB80DE7},
};

}  // namespace

TEST_CASE("RejectsShapesThatNoTensorCanHave") {
  CHECK_THROWS_AS(seeded_values(1, "x.weight", std::array<int64_t, 2>{4, -1}), ShapeError);
  CHECK_THROWS_WITH_AS(seeded_values(1, "x.weight", std::array<int64_t, 2>{4, 0}),
                       doctest::Contains("0 inputs"), ShapeError);
}

TEST_CASE("MatchesGolden: every role has the bits that the Python rule gives") {
  for (const Pinned& pinned : kPinned) {
    CAPTURE(pinned.name);
    const std::vector<float> values = seeded_values(kGoldenSeed, pinned.name, pinned.shape);
    REQUIRE(!values.empty());
    CHECK(std::bit_cast<uint32_t>(values.front()) == pinned.picked[0]);
    CHECK(std::bit_cast<uint32_t>(values[values.size() / 3]) == pinned.picked[1]);
    CHECK(std::bit_cast<uint32_t>(values.back()) == pinned.picked[2]);
    uint32_t folded = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      folded ^= std::bit_cast<uint32_t>(values[i]) * static_cast<uint32_t>(i + 1);
    }
    CHECK(folded == pinned.folded);
  }
}

TEST_CASE("Values keep to their role's range and depend on seed, name and nothing else") {
  const std::array<int64_t, 4> shape{8, 3, 5, 5};
  const auto values = seeded_values(6, "a.weight", shape);
  CHECK(values == seeded_values(6, "a.weight", shape));
  CHECK(values != seeded_values(7, "a.weight", shape));
  CHECK(values != seeded_values(6, "b.weight", shape));
  const float bound = std::sqrt(2.0F * 3.0F / 75.0F);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  CHECK(*low >= -bound);
  CHECK(*high <= bound);
  CHECK(*high - *low > 1.9F * bound);

  const auto variances = seeded_values(6, "a.running_var", std::array<int64_t, 1>{1000});
  CHECK(*std::min_element(variances.begin(), variances.end()) >= 0.75F);
}

TEST_CASE("Edges: an empty shape is one value, an extent of zero is none") {
  CHECK(seeded_values(6, "a.num_batches_tracked", {}) == std::vector<float>{0.0F});
  CHECK(seeded_values(6, "a.bias", std::array<int64_t, 1>{0}).empty());
}
