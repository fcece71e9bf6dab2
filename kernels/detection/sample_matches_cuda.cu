// One block per image. The largest key that is taken is found digit by digit: three histograms of
// the members whose key starts like it. Keys are computed anew each time, which costs less than
// keeping them: a thread works on four neighbouring boxes, which share a block of random words.
#include "core/cuda/launch.cuh"
#include "kernels/detection/block_scan.cuh"
#include "kernels/detection/match_boxes.h"
#include "kernels/detection/sample_matches.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBlock = 1024;  // an image has one SM, so all of its threads
constexpr int kItems = 4;     // boxes a thread works on at a time
constexpr int kDigits = 3;    // 11, 11 and 10 bits of a key
constexpr int kBins = 2048;
constexpr int kBinsPerThread = kBins / kBlock;

enum Side { kPositive, kNegative, kSides };

__device__ int digit_shift(int digit) { return digit == 0 ? 21 : digit == 1 ? 10 : 0; }

// Of the members, those with a key below `key` are taken, and the first `equal` of those with it.
struct Threshold {
  uint32_t key;
  uint32_t equal;
  bool searching;  // the digits of the key are still looked for; `equal` is its rank so far
};

// Four boxes of the image and the side each is on; kSides: on neither.
struct Quad {
  int side[kItems];
  uint32_t key[kItems];
};

__device__ Quad load_quad(const SampleView& view, int64_t image, int64_t first, bool with_keys) {
  Quad quad;
  for (int i = 0; i < kItems; ++i) {
    const int64_t t = first + i;
    const int32_t matched = t < view.boxes ? view.matched[image * view.boxes + t] : kIgnored;
    quad.side[i] = matched >= 0 ? kPositive : matched == kBackground ? kNegative : kSides;
    quad.key[i] = 0;
  }
  if (with_keys) {
    const auto words =
        view.random.block((view.first_key(image) + static_cast<uint64_t>(first)) / kItems);
    for (int i = 0; i < kItems; ++i) quad.key[i] = words[i];
  }
  return quad;
}

// For `taken` of the members: all, none, or a key to be found.
__device__ Threshold first_threshold(uint32_t members, uint32_t taken) {
  if (taken == members) return {0xffffffffU, members, false};
  return {0, taken, taken > 0};
}

struct Histogram {
  uint32_t bins[kSides][kBins];
  uint32_t digit[kSides];
  uint32_t rank[kSides];
};

__device__ void count_keys(const SampleView& view, int64_t image, int digit,
                           const Threshold* thresholds, Histogram& histogram) {
  const int shift = digit_shift(digit);
  const int before = digit == 0 ? 0 : digit_shift(digit - 1);
  for (int64_t first = kItems * static_cast<int64_t>(threadIdx.x); first < view.boxes;
       first += kItems * kBlock) {
    const Quad quad = load_quad(view, image, first, true);
    for (int i = 0; i < kItems; ++i) {
      const int side = quad.side[i];
      if (side == kSides || !thresholds[side].searching) continue;
      const bool starts_alike =
          digit == 0 || quad.key[i] >> before == thresholds[side].key >> before;
      const uint32_t bin = quad.key[i] >> shift & (digit == 2 ? 0x3ffU : 0x7ffU);
      if (starts_alike) atomicAdd(&histogram.bins[side][bin], 1U);
    }
  }
}

// The bin that the rank falls into.
__device__ void find_digit(int side, uint32_t rank, Histogram& histogram) {
  const uint32_t* own = histogram.bins[side] + kBinsPerThread * threadIdx.x;
  uint32_t sum = 0;
  for (int i = 0; i < kBinsPerThread; ++i) sum += own[i];
  uint32_t before = block_scan(sum).before;
  for (int i = 0; i < kBinsPerThread; ++i) {
    if (before < rank && rank <= before + own[i]) {
      histogram.digit[side] = kBinsPerThread * threadIdx.x + static_cast<uint32_t>(i);
      histogram.rank[side] = rank - before;
    }
    before += own[i];
  }
}

__device__ void find_thresholds(const SampleView& view, int64_t image, Threshold* thresholds,
                                Histogram& histogram) {
  for (int digit = 0; digit < kDigits; ++digit) {
    for (int i = static_cast<int>(threadIdx.x); i < kSides * kBins; i += kBlock) {
      histogram.bins[i / kBins][i % kBins] = 0;
    }
    __syncthreads();
    count_keys(view, image, digit, thresholds, histogram);
    __syncthreads();
    for (int side = 0; side < kSides; ++side) {
      if (thresholds[side].searching) find_digit(side, thresholds[side].equal, histogram);
    }
    __syncthreads();
    for (int side = 0; side < kSides; ++side) {
      if (!thresholds[side].searching) continue;
      thresholds[side].key |= histogram.digit[side] << digit_shift(digit);
      thresholds[side].equal = histogram.rank[side];
    }
    __syncthreads();
  }
}

// Two counts of up to 65535 in one word: the positives' below.
__device__ uint32_t one_of(int side) { return side == kPositive ? 1U : 1U << 16; }
__device__ uint32_t part_of(uint32_t both, int side) {
  return side == kPositive ? both & 0xffffU : both >> 16;
}

// Writes the taken boxes in ascending order, kItems * kBlock at a time. begin: where each side's
// indices start. Without keys all are 0, which both thresholds of first_threshold decide alike.
__device__ void write_taken(const SampleView& view, int64_t image, const Threshold* thresholds,
                            const uint32_t* begin, bool with_keys) {
  int32_t* indices = view.indices + image * view.samples;
  uint32_t equal_before[kSides] = {0, 0};
  uint32_t next[kSides] = {begin[kPositive], begin[kNegative]};
  for (int64_t chunk = 0; chunk < view.boxes; chunk += kItems * kBlock) {
    const int64_t first = chunk + kItems * static_cast<int64_t>(threadIdx.x);
    const Quad quad = load_quad(view, image, first, with_keys);
    uint32_t equal = 0;
    for (int i = 0; i < kItems; ++i) {
      const int side = quad.side[i];
      if (side != kSides && quad.key[i] == thresholds[side].key) equal += one_of(side);
    }
    const Scan equals = block_scan(equal);
    uint32_t rank[kSides];
    for (int side = 0; side < kSides; ++side) {
      rank[side] = equal_before[side] + part_of(equals.before, side);
      equal_before[side] += part_of(equals.total, side);
    }
    bool taken[kItems];
    uint32_t count = 0;
    for (int i = 0; i < kItems; ++i) {
      const int side = quad.side[i];
      taken[i] = false;
      if (side == kSides) continue;
      const Threshold& threshold = thresholds[side];
      const bool is_equal = quad.key[i] == threshold.key;
      taken[i] = is_equal ? rank[side] < threshold.equal : quad.key[i] < threshold.key;
      if (is_equal) ++rank[side];
      if (taken[i]) count += one_of(side);
    }
    const Scan scan = block_scan(count);
    uint32_t at[kSides];
    for (int side = 0; side < kSides; ++side) {
      at[side] = next[side] + part_of(scan.before, side);
      next[side] += part_of(scan.total, side);
    }
    for (int i = 0; i < kItems; ++i) {
      if (taken[i]) indices[at[quad.side[i]]++] = static_cast<int32_t>(first + i);
    }
  }
}

__global__ void __launch_bounds__(kBlock) sample_matches_kernel(SampleView view) {
  __shared__ Histogram histogram;
  const int64_t image = blockIdx.x;
  uint32_t own[kSides] = {0, 0};
  for (int64_t first = kItems * static_cast<int64_t>(threadIdx.x); first < view.boxes;
       first += kItems * kBlock) {
    const Quad quad = load_quad(view, image, first, false);
    for (int i = 0; i < kItems; ++i) {
      if (quad.side[i] != kSides) ++own[quad.side[i]];
    }
  }
  const uint32_t positives = block_scan(own[kPositive]).total;
  const uint32_t negatives = block_scan(own[kNegative]).total;
  const auto most_positive = static_cast<uint32_t>(view.most_positive);
  const uint32_t num_positive = min(positives, most_positive);
  const uint32_t num_negative = min(negatives, static_cast<uint32_t>(view.samples) - num_positive);

  Threshold thresholds[kSides] = {first_threshold(positives, num_positive),
                                  first_threshold(negatives, num_negative)};
  const bool searching = thresholds[kPositive].searching || thresholds[kNegative].searching;
  if (searching) find_thresholds(view, image, thresholds, histogram);
  const uint32_t begin[kSides] = {0, num_positive};
  write_taken(view, image, thresholds, begin, searching);
  for (int64_t s = num_positive + num_negative + threadIdx.x; s < view.samples; s += kBlock) {
    view.indices[image * view.samples + s] = -1;
  }
  if (threadIdx.x == 0) {
    view.num_positive[image] = static_cast<int32_t>(num_positive);
    view.num_negative[image] = static_cast<int32_t>(num_negative);
  }
}

}  // namespace

void sample_matches(const SampleView& view, Stream stream) {
  if (view.images == 0) return;
  launch(
      "sample_matches", sample_matches_kernel,
      {.grid = dim3(static_cast<unsigned>(view.images)), .block = dim3(kBlock), .stream = stream},
      view);
}

}  // namespace mrcnn::cuda
