#include "tools/trainer/save_retries.h"

#include <doctest/doctest.h>

#include "core/error.h"

namespace mrcnn {
namespace {

void fail() { throw FileError(ExitCode::kResources, "x", "", "no room"); }
void succeed() {}

TEST_CASE("The third failure in a row ends the run") {
  SaveRetries retries;
  CHECK_FALSE(retries.attempt(succeed, false));
  CHECK(retries.attempt(fail, false) ==
        "not saved (1 of 3 times in a row end the run): x: no room");
  CHECK(retries.attempt(fail, false).has_value());
  CHECK_FALSE(retries.attempt(succeed, false));  // the count begins again
  CHECK(retries.attempt(fail, false).has_value());
  CHECK(retries.attempt(fail, false).has_value());
  CHECK_THROWS_AS(retries.attempt(fail, false), FileError);
}

TEST_CASE("The last try of a run must succeed") {
  SaveRetries retries;
  CHECK_FALSE(retries.attempt(succeed, true));
  CHECK_THROWS_AS(retries.attempt(fail, true), FileError);
}

TEST_CASE("What is not about the disk is not tried again") {
  SaveRetries retries;
  CHECK_THROWS_AS(retries.attempt([] { throw Error(ExitCode::kDiverged, "not finite"); }, false),
                  Error);
  CHECK_THROWS_AS(
      retries.attempt([] { throw FileError(ExitCode::kInternal, "x", "", "a bug"); }, false),
      FileError);
}

}  // namespace
}  // namespace mrcnn
