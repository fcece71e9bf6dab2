#include "core/dtype.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace mrcnn {
namespace {

BFloat16 from_bits(uint32_t bits) {
  BFloat16 value;
  value.bits = static_cast<uint16_t>(bits);
  return value;
}

TEST_CASE("Sizes, names and C++ types of the element types") {
  CHECK(dtype_bytes(DType::kF32) == 4);
  CHECK(dtype_bytes(DType::kF64) == 8);
  CHECK(dtype_bytes(DType::kBF16) == 2);
  CHECK(dtype_bytes(DType::kI32) == 4);
  CHECK(dtype_bytes(DType::kI64) == 8);
  CHECK(dtype_bytes(DType::kU8) == 1);
  CHECK(dtype_bytes(DType::kBool) == 1);
  CHECK(dtype_name(DType::kBF16) == "bf16");
  CHECK(dtype_name(DType::kBool) == "bool");
  CHECK(dtype_of<const float>() == DType::kF32);
  CHECK(dtype_of<BFloat16>() == DType::kBF16);
  CHECK(dtype_of<uint8_t>() == DType::kU8);
}

TEST_CASE("All 65536 bf16 values survive the way through f32; NaNs become quiet") {
  int wrong = 0;
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto wide = static_cast<float>(from_bits(bits));
    const uint32_t expected = std::isnan(wide) ? bits | 0x40U : bits;
    if (BFloat16(wide).bits != expected) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Between two bf16 values the nearer one is taken, in the middle the even one") {
  int wrong = 0;
  for (uint32_t bits = 0; bits < 0x7f80; ++bits) {  // finite, positive; the next may be infinity
    const uint32_t low = bits << 16, middle = low + 0x8000U;
    const auto rounded = [](uint32_t word) {
      return static_cast<uint32_t>(BFloat16(std::bit_cast<float>(word)).bits);
    };
    if (rounded(low + 1) != bits || rounded(middle - 1) != bits) ++wrong;
    if (rounded(middle) != bits + (bits & 1U)) ++wrong;
    if (rounded(middle + 1) != bits + 1 || rounded(low + 0xffffU) != bits + 1) ++wrong;
    if (rounded((middle + 1) | 0x80000000U) != ((bits + 1) | 0x8000U)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Edges: zero keeps its sign, large values become infinity, NaN stays NaN") {
  CHECK(BFloat16(-0.0F).bits == 0x8000);
  CHECK(BFloat16(std::numeric_limits<float>::max()).bits == 0x7f80);
  CHECK(BFloat16(std::numeric_limits<float>::infinity()).bits == 0x7f80);
  // A NaN whose payload lies in the lower half must not turn into infinity.
  CHECK(std::isnan(static_cast<float>(BFloat16(std::bit_cast<float>(0x7f800001U)))));
  CHECK(std::isnan(static_cast<float>(BFloat16(std::bit_cast<float>(0xffffffffU)))));
}

}  // namespace
}  // namespace mrcnn
