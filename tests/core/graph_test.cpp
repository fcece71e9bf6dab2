// Memory, copies and graphs of a GPU.
#include "core/graph.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/primitives.h"
#include "core/stream.h"
#include "tests/support/device.h"
#include "tests/support/random_tensor.h"

namespace mrcnn {
namespace {

using test::random_tensor;

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

TEST_CASE("CUDA: tensors go to the device and back unchanged") {
  test::on_cuda([](Device device) {
    for (const int64_t size : {0, 1, 1000, (16 << 20) / 4 + 3}) {  // the last is two pieces
      const Tensor host = random_tensor({size}, 1);
      Tensor there;
      {
        const Tensor copy = host.clone();
        there = copy_to(copy, device);
        std::memset(copy.raw(), 0, static_cast<size_t>(copy.bytes()));  // it may change at once
      }
      CHECK(there.device() == device);
      CHECK(same(copy_to(there, Device{}), host));
    }
    CHECK_THROWS_WITH_AS(Tensor::empty({3}, DType::kF32, device).data<float>(),
                         doctest::Contains("not on the CPU"), DeviceError);
  });
}

TEST_CASE("CUDA: several tensors come back with one wait") {
  test::on_cuda([](Device device) {
    const std::vector<Tensor> host{random_tensor({7}, 1), random_tensor({3, 5}, 2), Tensor{},
                                   Tensor::empty({0, 4})};
    std::vector<Tensor> there;
    for (const Tensor& tensor : host) there.push_back(copy_to(tensor, device));
    const int64_t before = device_counters().syncs;
    const std::vector<Tensor> back = download(there);
    CHECK(device_counters().syncs - before == 1);
    CHECK(same(back[0], host[0]));
    CHECK(same(back[1], host[1]));
    CHECK_FALSE(back[2].defined());
    CHECK(back[3].shape() == Shape{0, 4});
  });
}

TEST_CASE("CUDA: memory is counted and given back") {
  test::on_cuda([](Device device) {
    const int64_t before = device_memory_stats().live_bytes;
    {
      const Tensor tensor = Tensor::zeros({1000}, DType::kF32, device);
      CHECK(device_memory_stats().live_bytes >= before + 4000);
      CHECK(same(copy_to(tensor, Device{}), Tensor::zeros({1000})));
    }
    CHECK(device_memory_stats().live_bytes == before);
  });
}

TEST_CASE("CUDA: a replayed graph computes with what lies in its input") {
  test::on_cuda([](Device device) {
    MemoryArena arena(device);
    CapturedGraph graph(device, arena);
    const Tensor input = copy_to(random_tensor({33}, 1), device);
    const Tensor output = graph.capture([&] {
      const Tensor sum = input.clone();
      accumulate_(sum, input);  // the intermediate block is the arena's
      return sum.clone();
    });
    CHECK(graph.num_nodes() == 3);
    CHECK(arena.bytes() > 0);
    for (const uint64_t seed : {2, 3}) {
      const Tensor values = random_tensor({33}, seed);
      copy_(input, copy_to(values, device));
      graph.replay();
      const Tensor twice = values.clone();
      accumulate_(twice, values);
      CHECK(same(copy_to(output, Device{}), twice));
    }
  });
}

TEST_CASE("CUDA: waiting for the device inside a capture is an error, and not the end") {
  test::on_cuda([](Device device) {
    MemoryArena arena(device);
    CapturedGraph graph(device, arena);
    const Tensor input = copy_to(random_tensor({5}, 1), device);
    bool warm = true;
    CHECK_THROWS_AS(graph.capture([&] {
      if (!warm) synchronize(device);
      warm = false;
      return input.clone();
    }),
                    CudaError);
    CHECK_THROWS_WITH_AS(graph.replay(), doctest::Contains("nothing was captured"), CudaError);
    CHECK(same(copy_to(input, Device{}), random_tensor({5}, 1)));
  });
}

}  // namespace
}  // namespace mrcnn
