// The emulated GPU: every seed is another order of threads, blocks and streams.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/emulation/emulated_cuda.h"
#include "tests/support/schedules.h"

namespace mrcnn::test {
namespace {

uint64_t number_from(const char* name, uint64_t fallback) {
  const char* const text = std::getenv(name);
  return text == nullptr || *text == '\0' ? fallback : std::strtoull(text, nullptr, 10);
}

}  // namespace

void on_each_schedule(const std::function<void()>& body, int most) {
  const char* const single = std::getenv("MRCNN_EMU_SEED");
  const uint64_t first = single == nullptr ? 0 : number_from("MRCNN_EMU_SEED", 0);
  const uint64_t count =
      single == nullptr ? std::min(number_from("MRCNN_EMU_SEEDS", 4), static_cast<uint64_t>(most))
                        : 1;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    INFO("run again with MRCNN_EMU_SEED=" << seed);
    emu::reset();
    emu::options().seed = seed;
    body();
    REQUIRE_MESSAGE(emu::report().empty(), emu::report());
  }
}

}  // namespace mrcnn::test
