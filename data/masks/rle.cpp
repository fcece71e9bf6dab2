#include "data/masks/rle.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/error.h"

namespace mrcnn {
namespace {

// Calls visit(begin, end) with the positions of each foreground run, in order.
template <typename F>
void for_each_foreground_run(const Rle& rle, F&& visit) {
  int64_t position = 0;
  for (size_t i = 0; i < rle.counts.size(); ++i) {
    const int64_t end = position + rle.counts[i];
    if (i % 2 == 1 && end > position) visit(position, end);
    position = end;
  }
}

struct Run {
  int64_t begin;
  int64_t end;
};

std::vector<Run> foreground_runs(const Rle& rle) {
  std::vector<Run> runs;
  runs.reserve(rle.counts.size() / 2);
  for_each_foreground_run(rle, [&](int64_t begin, int64_t end) { runs.push_back({begin, end}); });
  return runs;
}

// Runs are sorted by begin and may touch or overlap.
Rle from_sorted_runs(const std::vector<Run>& runs, int64_t height, int64_t width) {
  Rle rle{height, width, {}};
  int64_t position = 0;  // end of what is written
  for (const Run& run : runs) {
    if (run.end <= position) continue;
    if (position > 0 && run.begin <= position) {
      rle.counts.back() += static_cast<uint32_t>(run.end - position);
    } else {
      rle.counts.push_back(static_cast<uint32_t>(run.begin - position));
      rle.counts.push_back(static_cast<uint32_t>(run.end - run.begin));
    }
    position = run.end;
  }
  if (position < height * width || rle.counts.empty()) {
    rle.counts.push_back(static_cast<uint32_t>(height * width - position));
  }
  return rle;
}

// Makes one sorted sequence of sorted parts, neighbours first: as many passes as the number of
// parts can be halved, where adding one part after another would take a pass for each.
void merge_parts(std::vector<Run>& runs, std::vector<size_t> ends) {
  const auto at = [&runs](size_t position) {
    return runs.begin() + static_cast<std::ptrdiff_t>(position);
  };
  while (ends.size() > 2) {
    std::vector<size_t> merged{0};
    for (size_t i = 0; i + 1 < ends.size(); i += 2) {
      const size_t last = std::min(i + 2, ends.size() - 1);
      std::inplace_merge(at(ends[i]), at(ends[i + 1]), at(ends[last]),
                         [](const Run& a, const Run& b) { return a.begin < b.begin; });
      merged.push_back(ends[last]);
    }
    ends = std::move(merged);
  }
}

}  // namespace

Rle rle_from_bitmap(std::span<const uint8_t> bitmap, int64_t height, int64_t width) {
  if (height < 0 || width < 0 || (width > 0 && height > kMaxRlePixels / width) ||
      static_cast<int64_t>(bitmap.size()) != height * width) {
    throw ShapeError(fmt::format("[rle_from_bitmap] {} values do not make {}x{} pixels",
                                 bitmap.size(), width, height));
  }
  Rle rle{height, width, {}};
  bool foreground = false;
  uint32_t run = 0;
  for (int64_t x = 0; x < width; ++x) {
    for (int64_t y = 0; y < height; ++y) {
      if ((bitmap[static_cast<size_t>(y * width + x)] != 0) != foreground) {
        rle.counts.push_back(run);
        run = 0;
        foreground = !foreground;
      }
      ++run;
    }
  }
  rle.counts.push_back(run);
  return rle;
}

void rle_to_bitmap(const Rle& rle, std::span<uint8_t> bitmap) {
  if (static_cast<int64_t>(bitmap.size()) != rle.height * rle.width) {
    throw ShapeError(fmt::format("[rle_to_bitmap] {} values for {}x{} pixels", bitmap.size(),
                                 rle.width, rle.height));
  }
  std::fill(bitmap.begin(), bitmap.end(), uint8_t{0});
  for_each_foreground_run(rle, [&](int64_t begin, int64_t end) {
    int64_t x = begin / rle.height;
    int64_t y = begin % rle.height;
    for (int64_t position = begin; position < end; ++position) {
      bitmap[static_cast<size_t>(y * rle.width + x)] = 1;
      if (++y == rle.height) {
        y = 0;
        ++x;
      }
    }
  });
}

int64_t rle_area(const Rle& rle) {
  int64_t area = 0;
  for_each_foreground_run(rle, [&](int64_t begin, int64_t end) { area += end - begin; });
  return area;
}

PixelBox rle_bbox(const Rle& rle) {
  int64_t x_min = -1;
  int64_t y_min = rle.height;
  int64_t y_max = -1;
  // The column of a run's first pixel is counted along, which is cheaper than a division for each.
  int64_t x = 0, column_begin = 0, last_end = 0;
  for_each_foreground_run(rle, [&](int64_t begin, int64_t end) {
    if (begin - column_begin >= rle.height) {
      const int64_t columns =
          begin - column_begin < 2 * rle.height ? 1 : (begin - column_begin) / rle.height;
      x += columns;
      column_begin += columns * rle.height;
    }
    if (x_min < 0) x_min = x;
    // A run that goes on in the next column covers a last and a first row.
    const bool one_column = end - column_begin <= rle.height;
    y_min = std::min(y_min, one_column ? begin - column_begin : 0);
    y_max = std::max(y_max, one_column ? end - 1 - column_begin : rle.height - 1);
    last_end = end;
  });
  if (x_min < 0) return {};
  const int64_t x_max = (last_end - 1) / rle.height;
  return {x_min, y_min, x_max - x_min + 1, y_max - y_min + 1};
}

Rle rle_merge(std::span<const Rle> rles) {
  if (rles.empty()) throw ShapeError("[rle_merge] needs at least one mask");
  const Rle& first = rles.front();
  std::vector<Run> runs;
  std::vector<size_t> ends{0};  // of sorted parts
  for (const Rle& rle : rles) {
    if (rle.height != first.height || rle.width != first.width) {
      throw ShapeError(fmt::format("[rle_merge] masks of {}x{} and {}x{} pixels", first.width,
                                   first.height, rle.width, rle.height));
    }
    const std::vector<Run> more = foreground_runs(rle);
    runs.insert(runs.end(), more.begin(), more.end());
    ends.push_back(runs.size());
  }
  merge_parts(runs, std::move(ends));
  return from_sorted_runs(runs, first.height, first.width);
}

}  // namespace mrcnn
