// Counter-based random numbers: a value is a function of (seed, step, purpose, index), so it does
// not depend on threads or on what was drawn before.
// Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, sec. 3.3.
#pragma once

#include <array>
#include <cstdint>

namespace mrcnn {

// What a stream of numbers is for; streams of different purposes are independent.
enum class RandomPurpose : uint32_t {
  kInit,
  kSampler,
  kAugment,
  kShuffle,
  kShapes,
  kTest,
  kRpnSampler,
  kRoiSampler,
  kResampling
};

// One Philox4x32-10 block: four 32-bit words from a 128-bit counter and a 64-bit key.
constexpr std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                             std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53;
  constexpr uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9;  // golden ratio
  constexpr uint32_t kWeyl1 = 0xBB67AE85;  // sqrt(3) - 1
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = kMultiplier0 * counter[0];
    const uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

struct RandomStream {
  uint64_t seed = 0;
  RandomPurpose purpose = RandomPurpose::kTest;
  uint32_t step = 0;

  constexpr std::array<uint32_t, 4> block(uint64_t index) const {
    return philox4x32({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), step,
                       static_cast<uint32_t>(purpose)},
                      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  }
  constexpr uint32_t word(uint64_t index) const { return block(index / 4)[index % 4]; }
  // In [0, 1), a multiple of 2^-24.
  constexpr float uniform(uint64_t index) const {
    return static_cast<float>(word(index) >> 8) * 0x1p-24F;
  }
};

}  // namespace mrcnn
