// A wide row is first thinned out by many blocks: a histogram over the upper bits of the score
// words tells which bin holds the k-th best, and the scores up to that bin are gathered as keys,
// usually few more than k. One block per row then sorts these in shared memory. If too many are
// left for that (scores that are nearly or all equal), it first selects by radix among them. A row
// that fits shared memory needs only the last kernel.
#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

#include "core/cuda/launch.cuh"
#include "kernels/detection/block_scan.cuh"
#include "kernels/detection/block_sort.cuh"
#include "kernels/detection/score_order.h"
#include "kernels/detection/topk.h"
#include "kernels/detection/workspace.h"

namespace mrcnn::cuda {
namespace {

constexpr int kBinShift = 20;  // a bin is the upper 12 bits: sign, exponent, 3 bits of mantissa
constexpr int kBins = 1 << (32 - kBinShift);
constexpr int kThreads = 256;  // of the kernels that read the scores
constexpr int kItems = 16;     // loads in flight per thread
constexpr int kChunk = kThreads * kItems;

// A level with what the kernels need besides.
struct Search {
  TopkLevel level;
  int64_t chunks = 0;  // blocks per row in the kernels that read the scores; 0 for a narrow row
  int32_t* histogram = nullptr;    // [rows, kBins]
  int32_t* found = nullptr;        // [rows] number of candidates
  uint64_t* candidates = nullptr;  // [rows, columns], in any order
};

struct Searches {
  Search search[kMaxTopkLevels];
};

// Which chunk of which row a block works on: the blocks of all levels are numbered through.
struct Chunk {
  int search;
  int64_t row;
  int64_t begin;
};

__device__ Chunk chunk_of_block(const Searches& searches, int64_t rows) {
  int64_t block = blockIdx.x;
  int i = 0;
  while (block >= rows * searches.search[i].chunks) block -= rows * searches.search[i++].chunks;
  const int64_t chunks = searches.search[i].chunks;
  return {i, block / chunks, block % chunks * kChunk};
}

// The thread's score words; past the end of the row they are in the last bin and `valid` is less.
struct Words {
  uint32_t word[kItems];
  int valid;
};

__device__ Words load_words(const TopkLevel& level, const Chunk& chunk) {
  const float* const scores = level.scores + chunk.row * level.columns;
  const int64_t first = chunk.begin + threadIdx.x;
  const int64_t left = level.columns - first;  // at least 1 - kThreads, which gives 0 below
  Words words;
  words.valid = left >= kChunk ? kItems : static_cast<int>((left + kThreads - 1) / kThreads);
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    words.word[i] = i < words.valid ? score_word(__ldg(scores + first + i * kThreads)) : UINT32_MAX;
  }
  return words;
}

__global__ void __launch_bounds__(kThreads)
    topk_histogram_kernel(const __grid_constant__ Searches searches, int64_t rows) {
  __shared__ int32_t histogram[kBins];
  const Chunk chunk = chunk_of_block(searches, rows);
  const Search& search = searches.search[chunk.search];
  const Words words = load_words(search.level, chunk);
  for (unsigned bin = threadIdx.x; bin < kBins; bin += kThreads) histogram[bin] = 0;
  __syncthreads();
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    if (i < words.valid) atomicAdd(&histogram[words.word[i] >> kBinShift], 1);
  }
  __syncthreads();
  int32_t* const total = search.histogram + chunk.row * kBins;
  for (unsigned bin = threadIdx.x; bin < kBins; bin += kThreads) {
    if (histogram[bin] != 0) atomicAdd(total + bin, histogram[bin]);
  }
}

// Where the rank-th smallest (from 1) of binned items lies. The block's threads hold kOwn
// neighbouring bins each.
struct Bin {
  uint32_t index;
  uint32_t before;  // items in smaller bins
  uint32_t size;
};

template <int kOwn>
__device__ Bin find_bin(const int32_t* histogram, uint32_t rank) {
  __shared__ Bin result;
  uint32_t own[kOwn];
  uint32_t sum = 0;
#pragma unroll
  for (int i = 0; i < kOwn; ++i) {
    own[i] = static_cast<uint32_t>(histogram[kOwn * threadIdx.x + i]);
    sum += own[i];
  }
  uint32_t before = block_scan(sum).before;
  if (before < rank && rank <= before + sum) {
#pragma unroll
    for (int i = 0; i < kOwn; ++i) {
      if (before < rank && rank <= before + own[i]) {
        result = {kOwn * threadIdx.x + i, before, own[i]};
      }
      before += own[i];
    }
  }
  __syncthreads();
  return result;
}

__global__ void __launch_bounds__(kThreads)
    topk_gather_kernel(const __grid_constant__ Searches searches, int64_t rows) {
  __shared__ int32_t block_start;
  const Chunk chunk = chunk_of_block(searches, rows);
  const Search& search = searches.search[chunk.search];
  const Words words = load_words(search.level, chunk);
  // Every block finds the bin again: cheaper than another launch.
  const uint32_t bin = find_bin<kBins / kThreads>(search.histogram + chunk.row * kBins,
                                                  static_cast<uint32_t>(search.level.k))
                           .index;
  uint32_t passed = 0;
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    passed += i < words.valid && words.word[i] >> kBinShift <= bin ? 1 : 0;
  }
  const Scan scan = block_scan(passed);
  if (threadIdx.x == 0 && scan.total != 0) {
    block_start = atomicAdd(search.found + chunk.row, static_cast<int32_t>(scan.total));
  }
  __syncthreads();
  if (passed == 0) return;
  uint64_t* slot = search.candidates + chunk.row * search.level.columns + block_start + scan.before;
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    if (i < words.valid && words.word[i] >> kBinShift <= bin) {
      const int64_t index = chunk.begin + i * kThreads + threadIdx.x;
      *slot++ = rank_key(words.word[i], static_cast<uint32_t>(index));
    }
  }
}

// Keys with key >> shift <= limit.
struct Bound {
  int shift;
  uint64_t limit;
};

constexpr int kMaxSelectThreads = 1024;
constexpr int kDigitBits = 11;
constexpr int kDigits = 1 << kDigitBits;

// A bound that at least k and at most `capacity` >= k of the keys meet. Keys differ, so that the
// last digit ends the search at exactly k. The block has kMaxSelectThreads.
__device__ Bound select_bound(const uint64_t* keys, int count, int k, int capacity) {
  __shared__ int32_t histogram[kDigits];
  Bound bound{64, 0};
  auto rank = static_cast<uint32_t>(k);  // among the keys that agree with the bound so far
  uint32_t taken = 0;
  do {
    const int bits = bound.shift < kDigitBits ? bound.shift : kDigitBits;
    const int shift = bound.shift - bits;
    for (unsigned digit = threadIdx.x; digit < kDigits; digit += blockDim.x) histogram[digit] = 0;
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
      const uint64_t prefix = keys[i] >> shift;
      if (prefix >> bits == bound.limit) {
        atomicAdd(&histogram[prefix & ((uint64_t{1} << bits) - 1)], 1);
      }
    }
    __syncthreads();
    const Bin bin = find_bin<kDigits / kMaxSelectThreads>(histogram, rank);
    rank -= bin.before;
    bound = {shift, bound.limit << bits | bin.index};
    taken = static_cast<uint32_t>(k) - rank + bin.size;
  } while (taken > static_cast<uint32_t>(capacity));
  return bound;
}

// Sorts the candidates of a row, or all of a narrow row, and writes the k best.
__global__ void __launch_bounds__(kMaxSelectThreads)
    topk_select_kernel(const __grid_constant__ Searches searches, int64_t rows, int capacity) {
  auto* const keys = dynamic_shared_memory<uint64_t>();
  __shared__ int cursor;
  const Search& search = searches.search[blockIdx.x / rows];
  const TopkLevel& level = search.level;
  const int64_t row = blockIdx.x % rows;
  const float* const scores = level.scores + row * level.columns;
  const auto k = static_cast<int>(level.k);
  const auto first = static_cast<int>(threadIdx.x);
  const auto step = static_cast<int>(blockDim.x);
  int count = static_cast<int>(level.columns);
  if (search.chunks == 0) {
    for (int i = first; i < count; i += step) {
      keys[i] = rank_key(score_word(__ldg(scores + i)), static_cast<uint32_t>(i));
    }
  } else {
    const uint64_t* const candidates = search.candidates + row * level.columns;
    count = search.found[row];
    if (count <= capacity) {
      for (int i = first; i < count; i += step) keys[i] = candidates[i];
    } else {
      const Bound bound = select_bound(candidates, count, k, capacity);
      if (threadIdx.x == 0) cursor = 0;
      __syncthreads();
      for (int i = first; i < count; i += step) {
        const uint64_t key = candidates[i];
        if (key >> bound.shift <= bound.limit) keys[atomicAdd(&cursor, 1)] = key;
      }
      __syncthreads();
      count = cursor;
    }
  }
  block_sort(keys, count);
  for (int i = first; i < k; i += step) {
    const uint32_t index = key_index(keys[i]);
    level.indices[row * level.output_stride + i] = static_cast<int32_t>(index);
    if (level.values != nullptr) level.values[row * level.output_stride + i] = scores[index];
  }
}

// For rows of which more are wanted than fit shared memory: the candidates are sorted.
__global__ void __launch_bounds__(kThreads)
    topk_write_kernel(const __grid_constant__ Search search) {
  const TopkLevel& level = search.level;
  const int64_t row = blockIdx.y;
  for (int64_t i = first_item(); i < level.k; i += item_stride()) {
    const uint32_t index = key_index(search.candidates[row * level.columns + i]);
    level.indices[row * level.output_stride + i] = static_cast<int32_t>(index);
    if (level.values != nullptr) {
      level.values[row * level.output_stride + i] = level.scores[row * level.columns + index];
    }
  }
}

struct Plan {
  std::vector<Search> thinned;  // wide levels
  std::vector<Search> sorted;   // levels whose best fit shared memory
  std::vector<Search> large;    // the other ones
  int32_t* counters = nullptr;  // all histograms and numbers of candidates
  int64_t num_counters = 0;
  int64_t bytes = 0;
};

Plan make_plan(int64_t rows, std::span<const TopkLevel> levels, void* memory) {
  Plan plan;
  Workspace workspace(memory);
  const auto is_wide = [](const TopkLevel& level) {
    return level.k > 0 && level.columns > kSharedSortKeys;
  };
  plan.num_counters = std::count_if(levels.begin(), levels.end(), is_wide) * rows * (kBins + 1);
  plan.counters = workspace.take<int32_t>(plan.num_counters);
  int32_t* counter = plan.counters;
  for (const TopkLevel& level : levels) {
    if (level.k == 0) continue;
    Search search;
    search.level = level;
    if (is_wide(level)) {
      search.chunks = (level.columns + kChunk - 1) / kChunk;
      search.candidates = workspace.take<uint64_t>(rows * level.columns);
      if (memory != nullptr) {
        search.histogram = std::exchange(counter, counter + rows * kBins);
        search.found = std::exchange(counter, counter + rows);
      }
      plan.thinned.push_back(search);
    }
    (level.k > kSharedSortKeys ? plan.large : plan.sorted).push_back(search);
  }
  plan.bytes = workspace.bytes();
  return plan;
}

Searches pack(const std::vector<Search>& list) {
  Searches searches;
  std::copy(list.begin(), list.end(), searches.search);
  return searches;
}

// Gathers the candidates of wide levels.
void thin_out(int64_t rows, const Plan& plan, Stream stream) {
  const auto bytes = static_cast<size_t>(plan.num_counters) * sizeof(int32_t);
  MRCNN_CUDA_CHECK(cudaMemsetAsync(plan.counters, 0, bytes, stream));
  int64_t blocks = 0;
  for (const Search& search : plan.thinned) blocks += rows * search.chunks;
  const LaunchConfig config{
      .grid = dim3(static_cast<unsigned>(blocks)), .block = dim3(kThreads), .stream = stream};
  launch("topk_histogram", topk_histogram_kernel, config, pack(plan.thinned), rows);
  launch("topk_gather", topk_gather_kernel, config, pack(plan.thinned), rows);
}

void sort_candidates(int64_t rows, const std::vector<Search>& list, Stream stream) {
  int64_t capacity = 0;
  for (const Search& search : list) capacity = std::max(capacity, search.level.columns);
  capacity = std::min(capacity, kSharedSortKeys);
  const auto bytes = static_cast<size_t>(capacity) * sizeof(uint64_t);
  allow_dynamic_shared("topk_select", topk_select_kernel, bytes);
  launch("topk_select", topk_select_kernel,
         {.grid = dim3(static_cast<unsigned>(rows * static_cast<int64_t>(list.size()))),
          .block = dim3(sort_block(capacity)),
          .shared_bytes = bytes,
          .stream = stream},
         pack(list), rows, static_cast<int>(capacity));
}

}  // namespace

int64_t topk_workspace_bytes(int64_t rows, std::span<const TopkLevel> levels) {
  return make_plan(rows, levels, nullptr).bytes;
}

void topk(int64_t rows, std::span<const TopkLevel> levels, void* workspace, Stream stream) {
  assert(levels.size() <= kMaxTopkLevels);
  if (rows == 0) return;
  const Plan plan = make_plan(rows, levels, workspace);
  if (!plan.thinned.empty()) thin_out(rows, plan, stream);
  if (!plan.sorted.empty()) sort_candidates(rows, plan.sorted, stream);
  for (const Search& search : plan.large) {
    sort_keys(rows, search.level.columns, search.found, search.candidates, stream);
    dim3 grid = blocks_for(search.level.k, kThreads);
    grid.y = static_cast<unsigned>(rows);
    launch("topk_write", topk_write_kernel,
           {.grid = grid, .block = dim3(kThreads), .stream = stream}, search);
  }
}

int64_t topk_workspace_bytes(int64_t rows, int64_t columns, int64_t k) {
  TopkLevel level;
  level.columns = columns;
  level.k = k;
  return topk_workspace_bytes(rows, {&level, 1});
}

void topk(int64_t rows, int64_t columns, int64_t k, const float* scores, float* values,
          int32_t* indices, void* workspace, Stream stream) {
  const TopkLevel level{.scores = scores,
                        .columns = columns,
                        .k = k,
                        .values = values,
                        .indices = indices,
                        .output_stride = k};
  topk(rows, {&level, 1}, workspace, stream);
}

}  // namespace mrcnn::cuda
