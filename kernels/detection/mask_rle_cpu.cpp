#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/detection/mask_paste_cpu.h"
#include "kernels/detection/mask_rle.h"

namespace mrcnn::cpu {
namespace {

// Collects runs from values at ascending positions; each value holds until the next one.
class RunWriter {
 public:
  void set(bool value, int64_t position) {
    if (value == value_) return;
    value_ = value;
    if (position == last_ && !counts_.empty()) {
      last_ -= counts_.back();  // the run that would end here has no pixel: undo its start
      counts_.pop_back();
    } else {
      counts_.push_back(static_cast<uint32_t>(position - last_));
      last_ = position;
    }
  }
  std::vector<uint32_t> finish(int64_t end) {
    if (end > last_ || counts_.empty()) counts_.push_back(static_cast<uint32_t>(end - last_));
    return std::move(counts_);
  }

 private:
  bool value_ = false;
  int64_t last_ = 0;  // where the current run began
  std::vector<uint32_t> counts_;
};

// Rows of the window that lie between the same two source rows.
struct Segment {
  int64_t source;  // the upper source row
  int64_t begin;   // rows, relative to the window's first
  int64_t end;
};

std::vector<Segment> split_segments(const std::vector<int32_t>& low) {
  std::vector<Segment> segments;
  for (size_t i = 0; i < low.size(); ++i) {
    if (segments.empty() || segments.back().source != low[i]) {
      segments.push_back({low[i], static_cast<int64_t>(i), static_cast<int64_t>(i)});
    }
    segments.back().end = static_cast<int64_t>(i) + 1;
  }
  return segments;
}

// One mask's columns, from left to right.
class ColumnEncoder {
 public:
  ColumnEncoder(const PasteWindow& window, int64_t source_size, int64_t height, float threshold)
      : height_(height),
        first_row_(window.rows.begin),
        threshold_(threshold),
        rows_(paste_taps(window.rows, source_size)),
        segments_(split_segments(rows_.low)) {}

  // values [source_size + 1]: the column's value at each source row, the last one twice
  void add_column(int64_t x, const float* values) {
    const int64_t base = x * height_ + first_row_;
    for (const Segment& segment : segments_) {
      add_segment(segment, base, values[segment.source], values[segment.source + 1]);
    }
    runs_.set(false, base + static_cast<int64_t>(rows_.low.size()));
  }
  std::vector<uint32_t> finish(int64_t end) { return runs_.finish(end); }

 private:
  // A pixel's value is upper * (1 - w) + lower * w in f32, which is within 4 roundings of the
  // exact one: less than 1e-6 of the larger end. Away from the threshold by that much, the exact
  // value decides the comparison.
  void add_segment(const Segment& segment, int64_t base, float upper, float lower) {
    const double threshold = threshold_;
    const double tolerance =
        1e-6 * std::max(std::abs(double{upper}), std::abs(double{lower})) + 1e-37;
    if (upper > threshold + tolerance && lower > threshold + tolerance) {
      runs_.set(true, base + segment.begin);
    } else if (upper < threshold - tolerance && lower < threshold - tolerance) {
      runs_.set(false, base + segment.begin);
    } else {
      add_crossing(segment, base, upper, lower, tolerance);
    }
  }

  void add_crossing(const Segment& segment, int64_t base, float upper, float lower,
                    double tolerance) {
    int64_t first = segment.begin;  // rows [first, last) are decided one by one
    int64_t last = segment.end;
    const double slope = double{lower} - double{upper};
    const bool narrow = slope != 0 && std::isfinite(slope);
    if (narrow) {
      const double low = (double{threshold_} - double{upper} - tolerance) / slope;
      const double high = (double{threshold_} - double{upper} + tolerance) / slope;
      first = first_row_from(segment, std::min(low, high) - 1e-9);
      last = first_row_from(segment, std::max(low, high) + 1e-9);
      if (first > segment.begin) runs_.set(slope < 0, base + segment.begin);
    }
    for (int64_t row = first; row < last; ++row) {
      const float weight = rows_.high_weight[static_cast<size_t>(row)];
      runs_.set(upper * (1.0F - weight) + lower * weight > threshold_, base + row);
    }
    if (narrow && last < segment.end) runs_.set(slope > 0, base + last);
  }

  // The first row of the segment whose weight is at least `weight`; weights ascend.
  int64_t first_row_from(const Segment& segment, double weight) const {
    const float* begin = rows_.high_weight.data() + segment.begin;
    const float* end = rows_.high_weight.data() + segment.end;
    return segment.begin +
           (std::partition_point(begin, end, [weight](float w) { return w < weight; }) - begin);
  }

  int64_t height_;
  int64_t first_row_;
  float threshold_;
  PasteTaps rows_;
  std::vector<Segment> segments_;
  RunWriter runs_;
};

// The zero-bordered map with columns contiguous, so that a column of the image blends two of them.
std::vector<float> transpose_padded(int64_t mask_size, const float* probs) {
  const int64_t source_size = mask_size + 2;
  std::vector<float> columns(static_cast<size_t>(source_size * source_size));
  for (int64_t row = 0; row < mask_size; ++row) {
    for (int64_t column = 0; column < mask_size; ++column) {
      columns[static_cast<size_t>((column + 1) * source_size + row + 1)] =
          probs[row * mask_size + column];
    }
  }
  return columns;
}

}  // namespace

Rle mask_to_rle(const MaskGeometry& g, const float* probs, const float* box) {
  const int64_t source_size = g.mask_size + 2;
  const PasteWindow window = paste_window(box, g.mask_size, g.extra_pixel, g.height, g.width);
  ColumnEncoder encoder(window, source_size, g.height, g.threshold);
  if (!window.empty()) {
    const std::vector<float> source = transpose_padded(g.mask_size, probs);
    const PasteTaps columns = paste_taps(window.columns, source_size);
    std::vector<float> values(static_cast<size_t>(source_size + 1));
    for (int64_t x = window.columns.begin; x < window.columns.end; ++x) {
      const auto slot = static_cast<size_t>(x - window.columns.begin);
      const int64_t low = columns.low[slot];
      const int64_t high = std::min(low + 1, source_size - 1);
      blend(source.data() + low * source_size, source.data() + high * source_size,
            1.0F - columns.high_weight[slot], columns.high_weight[slot], source_size,
            values.data());
      values[static_cast<size_t>(source_size)] = values[static_cast<size_t>(source_size - 1)];
      encoder.add_column(x, values.data());
    }
  }
  return {.height = g.height, .width = g.width, .counts = encoder.finish(g.pixels())};
}

}  // namespace mrcnn::cpu
