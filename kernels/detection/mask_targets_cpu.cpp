#include "kernels/detection/mask_targets.h"

#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "kernels/detection/mask_targets_math.h"

namespace mrcnn::cpu {
namespace {

constexpr int64_t kGrain = 4;  // RoIs: some 100 microseconds

// What one column of the photo adds to each bin of rows.
struct Profile {
  int64_t column = -1;
  std::vector<float> sums;
};

struct Bin {
  RowBin rows;
  size_t first_sum = 0;  // in RoiSampler::above_
};

class RoiSampler {
 public:
  explicit RoiSampler(const MaskTargetView& view)
      : view_(view), bins_(static_cast<size_t>(view.size)), sums_(static_cast<size_t>(view.size)) {
    newer_.sums.resize(static_cast<size_t>(view.size));
    older_.sums.resize(static_cast<size_t>(view.size));
  }

  // output [size, size]
  void run(const MaskRoi& roi, float* output) {
    place_rows(roi);
    newer_.column = -1;
    older_.column = -1;
    for (int64_t pw = 0; pw < view_.size; ++pw) {
      std::fill(sums_.begin(), sums_.end(), 0.0F);
      for (int64_t j = 0; j < roi.columns.samples; ++j) add_sample(roi, pw, j);
      for (int64_t ph = 0; ph < view_.size; ++ph) {
        output[ph * view_.size + pw] = sums_[static_cast<size_t>(ph)] / roi.samples();
      }
    }
  }

 private:
  void place_rows(const MaskRoi& roi) {
    above_.clear();
    for (Bin& bin : bins_) {
      const int64_t ph = &bin - bins_.data();
      samples_.clear();
      bin.rows = RowBin{};
      for (int64_t i = 0; i < roi.rows.samples; ++i) {
        samples_.push_back(row_sample(roi, ph, i));
        bin.rows = with_sample(bin.rows, samples_.back());
      }
      bin.first_sum = above_.size();
      for (int64_t row = bin.rows.lowest; row <= bin.rows.highest; ++row) {
        float sum = 0;
        for (const RowSample& sample : samples_) sum += sample.above(row);
        above_.push_back(sum);
      }
    }
  }

  void add_sample(const MaskRoi& roi, int64_t pw, int64_t j) {
    const AxisSample<float> x = sample_axis(roi.columns.position(pw, j), roi.image.visible_width);
    if (x.low_weight == 0.0F && x.high_weight == 0.0F) return;
    const float* low = profile(roi, roi.image.photo_column(x.low));
    const float* high = profile(roi, roi.image.photo_column(x.high));
    for (size_t ph = 0; ph < sums_.size(); ++ph) {
      sums_[ph] += x.low_weight * low[ph] + x.high_weight * high[ph];
    }
  }

  // Samples ascend, so a column is most likely one of the last two. Asking for a second one keeps
  // the first.
  const float* profile(const MaskRoi& roi, int64_t column) {
    if (newer_.column != column) {
      std::swap(newer_, older_);
      if (newer_.column != column) compute(roi, column, newer_);
    }
    return newer_.sums.data();
  }

  void compute(const MaskRoi& roi, int64_t column, Profile& profile) {
    profile.column = column;
    std::fill(profile.sums.begin(), profile.sums.end(), 0.0F);
    ColumnRuns runs(view_.ends, roi, column);
    size_t first = 0;
    for (RowRange range = runs.next(); range.end > range.begin; range = runs.next()) {
      while (first < bins_.size() && bins_[first].rows.highest < range.begin) ++first;
      for (size_t ph = first; ph < bins_.size() && bins_[ph].rows.lowest < range.end; ++ph) {
        profile.sums[ph] += inside(bins_[ph], range);
      }
    }
  }

  // The bin touches the range.
  float inside(const Bin& bin, RowRange range) const {
    const float above_end = range.end > bin.rows.highest ? bin.rows.total : above(bin, range.end);
    return range.begin <= bin.rows.lowest ? above_end : above_end - above(bin, range.begin);
  }

  float above(const Bin& bin, int64_t row) const {
    return above_[bin.first_sum + static_cast<size_t>(row - bin.rows.lowest)];
  }

  const MaskTargetView& view_;
  std::vector<RowSample> samples_;  // of one bin
  std::vector<Bin> bins_;
  std::vector<float> above_;  // of each bin's rows, the weights in the rows above
  Profile newer_;
  Profile older_;
  std::vector<float> sums_;
};

}  // namespace

void mask_targets(const MaskTargetView& view, float* output) {
  parallel_for(0, view.count, kGrain, [&](int64_t begin, int64_t end) {
    RoiSampler sampler(view);
    for (int64_t i = begin; i < end; ++i) {
      const MaskRoi roi = mask_roi(view, i);
      float* target = output + i * view.size * view.size;
      if (roi.used) {
        sampler.run(roi, target);
      } else {
        std::fill_n(target, view.size * view.size, 0.0F);
      }
    }
  });
}

}  // namespace mrcnn::cpu
