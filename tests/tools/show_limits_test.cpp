#include "tools/show_limits.h"

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>

#include "core/io/limits.h"

namespace mrcnn {
namespace {

TEST_CASE("Every limit is listed once, with its value") {
  std::istringstream text(limits_text());
  std::set<std::string> names;
  size_t num_lines = 0;
  for (std::string line; std::getline(text, line); ++num_lines) {
    CAPTURE(line);
    std::istringstream words(line);
    std::string name, what;
    uint64_t value = 0;
    words >> name >> value >> what;
    CHECK(!words.fail());
    CHECK(value > 0);
    names.insert(name);
  }
  CHECK(names.size() == num_lines);
  // All of them are numbers of eight bytes.
  CHECK(num_lines == sizeof(Limits) / sizeof(int64_t));
  CHECK(limits_text().find("image.max_pixels                  178956970 ") != std::string::npos);
}

}  // namespace
}  // namespace mrcnn
