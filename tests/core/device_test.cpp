#include "core/device.h"

#include <doctest/doctest.h>

#include <string>

#include "core/cuda/probe.h"
#include "core/error.h"

namespace mrcnn {
namespace {

TEST_CASE("Rejects words that are no device") {
  for (const std::string text : {"", "gpu", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:x", "cuda:1x",
                                 "cuda:99999999999", " cpu"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(choose_device(text),
                         doctest::Contains("use auto, cpu, cuda or cuda:<index>"), UsageError);
  }
}

TEST_CASE("Rejects a GPU that cannot be used, and says what to do") {
  const size_t count = cuda_devices().names.size();
  const std::string absent = "cuda:" + std::to_string(count);
  CHECK_THROWS_WITH_AS(choose_device(absent), doctest::Contains("use --device cpu or auto"),
                       DeviceError);
  CHECK_THROWS_WITH_AS(choose_device(absent), doctest::Contains(("'" + absent + "'").c_str()),
                       DeviceError);
  if (count == 0) CHECK_THROWS_AS(choose_device("cuda"), DeviceError);
}

TEST_CASE("cpu gives the CPU, auto a GPU that is not emulated or the CPU, with a reason") {
  CHECK(choose_device("cpu").device == Device{});
  const DeviceChoice choice = choose_device("auto");
  const CudaDevices& devices = cuda_devices();
  CHECK(choice.device.is_cuda() == (!devices.names.empty() && !devices.emulated));
  CHECK_FALSE(choice.reason.empty());
}

TEST_CASE("Devices print as they are written on the command line") {
  CHECK(Device{}.to_string() == "cpu");
  const Device gpu{.kind = DeviceKind::kCuda, .index = 2};
  CHECK(gpu.to_string() == "cuda:2");
  CHECK(gpu.is_cuda());
  CHECK(gpu != Device{.kind = DeviceKind::kCuda, .index = 0});
}

}  // namespace
}  // namespace mrcnn
