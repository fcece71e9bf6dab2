// A 64-bit number of a name, the same on every machine: random numbers that belong to a parameter
// depend on its name and not on its place in the model.
// Source: FNV-1a, 64 bits (Fowler, Noll, Vo).
#pragma once

#include <cstdint>
#include <string_view>

namespace mrcnn {

constexpr uint64_t fnv1a64(std::string_view text) {
  uint64_t value = 0xCBF29CE484222325;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return value;
}

}  // namespace mrcnn
