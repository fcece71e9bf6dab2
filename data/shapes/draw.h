// A sequence of random numbers of one image: the n-th number is a function of the stream and n.
#pragma once

#include <cstdint>

#include "core/random.h"

namespace mrcnn::shapes {

class Draw {
 public:
  explicit Draw(const RandomStream& stream) : stream_(stream) {}

  uint32_t word() { return stream_.word(next_++); }
  double uniform() { return static_cast<double>(word() >> 8) * 0x1p-24; }  // [0, 1)
  double between(double low, double high) { return low + (high - low) * uniform(); }
  int64_t below(int64_t count) {  // 0 .. count - 1
    return static_cast<int64_t>((uint64_t{word()} * static_cast<uint64_t>(count)) >> 32);
  }

 private:
  RandomStream stream_;
  uint64_t next_ = 0;
};

}  // namespace mrcnn::shapes
