// Numbers that a test and the script of its golden draw alike (tests/golden/random_draws.py).
#pragma once

#include <cstdint>

#include "core/random.h"

namespace mrcnn::test {

class Draws {
 public:
  Draws(uint64_t seed, uint32_t step) : random_{.seed = seed, .step = step} {}

  // 0 .. limit - 1
  int64_t below(int64_t limit) {
    return static_cast<int64_t>((uint64_t{random_.word(next_++)} * static_cast<uint64_t>(limit)) >>
                                32);
  }

 private:
  RandomStream random_;
  uint64_t next_ = 0;
};

}  // namespace mrcnn::test
