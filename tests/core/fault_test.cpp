// Failures on order: the orders, the places in core, and what comes of them.
#include "core/fault.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/allocator.h"
#include "core/device_memory.h"
#include "core/error.h"
#include "core/io/file.h"
#include "core/primitives.h"
#include "tests/support/device.h"
#include "tests/support/faults.h"
#include "tests/support/temporary_directory.h"

namespace mrcnn::test {
namespace {

std::vector<int> errors_at(std::string_view orders, int calls) {
  const Faults faults(orders);
  std::vector<int> errors;
  for (int i = 0; i < calls; ++i) errors.push_back(fault_at({.name = "write"}).error);
  return errors;
}

void write(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.write_at(0, std::as_bytes(std::span(text)));
  file.commit();
}

std::string read(const std::string& path) {
  const FileBytes file = read_file(path, ExitCode::kData);
  const void* data = file.bytes.data();
  return {static_cast<const char*>(data), file.bytes.size()};
}

TEST_CASE("Without orders nothing fails") {
  CHECK(fault_at({.name = "write"}).kind == FaultKind::kNone);
  CHECK(errors_at("", 2) == std::vector<int>{0, 0});
  CHECK(errors_at("EIO@read:1", 2) == std::vector<int>{0, 0});
}

TEST_CASE("An order says when") {
  CHECK(errors_at("EIO@write:2", 4) == std::vector<int>{0, EIO, 0, 0});
  CHECK(errors_at("ENOSPC@write:2+", 4) == std::vector<int>{0, ENOSPC, ENOSPC, ENOSPC});
  CHECK(errors_at("EINTR@write:1+2", 4) == std::vector<int>{EINTR, 0, EINTR, 0});
  CHECK(errors_at("EIO@write:1,ENOSPC@file:3", 4) == std::vector<int>{EIO, 0, 0, ENOSPC});
  CHECK(errors_at("", 1) == std::vector<int>{0});  // nothing is left of the others
}

TEST_CASE("A place with a number of its own is not counted") {
  const Faults faults("nan@loss:17,fail@loss:20+");
  CHECK(fault_at({.name = "loss", .number = 16}).kind == FaultKind::kNone);
  CHECK(fault_at({.name = "loss", .number = 17}).kind == FaultKind::kNan);
  CHECK(fault_at({.name = "loss", .number = 18}).kind == FaultKind::kNone);
  CHECK(fault_at({.name = "loss", .number = 21}).kind == FaultKind::kError);
  CHECK(faults.fired() == 2);
}

TEST_CASE("Rejects orders that it does not understand") {
  for (const char* orders : {"write", "EIO@write", "EIO@write:", "EIO@write:0", "EIO@write:x",
                             "EIO@write:1-2", "EWHAT@write:1", "EIO@write:1,,EIO@read:1"}) {
    INFO(orders);
    CHECK_THROWS_AS(Faults{orders}, std::invalid_argument);
  }
}

TEST_CASE("Short calls and interruptions change nothing") {
  const TemporaryDirectory folder;
  const std::string text(1000, 'x');
  for (const char* orders : {"short@read:1+,short@write:1+,short@pwrite:1+", "EINTR@file:1+2"}) {
    const Faults faults(orders);
    INFO(orders);
    write(folder / "a", text);
    CHECK(read(folder / "a") == text);
    CHECK(faults.fired() > 5);
  }
}

TEST_CASE(
    "A file call that fails leaves the old file, or the whole new one, and says what failed") {
  const TemporaryDirectory folder;
  for (const char* call : {"open", "write", "pwrite", "fsync", "close", "rename"}) {
    INFO(call);
    write(folder / "a", "old");
    const Faults faults("EIO@" + std::string(call) + ":1");
    CHECK_THROWS_WITH_AS(write(folder / "a", "new"), doctest::Contains("Input/output error"),
                         FileError);
    CHECK(faults.fired() == 1);
    CHECK(read_text(folder / "a") == "old");
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  }
  for (const char* call : {"open", "fstat", "read", "alloc"}) {
    INFO(call);
    const Faults faults("fail@" + std::string(call) + ":1");
    CHECK_THROWS_AS(read(folder / "a"), FileError);
  }
}

TEST_CASE("Descriptors that ran out are a matter of resources") {
  const TemporaryDirectory folder;
  write(folder / "a", "text");
  const Faults faults("EMFILE@open:1");
  try {
    read(folder / "a");
    FAIL("read");
  } catch (const FileError& error) {
    CHECK(error.exit_code() == ExitCode::kResources);
  }
}

TEST_CASE("Memory for a tensor is refused on order") {
  const Faults faults("fail@alloc:2");
  const int64_t before = host_allocator_stats().live_bytes;
  {
    const auto first = allocate_host(100);
    CHECK_THROWS_WITH_AS(allocate_host(100), doctest::Contains("no memory for"), MemoryError);
    CHECK(allocate_host(100) != nullptr);
  }
  CHECK(host_allocator_stats().live_bytes == before);
}

TEST_CASE("CUDA memory is refused on order, and had the next time") {
  on_cuda([](Device device) {
    const int64_t before = device_memory_stats().live_bytes;
    const Faults faults("fail@cudaMalloc:1");
    CHECK_THROWS_WITH_AS(Tensor::zeros({4}, DType::kF32, device),
                         doctest::Contains("no memory for"), MemoryError);
    CHECK(device_memory_stats().live_bytes == before);
    CHECK(Tensor::zeros({4}, DType::kF32, device).numel() == 4);
    CHECK(faults.fired() == 1);
  });
}

TEST_CASE("CUDA page-locked memory is refused on order, and had the next time") {
  on_cuda([](Device device) {
    static int64_t count = int64_t{1} << 18;
    count *= 2;  // more than any copy before: what it goes through stays for the next one
    const Tensor tensor = Tensor::zeros({count}, DType::kF32, device);
    const Faults faults("fail@cudaMallocHost:1");
    CHECK_THROWS_AS(copy_to(tensor, Device{}), Error);
    CHECK(faults.fired() == 1);
    CHECK(copy_to(tensor, Device{}).numel() == count);
  });
}

}  // namespace
}  // namespace mrcnn::test
