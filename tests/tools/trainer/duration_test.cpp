#include "tools/trainer/duration.h"

#include <doctest/doctest.h>

#include "core/error.h"

namespace mrcnn {
namespace {

TEST_CASE("Rejects what is no duration, and says why") {
  const auto message = [](const char* text) -> std::string {
    try {
      parse_duration(text);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK(message("").find("longer than nothing") != std::string::npos);
  CHECK(message("0m").find("longer than nothing") != std::string::npos);
  CHECK(message("90").find("needs a unit") != std::string::npos);
  CHECK(message("1h30").find("needs a unit") != std::string::npos);
  CHECK(message("m").find("a number is needed") != std::string::npos);
  CHECK(message("-5m").find("a number is needed") != std::string::npos);
  CHECK(message("nanh").find("a number is needed") != std::string::npos);
  CHECK(message("infh").find("a number is needed") != std::string::npos);
  CHECK(message("1e3m").find("units are") != std::string::npos);
  CHECK(message("5x").find("units are") != std::string::npos);
  CHECK(message("30m1h").find("in this order") != std::string::npos);
  CHECK(message("1h1h").find("in this order") != std::string::npos);
  CHECK(message("1 h").find("units are") != std::string::npos);
  CHECK(message("4000d").find("ten years") != std::string::npos);
}

TEST_CASE("Reads numbers with units") {
  CHECK(parse_duration("90m") == 5400);
  CHECK(parse_duration("2h") == 7200);
  CHECK(parse_duration("1h30m") == 5400);
  CHECK(parse_duration("45s") == 45);
  CHECK(parse_duration("1.5h") == 5400);
  CHECK(parse_duration("1d2h3m4s") == 93784);
}

TEST_CASE("What is written reads back to the same seconds") {
  CHECK(duration_text(5400) == "1h30m");
  CHECK(duration_text(93784) == "1d2h3m4s");
  CHECK(duration_text(0.25) == "0.25s");
  CHECK(duration_text(0.00001) == "0.00001s");
  for (const double seconds : {1e-9, 1.0, 59.5, 3600.0, 86399.0, 1234567.125}) {
    CHECK(parse_duration(duration_text(seconds)) == seconds);
  }
}

}  // namespace
}  // namespace mrcnn
