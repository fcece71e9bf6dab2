// What an annotation says of its mask, in 32-bit words: as exact as the file, and a quarter of the
// size of doubles for the coordinates that annotation tools write.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/rle.h"

namespace mrcnn {

enum class GeometryKind : uint8_t {
  kNone,      // no words; the mask is empty
  kPolygons,  // one polygon after another, see PolygonPacker
  kCounts,    // height, width, run lengths
  kString,    // height, width, number of bytes, COCO's compressed counts padded with zero bytes
};

// Packs one polygon: a word with 4 * (number of coordinates) + form, then the coordinates. The form
// is the first of these that gives every double back bit by bit:
//   0  hundredths of a pixel in 16 bits without a sign, two in a word, low half first
//   1  hundredths in 32 bits with a sign
//   2  doubles, two words each
// A double that is the nearest one to k / 100 is stored as k; k / 100.0 gives it back, because a
// division rounds to the nearest too.
class PolygonPacker {
 public:
  void clear();
  size_t size() const { return size_; }  // coordinates so far
  void add_hundredths(int32_t hundredths);
  void add(double coordinate);
  void append_to(std::vector<uint32_t>& words) const;

 private:
  size_t size_ = 0;
  std::vector<int32_t> hundredths_;  // as long as all are
  std::vector<double> doubles_;      // from the first on that is not; then all of them
};

void append_counts(std::span<const int64_t> counts, int64_t height, int64_t width,
                   std::vector<uint32_t>& words);
void append_string(std::string_view counts, int64_t height, int64_t width,
                   std::vector<uint32_t>& words);

// The mask. Throws Error with ExitCode::kData if the words do not describe one of this size.
Rle draw_mask(GeometryKind kind, std::span<const uint32_t> words, int64_t height, int64_t width);

// The polygons of kPolygons words. Throws like draw_mask.
std::vector<std::vector<double>> unpack_polygons(std::span<const uint32_t> words);

}  // namespace mrcnn
