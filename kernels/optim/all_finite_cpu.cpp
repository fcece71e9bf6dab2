#include <atomic>
#include <bit>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/optim/all_finite.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kPiece = 16384;  // elements: some microseconds

// All bits of the exponent are set in infinities and NaNs, and in nothing else.
MRCNN_TARGET_CLONES
bool is_finite(const float* values, int64_t count) {
  constexpr uint32_t kExponent = 0x7f800000;
  uint32_t bad = 0;
  for (int64_t i = 0; i < count; ++i) {
    bad |= static_cast<uint32_t>((std::bit_cast<uint32_t>(values[i]) & kExponent) == kExponent);
  }
  return bad == 0;
}

bool is_finite(const double* values, int64_t count) {
  constexpr uint64_t kExponent = 0x7ff0000000000000;
  uint64_t bad = 0;
  for (int64_t i = 0; i < count; ++i) {
    bad |= static_cast<uint64_t>((std::bit_cast<uint64_t>(values[i]) & kExponent) == kExponent);
  }
  return bad == 0;
}

template <typename T>
bool are_finite(std::span<const ReadItem<T>> items) {
  const std::vector<Piece> pieces = pieces_of(items, kPiece);
  std::atomic<bool> finite = true;
  parallel_for(0, static_cast<int64_t>(pieces.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end && finite; ++i) {
      const Piece& piece = pieces[static_cast<size_t>(i)];
      if (!is_finite(items[piece.tensor].values + piece.begin, piece.end - piece.begin)) {
        finite = false;
      }
    }
  });
  return finite;
}

}  // namespace

bool all_finite(std::span<const ReadItem<float>> items) { return are_finite(items); }

bool all_finite(std::span<const ReadItem<double>> items) { return are_finite(items); }

}  // namespace mrcnn::cpu
