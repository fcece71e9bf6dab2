#include "tools/cli_main.h"

#include <doctest/doctest.h>

#include <new>
#include <stdexcept>

#include "core/error.h"

namespace mrcnn {
namespace {

int run(const std::function<int()>& body) { return run_program("test", body); }

TEST_CASE("A program ends with the exit code of its failure") {
  CHECK(run([] { return 3; }) == 3);
  CHECK(run([]() -> int { throw UsageError("odd\nflag"); }) == 2);
  CHECK(run([]() -> int { throw FileError(ExitCode::kModel, "a", "", "b"); }) == 4);
  CHECK(run([]() -> int { throw std::bad_alloc(); }) == 5);
  CHECK(run([]() -> int { throw std::logic_error("bug"); }) == 8);
}

}  // namespace
}  // namespace mrcnn
