#include "core/error.h"

#include <doctest/doctest.h>

namespace mrcnn {
namespace {

TEST_CASE("A file error reads path, place, problem, and leaves out a missing place") {
  const FileError located(ExitCode::kModel, "w.pth", "byte 12", "truncated");
  CHECK(std::string(located.what()) == "w.pth: byte 12: truncated");
  CHECK(located.path() == "w.pth");
  CHECK(located.exit_code() == ExitCode::kModel);
  CHECK(std::string(FileError(ExitCode::kData, "a.jpg", "", "is empty").what()) ==
        "a.jpg: is empty");
}

TEST_CASE("Each kind of error ends a program with its own exit code") {
  CHECK(ShapeError("x").exit_code() == ExitCode::kInternal);
  CHECK(DTypeError("x").exit_code() == ExitCode::kInternal);
  CHECK(DeviceError("x").exit_code() == ExitCode::kResources);
  CHECK(MemoryError("x").exit_code() == ExitCode::kResources);
  CHECK(UsageError("x").exit_code() == ExitCode::kUsage);
  CHECK(static_cast<int>(ExitCode::kUsage) == 2);
}

}  // namespace
}  // namespace mrcnn
