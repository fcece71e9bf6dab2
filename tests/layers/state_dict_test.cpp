#include "layers/state_dict.h"

#include <doctest/doctest.h>

#include <cstring>
#include <numeric>

#include "core/error.h"
#include "layers/containers.h"
#include "layers/conv2d.h"
#include "layers/linear.h"
#include "layers/norm.h"

using namespace mrcnn;

namespace {

template <typename T>
class ArchiveBuilder {
 public:
  void add(const std::string& name, FileDType dtype, const std::vector<int64_t>& shape,
           std::vector<T> values) {
    auto owner = std::make_shared<std::vector<T>>(std::move(values));
    archive.owners.push_back(owner);
    archive.tensors.push_back(
        {.name = name, .dtype = dtype, .shape = shape, .bytes = std::as_bytes(std::span(*owner))});
  }
  TensorArchive archive;
};

std::vector<float> counting(int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

}  // namespace

TEST_CASE("Parameters are listed with full names in the reference's order") {
  Container root("Net");
  root.add<Conv2d>("conv", 3, 4, Conv2dOptions{.kernel = 3, .bias = true});
  root.add<Container>("tail").add<BatchNorm2d>("", 4, NormKind::kBatch, 1e-5);
  std::vector<std::string> names;
  for (const ParameterInfo& info : parameter_list(root)) names.push_back(info.name);
  CHECK(names == std::vector<std::string>{"conv.weight", "conv.bias", "tail.0.weight",
                                          "tail.0.bias", "tail.0.running_mean",
                                          "tail.0.running_var", "tail.0.num_batches_tracked"});
}

TEST_CASE("Loading reports everything that does not fit at once") {
  Container root("Net");
  root.add<Conv2d>("a", 2, 2, Conv2dOptions{});
  root.add<Conv2d>("b", 2, 2, Conv2dOptions{});
  ArchiveBuilder<float> file;
  file.add("a.weight", FileDType::kF32, {2, 2, 1, 1}, counting(4));
  file.add("a.bias", FileDType::kF32, {3}, counting(3));
  file.add("c.weight", FileDType::kF32, {1}, counting(1));
  const LoadReport report = load_parameters(root, file.archive);
  CHECK(report.matched == 1);
  CHECK(report.missing == std::vector<std::string>{"b.weight", "b.bias"});
  CHECK(report.misshaped == std::vector<std::string>{"a.bias: file [3], model [2]"});
  CHECK(report.unexpected == std::vector<std::string>{"c.weight"});
  CHECK_FALSE(report.complete());
  CHECK(report.to_string(1).find("... and 1 more") != std::string::npos);
}

TEST_CASE("A file without the counters of batch normalisation is complete") {
  Container root("Net");
  root.add<BatchNorm2d>("bn", 1, NormKind::kBatch, 1e-5);
  ArchiveBuilder<float> file;
  for (const char* name : {"bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"}) {
    file.add(name, FileDType::kF32, {1}, {1.0F});
  }
  CHECK(load_parameters(root, file.archive).complete());
}

TEST_CASE("Weights go to channels last and back to the same bytes") {
  Container root("Net");
  root.add<Conv2d>("conv", 3, 2, Conv2dOptions{.kernel = 3, .bias = false});
  root.add<ConvTranspose2d>("up", 3, 2, 2);
  root.add<Linear>("fc", 8, 2, 4);  // 2 channels x 4 positions
  ArchiveBuilder<float> file;
  file.add("conv.weight", FileDType::kF32, {2, 3, 3, 3}, counting(54));
  file.add("up.weight", FileDType::kF32, {3, 2, 2, 2}, counting(24));
  file.add("up.bias", FileDType::kF32, {2}, counting(2));
  file.add("fc.weight", FileDType::kF32, {2, 8}, counting(16));
  file.add("fc.bias", FileDType::kF32, {2}, counting(2));
  REQUIRE(load_parameters(root, file.archive).complete());
  root.visit_parameters([&](const std::string& name, const Parameter& parameter) {
    CAPTURE(name);
    const FileTensor* source = file.archive.find(name);
    const Tensor back = to_file_order(parameter);
    REQUIRE(back.bytes() == static_cast<int64_t>(source->bytes.size()));
    CHECK(std::memcmp(back.raw(), source->bytes.data(), source->bytes.size()) == 0);
    if (name == "conv.weight") {
      CHECK(parameter.value.shape() == Shape{2, 3, 3, 3});
      CHECK(parameter.value.data<const float>()[1] == 9.0F);  // channel 1 of the first tap
    }
    if (name == "fc.weight") CHECK(parameter.value.data<const float>()[1] == 4.0F);
  });
}

TEST_CASE("Half and bfloat16 values convert exactly, integers where floats belong are refused") {
  Container root("Net");
  root.add<BatchNorm2d>("bn", 4, NormKind::kFrozen, 1e-5);
  ArchiveBuilder<uint16_t> file;
  const std::vector<uint16_t> half{0x3C00, 0xC000, 0x0001, 0x7BFF};  // 1, -2, 2^-24, 65504
  file.add("bn.weight", FileDType::kF16, {4}, half);
  file.add("bn.bias", FileDType::kBF16, {4}, {0x3F80, 0xC000, 0x0000, 0x4049});
  load_parameters(root, file.archive);
  root.visit_parameters([](const std::string& name, const Parameter& parameter) {
    if (name == "bn.weight") {
      const float* v = parameter.value.data<const float>();
      CHECK(std::vector<float>(v, v + 4) == std::vector<float>{1.0F, -2.0F, 0x1p-24F, 65504.0F});
    }
    if (name == "bn.bias") CHECK(parameter.value.data<const float>()[3] == 3.140625F);
  });
  ArchiveBuilder<uint16_t> wrong;
  wrong.add("bn.weight", FileDType::kU16, {4}, half);
  CHECK_THROWS_WITH_AS(load_parameters(root, wrong.archive), doctest::Contains("U16"), DTypeError);
}
