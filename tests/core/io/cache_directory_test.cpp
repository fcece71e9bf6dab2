#include "core/io/cache_directory.h"

#include <doctest/doctest.h>
#include <stdlib.h>

namespace mrcnn {
namespace {

TEST_CASE("The more specific variable wins, and none gives no directory") {
  ::setenv("MRCNN_CACHE_DIR", "/own", 1);
  ::setenv("XDG_CACHE_HOME", "/xdg", 1);
  ::setenv("HOME", "/user", 1);
  CHECK(default_cache_directory() == "/own");
  ::setenv("MRCNN_CACHE_DIR", "", 1);
  CHECK(default_cache_directory() == "/xdg/maskrcnn");
  ::unsetenv("XDG_CACHE_HOME");
  CHECK(default_cache_directory() == "/user/.cache/maskrcnn");
  ::unsetenv("HOME");
  CHECK(default_cache_directory().empty());
}

}  // namespace
}  // namespace mrcnn
