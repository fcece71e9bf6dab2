#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "core/parallel.h"
#include "core/target_clones.h"
#include "kernels/image/resize_math.h"
#include "kernels/image/resize_normalize_pad.h"

namespace mrcnn::cpu {
namespace {

// The normalised value of every byte in every output channel, and where that channel lies in an
// input pixel.
struct PixelTable {
  std::array<std::array<float, 256>, 3> normalized;
  std::array<int64_t, 3> input_channel;
};

PixelTable make_table(const ResizeNormalizePadParams& params) {
  PixelTable table{};
  for (size_t c = 0; c < 3; ++c) {
    table.input_channel[c] =
        static_cast<int64_t>(params.pixel_order == PixelOrder::kRgb ? c : 2 - c);
    for (int value = 0; value < 256; ++value) {
      table.normalized[c][static_cast<size_t>(value)] =
          normalized_byte(value, params.divisor, params.mean[c], params.std[c]);
    }
  }
  return table;
}

// Of `count` output coordinates from `first` on.
std::vector<Blend> blends(int64_t input, int64_t resized, int64_t first, int64_t count) {
  std::vector<Blend> result;
  for (int64_t i = 0; i < count; ++i) result.push_back(blend_at(first + i, input, resized));
  return result;
}

std::vector<Blend> column_blends(const ResizeGeometry& geometry) {
  const ImagePlacement& placement = geometry.placement;
  std::vector<Blend> columns = blends(geometry.input.width, placement.resized.width,
                                      placement.crop_left, placement.visible.width);
  if (placement.flip) {
    for (Blend& column : columns) column = mirrored(column, geometry.input.width);
  }
  return columns;
}

// Normalised pixels of a row have a fourth value, 0, so that one vector holds a pixel.
constexpr int64_t kPixelValues = 4;

// The part of an input row that columns read, normalised. pixels [W, 4]
void normalize_columns(const std::vector<Blend>& columns, const PixelTable& table,
                       const uint8_t* input_row, float* pixels) {
  const Blend& front = columns.front();
  const Blend& back = columns.back();  // the leftmost when mirrored
  const auto [left, right] = std::minmax({front.first, front.second, back.first, back.second});
  for (int64_t x = left; x <= right; ++x) {
    for (size_t c = 0; c < 3; ++c) {
      pixels[x * kPixelValues + static_cast<int64_t>(c)] =
          table.normalized[c][input_row[x * 3 + table.input_channel[c]]];
    }
  }
}

// pixels [W, 4] -> row [visible width, 3], after which one value is overwritten.
void blend_columns(const std::vector<Blend>& columns, const float* pixels, float* row) {
  for (const Blend& column : columns) {
    const float* first = pixels + column.first * kPixelValues;
    const float* second = pixels + column.second * kPixelValues;
    std::array<float, kPixelValues> blended;
    for (size_t c = 0; c < kPixelValues; ++c) blended[c] = column.of(first[c], second[c]);
    std::memcpy(row, blended.data(), sizeof(blended));
    row += 3;
  }
}

// Output row [visible width, 3] where nothing is resized: every blend is its first neighbour. Saves
// three passes.
void normalize_row(const std::vector<Blend>& columns, const PixelTable& table,
                   const uint8_t* input_row, float* row) {
  for (const Blend& column : columns) {
    const uint8_t* pixel = input_row + column.first * 3;
    for (size_t c = 0; c < 3; ++c) row[c] = table.normalized[c][pixel[table.input_channel[c]]];
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
      : columns_(columns),
        table_(table),
        image_(image),
        row_bytes_(geometry.input.width * 3),
        pixels_(static_cast<size_t>(geometry.input.width * kPixelValues)) {
    for (Row& row : rows_) row.values.resize(columns.size() * 3 + 1);
  }

  const float* row(int64_t y) {
    Row& slot = rows_[static_cast<size_t>(y % 2)];
    if (slot.y != y) {
      normalize_columns(columns_, table_, image_ + y * row_bytes_, pixels_.data());
      blend_columns(columns_, pixels_.data(), slot.values.data());
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
  std::vector<float> pixels_;  // of one input row
  std::array<Row, 2> rows_;
};

// row [width, 3] -> output [width, channels], channels beyond the third 0.
template <typename T>
void widen_pixels(const std::vector<float>& row, int64_t channels, T* output) {
  const size_t width = row.size() / 3;
  for (size_t x = 0; x < width; ++x, output += channels) {
    for (size_t c = 0; c < 3; ++c) output[c] = T(row[3 * x + c]);
    std::fill(output + 3, output + channels, T(0.0F));
  }
}

template <typename T>
void resize(const ResizeGeometry& geometry, const ResizeNormalizePadParams& params,
            const uint8_t* image, T* output) {
  const PixelTable table = make_table(params);
  const ImagePlacement& placement = geometry.placement;
  const std::vector<Blend> rows = blends(geometry.input.height, placement.resized.height,
                                         placement.crop_top, placement.visible.height);
  const std::vector<Blend> columns = column_blends(geometry);
  const bool keeps_size = placement.resized == geometry.input;
  const int64_t channels = geometry.output_channels;
  const int64_t visible_numel = placement.visible.width * channels;
  const int64_t padded_numel = geometry.padded.width * channels;
  // f32 pixels of 3 channels are written at once, others by way of a row of such.
  const bool is_plain = dtype_of<T>() == DType::kF32 && channels == 3;
  // A chunk starts with two fresh rows; 32 rows keep that below a tenth of its work.
  parallel_for(0, geometry.padded.height, 32, [&](int64_t begin, int64_t end) {
    RowCache cache(geometry, columns, table, image);
    std::vector<float> blended(is_plain ? 0 : columns.size() * 3);
    for (int64_t y = begin; y < end; ++y) {
      T* output_row = output + y * padded_numel;
      if (y >= placement.visible.height) {
        std::fill_n(output_row, padded_numel, T(0.0F));
        continue;
      }
      const Blend& row = rows[static_cast<size_t>(y)];
      const auto blend_into = [&](float* target) {
        if (keeps_size) {
          normalize_row(columns, table, image + row.first * geometry.input.width * 3, target);
          return;
        }
        const float* first = cache.row(row.first);
        const float* second = cache.row(row.second);
        blend_rows(placement.visible.width * 3, row.first_weight, row.second_weight, first, second,
                   target);
      };
      if constexpr (dtype_of<T>() == DType::kF32) {
        if (is_plain) blend_into(output_row);
      }
      if (!is_plain) {
        blend_into(blended.data());
        widen_pixels(blended, channels, output_row);
      }
      std::fill_n(output_row + visible_numel, padded_numel - visible_numel, T(0.0F));
    }
  });
}

}  // namespace

void resize_normalize_pad(const ResizeGeometry& geometry, const ResizeNormalizePadParams& params,
                          const uint8_t* image, float* output) {
  resize(geometry, params, image, output);
}

void resize_normalize_pad(const ResizeGeometry& geometry, const ResizeNormalizePadParams& params,
                          const uint8_t* image, BFloat16* output) {
  resize(geometry, params, image, output);
}

}  // namespace mrcnn::cpu
