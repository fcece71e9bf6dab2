#include "layers/init.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/error.h"
#include "core/parallel.h"
#include "layers/state_dict.h"

namespace mrcnn {
namespace {

Parameter make_parameter(std::vector<int64_t> file_shape, FileLayout layout = FileLayout::kPlain) {
  Parameter parameter;
  parameter.file_shape = std::move(file_shape);
  parameter.layout = layout;
  return parameter;
}

Parameter make_counter() {
  Parameter parameter;
  parameter.dtype = DType::kI64;
  return parameter;
}

Parameter conv_weight(int64_t out, int64_t in, int64_t kernel) {
  return make_parameter({out, in, kernel, kernel}, FileLayout::kConv);
}

std::vector<float> file_values(const Parameter& parameter) {
  const auto span = to_file_order(parameter).span<const float>();
  return {span.begin(), span.end()};
}

struct Moments {
  double mean = 0;
  double deviation = 0;
  double kurtosis = 0;  // 3 for a normal distribution, 1.8 for a uniform one
  double largest = 0;   // absolute value
};

Moments moments(const Parameter& parameter) {
  Moments m;
  const auto values = parameter.value.span<const float>();
  const auto count = static_cast<double>(values.size());
  for (const float v : values) m.mean += static_cast<double>(v) / count;
  double fourth = 0;
  for (const float v : values) {
    const double d = static_cast<double>(v) - m.mean;
    m.deviation += d * d / count;
    fourth += d * d * d * d / count;
    m.largest = std::max(m.largest, std::abs(static_cast<double>(v)));
  }
  m.kurtosis = fourth / (m.deviation * m.deviation);
  m.deviation = std::sqrt(m.deviation);
  return m;
}

TEST_CASE("Rejects weights without a fan and types without fractions") {
  Parameter vector = make_parameter({4});
  CHECK_THROWS_WITH_AS(init_kaiming_normal(vector, {1, "a"}), doctest::Contains("two extents"),
                       ShapeError);
  Parameter hollow = make_parameter({4, 0, 3, 3});
  CHECK_THROWS_WITH_AS(init_default_weight(hollow, {1, "a"}), doctest::Contains("[4,0,3,3]"),
                       ShapeError);
  Parameter counter = make_counter();
  CHECK_THROWS_WITH_AS(init_normal(counter, {1, "a.num"}, 1), doctest::Contains("'a.num' is i64"),
                       DTypeError);
  CHECK_THROWS_AS(init_constant(counter, 0.5), UsageError);
}

TEST_CASE("Constants fill any type") {
  Parameter weight = conv_weight(2, 3, 3);
  init_constant(weight, 1);
  REQUIRE(weight.value.shape() == Shape{2, 3, 3, 3});
  CHECK(std::ranges::all_of(weight.value.span<const float>(), [](float v) { return v == 1; }));
  Parameter counter = make_counter();
  init_constant(counter, 0);
  CHECK(counter.value.data<const int64_t>()[0] == 0);
}

// 295k elements: the mean is off by deviation / 540 or 1.8e-3 of it, the deviation by 1.3e-3.
TEST_CASE("Normal values have the moments asked for") {
  Parameter weight = conv_weight(128, 256, 3);
  init_normal(weight, {1, "rpn.head.conv.weight"}, 0.01);
  const Moments m = moments(weight);
  CHECK(std::abs(m.mean) < 0.01 * 0.008);
  CHECK(m.deviation == doctest::Approx(0.01).epsilon(0.006));
  CHECK(m.kurtosis == doctest::Approx(3).epsilon(0.03));
  CHECK(m.largest > 0.04);
  CHECK(m.largest < 0.067);  // sqrt(2 ln 2^32) deviations
}

TEST_CASE("Uniform values fill their bound and keep to it") {
  Parameter weight = make_parameter({256, 1024});
  init_uniform(weight, {1, "a"}, 0.25);
  const Moments m = moments(weight);
  CHECK(std::abs(m.mean) < 0.25 * 0.005);
  CHECK(m.deviation == doctest::Approx(0.25 / std::sqrt(3)).epsilon(0.005));
  CHECK(m.kurtosis == doctest::Approx(1.8).epsilon(0.02));
  CHECK(m.largest <= 0.25);
  CHECK(m.largest > 0.2499);
}

// The bounds and deviations that the original system's modules were measured to have.
TEST_CASE("The named rules have the original system's ranges") {
  const auto largest = [](const std::function<void(Parameter&)>& init, Parameter parameter) {
    init(parameter);
    return moments(parameter).largest;
  };
  const auto deviation = [](Parameter parameter) {
    init_kaiming_normal(parameter, {3, "mask"});
    return moments(parameter).deviation;
  };
  const auto kaiming = [](Parameter& p) { init_kaiming_uniform(p, {3, "fpn"}); };
  const auto linear = [](Parameter& p) { init_default_weight(p, {3, "fc"}); };
  CHECK(largest(kaiming, conv_weight(256, 2048, 1)) == doctest::Approx(0.038273).epsilon(2e-4));
  CHECK(largest(kaiming, conv_weight(256, 256, 3)) == doctest::Approx(0.036084).epsilon(2e-4));
  CHECK(largest(linear, make_parameter({16, 12544})) == doctest::Approx(0.0089286).epsilon(2e-4));
  CHECK(largest(linear, make_parameter({364, 1024})) == doctest::Approx(0.03125).epsilon(2e-4));
  CHECK(deviation(conv_weight(256, 256, 3)) == doctest::Approx(0.029463).epsilon(0.005));
  CHECK(deviation(make_parameter({256, 256, 2, 2}, FileLayout::kConvTranspose)) ==
        doctest::Approx(0.044194).epsilon(0.005));
  CHECK(deviation(conv_weight(91, 256, 1)) == doctest::Approx(0.148250).epsilon(0.02));

  const auto bias_of = [&](const Parameter& weight) {
    return largest(
        [&](Parameter& p) {
          init_default_bias(p, weight, {3, "b"});
        },
        make_parameter({20000}));
  };
  CHECK(bias_of(conv_weight(256, 256, 3)) == doctest::Approx(0.020833).epsilon(2e-3));
  CHECK(bias_of(make_parameter({256, 256, 2, 2}, FileLayout::kConvTranspose)) ==
        doctest::Approx(0.03125).epsilon(2e-3));
  CHECK(bias_of(conv_weight(91, 256, 1)) == doctest::Approx(0.0625).epsilon(2e-3));
}

TEST_CASE("Fans are torch's, of the file shape") {
  const Parameter weight = make_parameter({6, 5, 2, 3}, FileLayout::kConvTranspose);
  CHECK(fan_in(weight) == 30);
  CHECK(fan_out(weight) == 36);
  CHECK(fan_in(make_parameter({7, 4})) == 4);
  CHECK(fan_out(make_parameter({7, 4})) == 7);
}

TEST_CASE("Values depend on seed, name and element, not on threads or on the number of them") {
  const auto values = [](const InitKey& key, int64_t count) {
    Parameter parameter = make_parameter({count});
    init_normal(parameter, key, 1);
    return file_values(parameter);
  };
  const std::vector<float> longer = values({7, "a.weight"}, 100001);
  std::vector<float> shorter = values({7, "a.weight"}, 33);
  CHECK(std::equal(shorter.begin(), shorter.end(), longer.begin()));
  CHECK(values({8, "a.weight"}, 33) != shorter);
  CHECK(values({7, "b.weight"}, 33) != shorter);
  const int threads = num_threads();
  set_num_threads(threads == 1 ? 3 : 1);
  CHECK(values({7, "a.weight"}, 100001) == longer);
  set_num_threads(threads);
}

TEST_CASE("File order decides, whatever the layout in memory") {
  const InitKey key{5, "x.weight"};
  Parameter plain = make_parameter({4, 6, 3, 3});
  init_kaiming_uniform(plain, key);
  for (const FileLayout layout : {FileLayout::kConv, FileLayout::kConvTranspose}) {
    Parameter weight = make_parameter({4, 6, 3, 3}, layout);
    init_kaiming_uniform(weight, key);
    CHECK(file_values(weight) == file_values(plain));
    CHECK(weight.value.shape() != plain.value.shape());
  }
  Parameter flat = make_parameter({4, 24});
  init_default_weight(flat, key);
  Parameter linear = make_parameter({4, 24}, FileLayout::kFlattenedLinear);
  linear.positions = 4;
  init_default_weight(linear, key);
  CHECK(file_values(linear) == file_values(flat));
  CHECK(linear.value.data<const float>()[1] == flat.value.data<const float>()[4]);
}

// From the header's formulas in Python, seed 42. Libraries of mathematics differ in the last unit
// of f64, which may move the rounding to f32 by one unit.
TEST_CASE("Matches the formulas computed elsewhere") {
  const InitKey key{42, "rpn.head.conv.weight"};
  Parameter parameter = make_parameter({4});
  init_uniform(parameter, key, 0.5);
  CHECK(file_values(parameter) ==
        std::vector<float>{-0.170956224F, -0.499999315F, 0.453184724F, -0.0275575332F});
  init_normal(parameter, key, 0.01);
  const std::vector<float> values = file_values(parameter);
  const std::vector<float> expected{0.0149101606F, -0.0030503578F, 0.00428757351F, -0.0171648879F};
  for (size_t i = 0; i < 4; ++i) {
    CHECK(std::abs(values[i] - expected[i]) <= 1.2e-7F * std::abs(expected[i]));
  }
}

}  // namespace
}  // namespace mrcnn
