#include <algorithm>
#include <array>
#include <vector>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/image/resize_normalize_pad.h"

namespace mrcnn::cpu {
namespace {

// The two neighbours of an output coordinate and their weights.
struct Blend {
  int64_t first;
  int64_t second;
  float first_weight;
  float second_weight;
};

std::vector<Blend> blends(int64_t input, int64_t output) {
  std::vector<Blend> result;
  const float scale = static_cast<float>(input) / static_cast<float>(output);
  for (int64_t i = 0; i < output; ++i) {
    const float source = std::max(0.0F, scale * (static_cast<float>(i) + 0.5F) - 0.5F);
    const int64_t first = std::min(static_cast<int64_t>(source), input - 1);
    const float weight = std::clamp(source - static_cast<float>(first), 0.0F, 1.0F);
    result.push_back({.first = first,
                      .second = std::min(first + 1, input - 1),
                      .first_weight = 1.0F - weight,
                      .second_weight = weight});
  }
  return result;
}

// input_row [W, 3] u8 -> row [resized width, 3]
void blend_columns(const std::vector<Blend>& columns, const PixelTable& table,
                   const uint8_t* input_row, float* row) {
  for (const Blend& column : columns) {
    const uint8_t* first = input_row + column.first * 3;
    const uint8_t* second = input_row + column.second * 3;
    for (size_t c = 0; c < 3; ++c) {
      const auto& normalized = table.normalized[c];
      const int64_t channel = table.input_channel[c];
      row[c] = normalized[first[channel]] * column.first_weight +
               normalized[second[channel]] * column.second_weight;
    }
    row += 3;
  }
}

MRCNN_TARGET_CLONES
void blend_rows(int64_t count, float first_weight, float second_weight,
                const float* __restrict__ first, const float* __restrict__ second,
                float* __restrict__ output) {
  for (int64_t i = 0; i < count; ++i) {
    output[i] = first[i] * first_weight + second[i] * second_weight;
  }
}

// The last two input rows, already blended along columns. Consecutive output rows mostly need the
// same ones, and the two rows of one output row are neighbours, so they differ in parity.
class RowCache {
 public:
  RowCache(const ResizeGeometry& geometry, const std::vector<Blend>& columns,
           const PixelTable& table, const uint8_t* image)
      : columns_(columns), table_(table), image_(image), row_bytes_(geometry.input.width * 3) {
    for (Row& row : rows_) row.values.resize(columns.size() * 3);
  }

  const float* row(int64_t y) {
    Row& slot = rows_[static_cast<size_t>(y % 2)];
    if (slot.y != y) {
      blend_columns(columns_, table_, image_ + y * row_bytes_, slot.values.data());
      slot.y = y;
    }
    return slot.values.data();
  }

 private:
  struct Row {
    int64_t y = -1;
    std::vector<float> values;
  };
  const std::vector<Blend>& columns_;
  const PixelTable& table_;
  const uint8_t* image_;
  int64_t row_bytes_;
  std::array<Row, 2> rows_;
};

}  // namespace

void resize_normalize_pad(const ResizeGeometry& geometry, const PixelTable& table,
                          const uint8_t* image, float* output) {
  const std::vector<Blend> rows = blends(geometry.input.height, geometry.resized.height);
  const std::vector<Blend> columns = blends(geometry.input.width, geometry.resized.width);
  const int64_t resized_numel = geometry.resized.width * 3;
  const int64_t padded_numel = geometry.padded.width * 3;
  // A chunk starts with two fresh rows; 32 rows keep that below a tenth of its work.
  parallel_for(0, geometry.padded.height, 32, [&](int64_t begin, int64_t end) {
    RowCache cache(geometry, columns, table, image);
    for (int64_t y = begin; y < end; ++y) {
      float* output_row = output + y * padded_numel;
      if (y >= geometry.resized.height) {
        std::fill_n(output_row, padded_numel, 0.0F);
        continue;
      }
      const Blend& row = rows[static_cast<size_t>(y)];
      const float* first = cache.row(row.first);
      const float* second = cache.row(row.second);
      blend_rows(resized_numel, row.first_weight, row.second_weight, first, second, output_row);
      std::fill_n(output_row + resized_numel, padded_numel - resized_numel, 0.0F);
    }
  });
}

}  // namespace mrcnn::cpu
